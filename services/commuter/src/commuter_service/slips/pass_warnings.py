"""Pass warnings of an item, derived each time from the passes that exist now (R40-R58)."""

from datetime import date

from commuter_service.models import Slip, SlipItem
from commuter_service.passes.employee_passes import EmployeePasses
from commuter_service.rules.pass_warning import (
    DeductionWarning,
    ItemFacts,
    date_warning,
    pass_change_notice,
    revision_notice,
)
from commuter_service.rules.slip_approval import AT_HOME, SlipStatus
from fare_engine.fares.fares_between_stations import Tariffs

IC_CARD = "ic_card"


def warnings_of(
    slip: Slip, item: SlipItem, passes: EmployeePasses, tariffs: Tariffs
) -> list[DeductionWarning]:
    """Warnings and notices of one item, the manual's two first."""
    facts = ItemFacts(
        employee_id=slip.employee_id,
        item_on=item.item_on,
        searched_on=item.searched_on,
        item_on_at_decision=item.item_on_at_decision,
        from_ic_card=item.source == IC_CARD,
    )
    found = [
        date_warning(facts, passes.facts),
        revision_notice(facts, revision_days(item, tariffs)),
        pass_change_notice(facts, _compared(slip, item, passes), passes.facts),
    ]
    return [one for one in found if one is not None]


def is_stale(item: SlipItem, passes: EmployeePasses) -> bool:
    """Whether a pass that deducted is deleted: only a new look-up can tell what is left (R17)."""
    existing = {one.pass_id for one in passes.facts}
    return any(pass_id not in existing for pass_id, _ in item.passes_at_search)


def _compared(slip: Slip, item: SlipItem, passes: EmployeePasses) -> frozenset[tuple[str, int]]:
    """The passes of the look-up; a submitted slip keeps what deleted passes deducted (R17)."""
    keys = {(str(pass_id), int(version)) for pass_id, version in item.passes_at_search}
    if SlipStatus(slip.status) in AT_HOME:
        return frozenset(keys)
    existing = {one.pass_id for one in passes.facts}
    return frozenset(key for key in keys if key[0] in existing)


def revision_days(item: SlipItem, tariffs: Tariffs) -> frozenset[date]:
    """The days on which fares of the item's operators begin to hold (R55)."""
    runs = (item.explanation or {}).get("runs", ())
    operators = {run["operator"] for run in runs}
    tables = tariffs.tables.tariff_tables
    return frozenset(table.valid_from for table in tables if table.operator in operators)
