"""払戻しの目安 on the view of a pass: asked by its address, so that it can be kept (R117, R118)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import Request

from portal_service import formatting
from portal_service.api_client import FieldError, Problem, client_of
from portal_service.service_api import commuter

FIELDS = ("ended_on", "months", "bought_on")


@dataclass(frozen=True, slots=True)
class AskedRefund:
    """What was asked, and the estimate or what was wrong."""

    values: dict[str, str]
    found: commuter.RefundAnswer | None = None
    errors: Sequence[FieldError] = field(default_factory=tuple)


async def asked_refund(request: Request, pass_id: str) -> AskedRefund:
    """The estimate that the address asks for; nothing where it asks for none."""
    values = {name: request.query_params.get(name, "") for name in FIELDS}
    if not any(values.values()):
        return AskedRefund({})
    days: dict[str, str | None] = {}
    errors = []
    for name in ("ended_on", "bought_on"):
        try:
            read = formatting.read_day(values[name])
            days[name] = read.isoformat() if read else None
        except formatting.NotReadable as unreadable:
            errors.append(FieldError(name, str(unreadable)))
    if not errors and days["ended_on"] is None:
        errors.append(FieldError("ended_on", "終了日を入力してください。"))
    if errors:
        return AskedRefund(values, errors=errors)
    try:
        found = await commuter.show_refund(
            client_of(request), pass_id, months=values["months"] or None, **days
        )
    except Problem as problem:
        if problem.status != 422:  # noqa: PLR2004 - what was typed is wrong
            raise
        return AskedRefund(values, errors=problem.on_form)
    return AskedRefund(values, found.body)
