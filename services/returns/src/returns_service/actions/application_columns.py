"""Columns of an application, written from a route or a checked form."""

from returns_service.models import Application
from returns_service.rules.approval_route import Route
from returns_service.rules.return_form import ReturnReport


def set_route(application: Application, route: Route) -> None:
    """Freeze a route on an application."""
    application.originator_role = route.originator.value
    application.levels = [level.value for level in route.levels]


def set_report(application: Application, report: ReturnReport) -> None:
    """Keep a checked form on an application."""
    application.contact_1 = report.contact_1
    application.contact_2 = report.contact_2
    application.contact_3 = report.contact_3
    application.completion_mail = report.completion_mail
    application.kind = report.result.kind.value
    application.received_on = report.result.received_on
    application.unreturned_reason = report.result.unreturned_reason
