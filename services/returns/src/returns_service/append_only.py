"""Append-only tables of returns, each with the columns that an erasure may blank."""

APPEND_ONLY: dict[str, tuple[str, ...]] = {"history": ("said", "changes")}
