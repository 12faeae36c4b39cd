"""Credentials of a dealer's system: their format and their validity.

A key for HTTPS is written `mdk_<key id>_<secret>`. Its secret is 32 random bytes, which cannot be
guessed, so a single SHA-256 is stored and no slow hash. The password for AMQP is stored in the form
that RabbitMQ reads in its definitions: a salt of four bytes and the SHA-256 of salt and password.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from shared.clock import JST, jst_day
from shared.errors import FieldError, FormErrors, Kind, Refusal

MARK = "mdk_"
LONGEST_KEY = 200
SALT_BYTES = 4


class KeyNotTrusted(Refusal):
    """There is no such key, or its secret is different."""

    code = "KEY_NOT_TRUSTED"
    kind = Kind.UNAUTHENTICATED
    message = "APIキーを確認できません。"
    english = "There is no such key."


class KeyRevoked(Refusal):
    """An operator has withdrawn the key."""

    code = "KEY_REVOKED"
    kind = Kind.UNAUTHENTICATED
    message = "このAPIキーは失効しています。"
    english = "The key was revoked."


class KeyExpired(Refusal):
    """The key was valid until a day that is over."""

    code = "KEY_EXPIRED"
    kind = Kind.UNAUTHENTICATED
    message = "このAPIキーは有効期限が切れています。"
    english = "The key has expired."


@dataclass(frozen=True, slots=True)
class WrittenKey:
    """A key as the dealer's system sends it; shown once and never stored."""

    key_id: str
    secret: str

    @classmethod
    def fresh(cls) -> Self:
        """A new one."""
        return cls(secrets.token_hex(8), secrets.token_urlsafe(32))

    @classmethod
    def read(cls, token: str) -> Self:
        """The parts of a token that begins with the prefix. Raises KeyNotTrusted."""
        key_id, _, secret = token.removeprefix(MARK).partition("_")
        if not (key_id.isascii() and key_id.isalnum() and secret) or len(token) > LONGEST_KEY:
            raise KeyNotTrusted
        return cls(key_id, secret)

    @property
    def token(self) -> str:
        """As it is written in the header."""
        return f"{MARK}{self.key_id}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """The stored hash of the secret."""
        return hashlib.sha256(self.secret.encode("utf-8", "surrogatepass")).digest()


def check(
    written: WrittenKey,
    *,
    digest: bytes | None,
    expires_at: datetime | None,
    revoked_at: datetime | None,
    now: datetime,
) -> None:
    """Check a key against its stored digest, revocation and end. Raises KeyNotTrusted and others.

    Only a caller with the right secret learns that the key was revoked or has expired.
    """
    if digest is None or not hmac.compare_digest(digest, written.digest):
        raise KeyNotTrusted
    if revoked_at is not None:
        raise KeyRevoked
    if expires_at is not None and expires_at <= now:
        raise KeyExpired


def end_of(last_on: date, *, now: datetime) -> datetime:
    """The end of a key whose last valid day, in Japan, is given. Raises FormErrors."""
    if last_on < jst_day(now):
        raise FormErrors(FieldError("last_on", "PAST", "今日以降の日付を入力してください。"))
    return datetime.combine(last_on + timedelta(days=1), time(), JST)


def broker_hash(password: str, salt: bytes | None = None) -> str:
    """The password as RabbitMQ keeps it (rabbit_password_hashing_sha256)."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
