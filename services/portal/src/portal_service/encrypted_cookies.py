"""Encrypted cookies: only the portal can read and write their content.

Everything that must outlive one request lives in sealed cookies (JWE, A256GCM), so that any number
of portal processes serve the same person without sharing a store.
"""

import hashlib
import json
import time
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

Content = dict[str, Any]  # JSON that the portal itself wrote
COOKIE_ROOM = 3900
"""Characters; browsers drop a cookie of more than 4,096 bytes with its name and attributes."""


class TooLargeForCookie(Exception):
    """The browser would drop it silently, so the portal says so aloud."""


class CookieCipher:
    """Seals small dictionaries; what was sealed for one purpose opens for no other."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def encrypt(self, purpose: str, content: Content, *, lasts_s: int) -> str:
        """Text for a cookie. Raises TooLargeForCookie."""
        body = json.dumps({"until": int(time.time()) + lasts_s, "content": content})
        header = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
        sealed = jwe.encrypt_compact(header, body, self._key(purpose))
        if len(sealed) > COOKIE_ROOM:
            raise TooLargeForCookie(f"{purpose}: {len(sealed)} characters, room for {COOKIE_ROOM}")
        return sealed

    def decrypt(self, purpose: str, sealed: str | None) -> Content | None:
        """What was sealed; None for anything stale, damaged or made by somebody else."""
        if not sealed:
            return None
        try:
            found = jwe.decrypt_compact(sealed, self._key(purpose))
            body = json.loads(found.plaintext or b"")
        except (JoseError, ValueError):
            return None
        content: Content = body["content"]
        return content if body["until"] > time.time() else None

    def _key(self, purpose: str) -> OctKey:
        derived = hashlib.blake2b(
            purpose.encode(), key=hashlib.sha512(self._secret).digest(), digest_size=32
        )
        return OctKey.import_key(derived.digest())
