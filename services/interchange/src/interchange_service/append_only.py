"""Append-only tables of interchange; the attempts of a webhook expire with it."""

APPEND_ONLY: dict[str, tuple[str, ...]] = {"webhook_delivery_log": ()}
EXPIRING = frozenset({"webhook_delivery_log"})
