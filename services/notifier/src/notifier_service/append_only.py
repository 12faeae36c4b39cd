"""Append-only tables of notifier, each with the columns that an erasure may blank."""

APPEND_ONLY: dict[str, tuple[str, ...]] = {"mail_log": ("detail",)}
