"""Must an item's deduction be looked up again (R40-R58)?

The look-up was run for a day (`searched_on`) while the item had a day (`item_on_at_decision`). A
warning stands exactly while the passes valid on the searched day are not those valid on the item's
day (R48). It is derived each time and never stored, so every path that changes a date shows it, and
putting the date back removes it. A warning is no error (R54).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from commuter_service.rules.pass_validity import PassFacts
from shared.errors import Refusal


class DeductionWarning(StrEnum):
    """The message shown; the first two are the manual's warnings, the others notices."""

    W1 = "W1"
    W2 = "W2"
    FARES_REVISED = "FARES_REVISED"
    PASS_CHANGED = "PASS_CHANGED"  # noqa: S105 - a commuter pass

    @property
    def message(self) -> str:
        """The sentence on the screen."""
        return _MESSAGES[self]


_AGAIN = "定期区間控除の判定ができませんでした。もう一度、乗換案内を呼び出してください。"
_MESSAGES = {
    DeductionWarning.W1: f"明細の日付と乗換案内で実行された日付が異なるため、{_AGAIN}",
    DeductionWarning.W2: f"乗換案内の使用後に、明細の日付が変更されたため、{_AGAIN}",
    DeductionWarning.FARES_REVISED: "運賃改定日をまたいで日付が変更されています。"
    "もう一度、乗換案内を呼び出してください。",
    DeductionWarning.PASS_CHANGED: "定期区間が変更されています。"
    "もう一度、乗換案内を呼び出してください。",
}


class WarningBlocksSubmission(Refusal):
    """The company does not accept slips with a deduction warning."""

    code: ClassVar[str] = "WARNING_BLOCKS_SUBMISSION"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What an item keeps of its look-up; `searched_on` is None where none was run."""

    employee_id: str
    item_on: date | None
    searched_on: date | None = None
    item_on_at_decision: date | None = None
    from_ic_card: bool = False


def date_warning(item: ItemFacts, passes: Iterable[PassFacts]) -> DeductionWarning | None:
    """W1, W2 or nothing; `passes` are the passes that exist now."""
    if item.searched_on is None or item.item_on is None or item.from_ic_card:
        return None
    own = [one for one in passes if one.confirmed and one.employee_id == item.employee_id]
    if _valid(own, item.searched_on) == _valid(own, item.item_on):
        return None
    changed_since = item.item_on != item.item_on_at_decision
    return DeductionWarning.W2 if changed_since else DeductionWarning.W1


def revision_notice(item: ItemFacts, revised_on: Iterable[date]) -> DeductionWarning | None:
    """A notice where fares were revised between the searched day and the item's day (R55)."""
    if item.searched_on is None or item.item_on is None or item.from_ic_card:
        return None
    first, last = sorted((item.searched_on, item.item_on))
    crossed = any(first < day <= last for day in revised_on)
    return DeductionWarning.FARES_REVISED if crossed else None


def versions_changed(
    item: ItemFacts, valid_at_search: frozenset[tuple[str, int]], passes: Iterable[PassFacts]
) -> bool:
    """Whether the passes of the searched day are others, or other versions, than at the look-up.

    `valid_at_search`: (id, version) of the passes that the look-up regarded as valid.
    """
    if item.searched_on is None or item.from_ic_card:
        return False
    own = [one for one in passes if one.confirmed and one.employee_id == item.employee_id]
    return frozenset(one.key for one in own if item.searched_on in one.period) != valid_at_search


def pass_change_notice(*, charge_changed: bool) -> DeductionWarning | None:
    """A notice where changed passes charge the searched day otherwise (R17, R56).

    A change that deducts the same on that day is not mentioned.
    """
    return DeductionWarning.PASS_CHANGED if charge_changed else None


def check_submission(warnings: Iterable[DeductionWarning], *, company_blocks: bool) -> None:
    """Refuse a submission with warnings where the company says so (R54)."""
    standing = sorted(
        {one for one in warnings if one in (DeductionWarning.W1, DeductionWarning.W2)}
    )
    if company_blocks and standing:
        raise WarningBlocksSubmission(standing[0].message)


def _valid(passes: Iterable[PassFacts], day: date) -> frozenset[str]:
    return frozenset(one.pass_id for one in passes if day in one.period)
