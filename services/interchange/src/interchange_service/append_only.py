"""Append-only tables of interchange, each with the columns that an erasure may blank."""

APPEND_ONLY: dict[str, tuple[str, ...]] = {"webhook_delivery_log": ()}
