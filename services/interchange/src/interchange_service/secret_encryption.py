"""How are the secrets of webhooks kept? Encrypted, with keys that only the environment knows.

The first key encrypts, every key decrypts: a new one is put in front, the processes are started
again, and once the senders have sealed everything anew the old one can go.
"""

import base64
import contextlib
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from interchange_service.webhook_messages import SECRET_PREFIX

SECRET_BYTES = 32


class SecretBox:
    """Seals secrets and opens them. `keys` are Fernet keys with commas between; ValueError."""

    def __init__(self, keys: str) -> None:
        made = [Fernet(key.strip()) for key in keys.split(",")]
        self._first, self._all = made[0], MultiFernet(made)

    def encrypt(self, secret: str) -> bytes:
        """A secret as it may be kept."""
        return self._all.encrypt(secret.encode())

    def decrypt(self, sealed: bytes) -> str:
        """The secret itself. Raises InvalidToken where its key is not there any more."""
        return self._all.decrypt(sealed).decode()

    def reencrypted(self, sealed: bytes) -> bytes | None:
        """The same secret under the first key; None if it is already, or if none opens it."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            with contextlib.suppress(InvalidToken):
                return self._all.rotate(sealed)
        return None


def new_secret() -> str:
    """A secret as Standard Webhooks writes them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
