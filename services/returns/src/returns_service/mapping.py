"""Mapping between rows and values of the rules: facts, form entries and routes."""

from datetime import date

from returns_service.models import Application, ChangeJson, Contract, ReportJson
from returns_service.progress_list_query import ProgressRow
from returns_service.rules.approval_route import Level, Route
from returns_service.rules.return_approval import ReturnFacts
from returns_service.rules.return_eligibility import ContractFacts, Selection, product_of
from returns_service.rules.return_form import Change, ResultKind, ReturnReport, ReturnResult
from returns_service.rules.return_status import Status
from shared.roles import Role


def contract_facts(contract: Contract) -> ContractFacts:
    """What decides whether a return of this contract may be reported."""
    return ContractFacts(
        product_of(contract.product_code),
        receivable_purchased=contract.receivable_purchased,
        tfc_handled=contract.tfc_handled,
        selection=Selection(contract.selection) if contract.selection else None,
    )


def return_facts(row: Application | ProgressRow) -> ReturnFacts:
    """What decides who may do what with an application."""
    route = Route(Role(row.originator_role), tuple(Level(level) for level in row.levels))
    return ReturnFacts(
        dealer_code=row.dealer_id,
        store_code=row.store_code,
        originator_id=row.originator_id,
        status=Status(row.status),
        route=route,
        was_requested=row.requested_at is not None,
        version=row.version,
    )


def report_of(application: Application) -> ReturnReport:
    """What an application keeps of its form."""
    result = ReturnResult(
        ResultKind(application.kind), application.received_on, application.unreturned_reason
    )
    return ReturnReport(
        application.contact_1,
        application.contact_2,
        application.contact_3,
        application.completion_mail,
        result,
    )


def entry_to_json(report: ReturnReport) -> ReportJson:
    """A report as it is kept with an approval, so that later changes can be shown against it."""
    received = report.result.received_on
    return {
        "contact_1": report.contact_1,
        "contact_2": report.contact_2,
        "contact_3": report.contact_3,
        "completion_mail": report.completion_mail,
        "kind": report.result.kind.value,
        "received_on": received.isoformat() if received else None,
        "unreturned_reason": report.result.unreturned_reason,
    }


def entry_from_json(entry: ReportJson) -> ReturnReport:
    """The inverse of `entry_to_json`."""
    received = entry["received_on"]
    result = ReturnResult(
        ResultKind(entry["kind"]),
        date.fromisoformat(received) if received else None,
        entry["unreturned_reason"],
    )
    return ReturnReport(
        entry["contact_1"],
        entry["contact_2"],
        entry["contact_3"],
        entry["completion_mail"],
        result,
    )


def changes_to_json(changes: tuple[Change, ...]) -> list[ChangeJson]:
    """Changes as they are kept in the history: field, before, after."""
    return [
        {
            "field": change.field,
            "before": json_value(change.before),
            "after": json_value(change.after),
        }
        for change in changes
    ]


def json_value(value: str | bool | date | None) -> str | bool | None:
    """A value as JSON knows it."""
    return value.isoformat() if isinstance(value, date) else value
