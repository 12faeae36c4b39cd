"""Append-only tables of commuter, each with the columns that an erasure may blank."""

APPEND_ONLY: dict[str, tuple[str, ...]] = {"trail": ("said", "before", "after")}
