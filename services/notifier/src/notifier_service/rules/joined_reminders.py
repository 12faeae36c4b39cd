"""Joined reminders: which reminders to one person become one mail. D147, D150.

M2 and M5 fall due in the morning; several of one kind to one person on one day are one mail that
lists them, where the installation chose so. The ledger keeps one line for each. A single one keeps
the manual's text.
"""

from collections.abc import Mapping

from notifier_service.rules.recipients import MailKind

JOINED_KINDS = frozenset({MailKind.STALE, MailKind.APPROVAL_STALE})
MOST_IN_ONE_MAIL = 50


def group_of(kind: MailKind, *, originator_id: str, dealer_id: str) -> str:
    """Whose reminders may become one mail: the originator's, or those to headquarters."""
    return originator_id if kind is MailKind.STALE else dealer_id


def may_join(kind: str, facts: Mapping[str, object], copies: int) -> bool:
    """Whether a line may leave with others: not a copy that a person asked for."""
    return kind in JOINED_KINDS and "group" in facts and not copies
