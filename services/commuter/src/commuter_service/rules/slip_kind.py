"""Slip kinds: which use route search (乗換案内), what an unconfirmed pass blocks R22, R23."""

from enum import StrEnum
from typing import ClassVar

from shared.errors import Kind, Refusal


class SlipKind(StrEnum):
    """Kinds of slips; the value is the word on the screen."""

    TRANSPORT = "交通費精算"
    TRIP_REQUEST = "出張申請"
    TRIP = "出張精算"
    OVERSEAS_TRIP_REQUEST = "海外出張申請"
    OVERSEAS_TRIP = "海外出張精算"
    EXPENSE = "経費精算"
    PAYMENT_REQUEST = "支払依頼"


class SlipDeed(StrEnum):
    """What somebody wants to do with a slip."""

    CREATE = "create"
    SEARCH = "search"
    SUBMIT = "submit"
    READ = "read"
    APPROVE_OTHERS = "approve_others"
    WITHDRAW = "withdraw"


USES_SEARCH = frozenset(
    {
        SlipKind.TRANSPORT,
        SlipKind.TRIP_REQUEST,
        SlipKind.TRIP,
        SlipKind.OVERSEAS_TRIP_REQUEST,
        SlipKind.OVERSEAS_TRIP,
    }
)
BLOCKED = frozenset({SlipDeed.CREATE, SlipDeed.SEARCH, SlipDeed.SUBMIT})


class UnconfirmedPassBlocks(Refusal):
    """The applicant has a pass that waits for confirmation."""

    code: ClassVar[str] = "UNCONFIRMED_PASS_BLOCKS"
    kind: ClassVar[Kind] = Kind.CONFLICT


BLOCKED_MESSAGE = "未確定の定期区間があるため、確定されるまで利用できません。"


def check_unconfirmed_pass(kind: SlipKind, deed: SlipDeed, *, has_unconfirmed_pass: bool) -> None:
    """Refuse creating, searching and submitting while the applicant's own pass is unconfirmed."""
    if has_unconfirmed_pass and kind in USES_SEARCH and deed in BLOCKED:
        raise UnconfirmedPassBlocks(
            f"未確定の定期区間があるため、確定されるまで{kind}は利用できません"
        )
