"""Replacement mark in the column 代替: ○, ー, 未 or empty (D27-D31)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts_service.rules.selection import Replacement


class ReplacementSource(StrEnum):
    """The source of a replacement statement: the result screen or the payoff inquiry (D31)."""

    RESULT_ENTRY = "result_entry"
    PAYOFF_INQUIRY = "payoff_inquiry"


class ReplacementMark(StrEnum):
    """The four marks of the column."""

    OWN = "○"
    NONE = "ー"
    MISSING = "未"
    NOT_NEEDED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacementEntry:
    """One statement about the replacement, and its instant (UTC)."""

    replacement: Replacement
    source: ReplacementSource
    recorded_at: datetime


def latest_replacement(entries: Iterable[ReplacementEntry]) -> Replacement | None:
    """The statement that counts: the latest from any source (D31)."""
    # At the same instant the screen takes precedence over the inquiry.
    newest = max(
        entries,
        key=lambda entry: (entry.recorded_at, entry.source is ReplacementSource.RESULT_ENTRY),
        default=None,
    )
    return newest.replacement if newest else None


def replacement_mark(
    replacement: Replacement | None, *, completed: bool, tfc_handled: bool
) -> ReplacementMark:
    """The mark for the known replacement; 未 only where the dealer has to enter it (A-07)."""
    if replacement is not None:
        return ReplacementMark.OWN if replacement.own else ReplacementMark.NONE
    return ReplacementMark.NOT_NEEDED if completed or tfc_handled else ReplacementMark.MISSING
