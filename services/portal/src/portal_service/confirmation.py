"""確認: the question that a user answers before an action.

The same question comes as a dialog over the screen where scripts run, and as a page of its own
where they do not. It carries the entries of the form along, so that OK sends them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from portal_service.api_client import FieldError
from portal_service.form_data import FormFields
from portal_service.rendering import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One question. `action` is where OK sends the entries, `back` where 戻る leads.

    Without `back`, 戻る sends the entries to `action` too, for the form to be shown again.

    `facts` are names and values of what will be sent; `part` is a template with fields of the
    question's own (a comment); `notes` are sentences to know before deciding, `doubts` those about
    what is allowed and probably a slip.
    """

    title: str
    sentence: str
    action: str
    back: str | None = None
    yes: str = "OK"
    no: str = "戻る"
    kept: Sequence[tuple[str, str]] = ()
    facts: Sequence[tuple[str, object]] = ()
    notes: Sequence[str] = ()
    doubts: Sequence[str] = ()
    part: str | None = None
    danger: bool = False
    crumbs: Sequence[tuple[str, str]] = ()


async def confirm(
    request: Request,
    question: Confirmation,
    *,
    fields: FormFields | None = None,
    errors: Iterable[FieldError] = (),
    status: int = 200,
    **facts: object,
) -> Response:
    """The question as a dialog (for HTMX) or as a page."""
    response = await render(
        request,
        "question.html",
        status=status,
        partial="dialog",
        values=fields.values() if fields else {},
        errors=errors,
        question=question,
        **facts,
    )
    if request.headers.get("hx-request"):
        response.headers["hx-retarget"] = "#dialog"
        response.headers["hx-reselect"] = "#question"
        response.headers["hx-reswap"] = "innerHTML"
    return response
