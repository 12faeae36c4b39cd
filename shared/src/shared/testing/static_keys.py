"""Public keys that are known beforehand, in place of an issuer's JWKS."""

from joserfc.jwk import KeySet


class StaticKeys:
    """The same keys always."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def key_set(self, *, newer_than: float | None = None) -> tuple[KeySet, float]:  # noqa: ARG002
        """See `shared.tokens.Keys`."""
        return self._keys, 0.0
