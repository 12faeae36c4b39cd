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
from commuter_service.slips.pass_changes import charge_changed, deleted_passes
from fare_engine.fares.tariffs import Tariffs

IC_CARD = "ic_card"


def warnings_of(
    slip: Slip, item: SlipItem, passes: EmployeePasses, tariffs: Tariffs
) -> list[DeductionWarning]:
    """Warnings and notices of one item, the manual's two first."""
    facts = _facts_of(slip, item)
    found = [
        date_warning(facts, passes.facts),
        revision_notice(facts, revision_days(item, tariffs)),
        pass_change_notice(charge_changed=charge_changed(slip, item, facts, passes, tariffs)),
    ]
    return [one for one in found if one is not None]


def is_stale(slip: Slip, item: SlipItem, passes: EmployeePasses, tariffs: Tariffs) -> bool:
    """Whether a pass that deducted is deleted: only a new look-up can tell what is left (R17)."""
    if not deleted_passes(item, passes):
        return False
    return charge_changed(slip, item, _facts_of(slip, item), passes, tariffs)


def _facts_of(slip: Slip, item: SlipItem) -> ItemFacts:
    return ItemFacts(
        employee_id=slip.employee_id,
        item_on=item.item_on,
        searched_on=item.searched_on,
        item_on_at_decision=item.item_on_at_decision,
        from_ic_card=item.source == IC_CARD,
    )


def revision_days(item: SlipItem, tariffs: Tariffs) -> frozenset[date]:
    """The days on which fares of the item's operators begin to hold (R55)."""
    runs = (item.explanation or {}).get("runs", ())
    operators = {run["operator"] for run in runs}
    tables = tariffs.tables.tariff_tables
    return frozenset(table.valid_from for table in tables if table.operator in operators)
