"""Secret encryption: webhook secrets are stored encrypted, with keys from the environment.

The first key encrypts, every key decrypts. To rotate, put a new key in front and restart the
processes; once the workers have encrypted every secret again, the old key can go.
"""

import base64
import contextlib
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

SECRET_PREFIX = "whsec_"  # noqa: S105  how Standard Webhooks marks a secret
SECRET_BYTES = 32


class SecretBox:
    """Encrypts and decrypts secrets. `keys` are Fernet keys, comma-separated. Raises ValueError."""

    def __init__(self, keys: str) -> None:
        made = [Fernet(key.strip()) for key in keys.split(",")]
        self._first, self._all = made[0], MultiFernet(made)

    def encrypt(self, secret: str) -> bytes:
        """A secret as it is stored."""
        return self._all.encrypt(secret.encode())

    def decrypt(self, encrypted: bytes) -> str:
        """The secret itself. Raises InvalidToken where its key is gone."""
        return self._all.decrypt(encrypted).decode()

    def reencrypted(self, encrypted: bytes) -> bytes | None:
        """The same secret under the first key; None if it is already, or if no key fits."""
        try:
            self._first.decrypt(encrypted)
        except InvalidToken:
            with contextlib.suppress(InvalidToken):
                return self._all.rotate(encrypted)
        return None


def new_secret() -> str:
    """A secret in the format of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
