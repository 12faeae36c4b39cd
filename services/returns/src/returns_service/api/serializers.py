"""Serializers: statuses, rows, entries and steps as JSON, one function per shape."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache

from returns_service.actions.step_result import StepResult
from returns_service.api import schemas
from returns_service.api.mail_labels import mail_label
from returns_service.api.schemas import Coded
from returns_service.mapping import json_value
from returns_service.models import Application, Contract, HistoryLine, Store
from returns_service.progress_list_query import ProgressRow
from returns_service.rules.departures import Departure
from returns_service.rules.mail_notice import RemandComment, approver_notice, passed_on_comment
from returns_service.rules.progress_list import ApplicationKind
from returns_service.rules.return_approval import Offer
from returns_service.rules.return_commands import Action
from returns_service.rules.return_eligibility import (
    SELECTION_MISSING_WARNING,
    SEPARATE_PROCEDURE_NOTICE,
    Eligibility,
    Selection,
    product_of,
)
from returns_service.rules.return_form import Change, ResultKind, ReturnReport
from returns_service.rules.return_status import Status
from shared.roles import Role

Plain = str | bool | None
FIELDS = {
    "contact_1": "連絡先1",
    "contact_2": "連絡先2",
    "contact_3": "連絡先3",
    "completion_mail": "手続完了メール",
    "kind": "車両返却結果",
    "received_on": "車両返却受領日",
    "unreturned_reason": "未返却理由",
}
ACTIONS = {
    "submit": "起票・送信",
    "approve": "承認",
    "remand": "差戻し",
    "correct": "訂正",
    "withdraw": "取下げ",
    "accept": "受付",
    "hold": "保留",
    "release": "保留解除",
    "start_contact": "連絡事項入力開始",
    "finish_contact": "連絡事項入力",
    "complete": "完了",
    "edit_dealer_note": "貴社連絡欄の変更",
    "take_over": "引継ぎ",
    "tfc_event_rejected": "TFCからの連絡を不受理",
}
SEPARATE_PROCEDURE = Coded(code="SEPARATE_PROCEDURE", label=SEPARATE_PROCEDURE_NOTICE)
SELECTION_MISSING = Coded(code="SELECTION_MISSING", label=SELECTION_MISSING_WARNING)


def role(of: Role) -> Coded:
    """A role with its name."""
    return Coded(code=of.value, label=of.label_ja)


def coded_status(status: Status) -> Coded:
    """A status with its name."""
    return Coded(code=status.value, label=status.label_ja)


@cache
def status(of: Status) -> schemas.StatusAnswer:
    """Everything that a screen shows of a status."""
    group = of.group
    return schemas.StatusAnswer(
        code=of.value,
        label=of.label_ja,
        group=Coded(code=group.value, label=group.label_ja),
        tab=Coded(code=group.tab.name, label=group.tab.value),
        guidance=group.guidance,
        colour=of.colour.value,
        acts=role(of.acts) if of.acts else None,
    )


def notices(eligibility: Eligibility) -> list[Coded]:
    """Notices before sending: separate procedure, missing selection."""
    known = [(eligibility.separate_procedure, SEPARATE_PROCEDURE)]
    known += [(eligibility.selection_missing, SELECTION_MISSING)]
    return [notice for holds, notice in known if holds]


def step(result: StepResult, *before: Coded) -> schemas.StepAnswer:
    """A step that was taken, with the notices for the screen."""
    application, remand, found = result.application, result.remand, list(before)
    if message := approver_notice(result.outcome):
        found.append(Coded(code="ASK_APPROVER", label=message))
    if remand and remand.message:
        found.append(Coded(code="TELL_RECIPIENT", label=remand.message))
    return schemas.StepAnswer(
        application_id=application.application_id,
        version=application.version,
        status_version=application.status_version,
        status=status(Status(application.status)),
        notices=found,
        mail_will_be_sent=remand.mail_will_be_sent if remand else None,
    )


def contract(of: Contract, store_name: str, staff_name: str | None) -> schemas.ContractAnswer:
    """②契約者情報."""
    product = product_of(of.product_code)
    staff = Coded(code=of.staff_code, label=staff_name or "") if of.staff_code else None
    chosen = Selection(of.selection) if of.selection else None
    return schemas.ContractAnswer(
        contract_no=of.contract_no,
        customer_name=of.customer_name,
        product=Coded(code=product.code, label=product.name),
        final_on=of.final_on,
        vehicle_model=of.vehicle_model,
        registration_no=of.registration_no,
        store=Coded(code=of.store_code, label=store_name),
        staff=staff,
        selection=Coded(code=chosen.value, label=chosen.label_ja) if chosen else None,
    )


def entry(of: ReturnReport, reasons: Mapping[str, str]) -> schemas.EntryAnswer:
    """入力内容 as stored."""
    result = of.result
    reason = result.unreturned_reason
    return schemas.EntryAnswer(
        contact_1=of.contact_1,
        contact_2=of.contact_2,
        contact_3=of.contact_3,
        completion_mail=of.completion_mail,
        kind=Coded(code=result.kind.value, label=result.kind.label_ja),
        received_on=result.received_on,
        unreturned_reason=Coded(code=reason, label=reasons.get(reason, reason)) if reason else None,
    )


def originator(of: Application, store: Store | None) -> schemas.DealerAnswer:
    """①貴社情報 of an application."""
    store_name = store.name if store else of.store_code
    return schemas.DealerAnswer(
        dealer_id=of.dealer_id,
        dealer_name=store.dealer_name if store else None,
        store=Coded(code=of.store_code, label=store_name),
        person_id=of.originator_id,
        person_name=of.originator_name,
        role=role(Role(of.originator_role)),
    )


def offer(of: Offer) -> schemas.OfferAnswer:
    """One action with the reason why it is not possible, if so."""
    refusal = of.refusal
    return schemas.OfferAnswer(
        action=of.action.value,
        enabled=of.enabled,
        reason_code=refusal.code if refusal else None,
        reason=refusal.message if refusal else None,
    )


def changes(of: Iterable[Change], reasons: Mapping[str, str]) -> list[schemas.ChangeAnswer]:
    """Changed fields."""
    return [
        _change(one.field, json_value(one.before), json_value(one.after), reasons) for one in of
    ]


def _change(
    field: str, before: Plain, after: Plain, reasons: Mapping[str, str]
) -> schemas.ChangeAnswer:
    return schemas.ChangeAnswer(
        field=field,
        label=FIELDS.get(field, field),
        before=before,
        after=after,
        before_label=_as_text(field, before, reasons),
        after_label=_as_text(field, after, reasons),
    )


def _as_text(field: str, value: Plain, reasons: Mapping[str, str]) -> str:
    """A value of the entry as the screen shows it."""
    if value is None:
        return ""
    if field == "completion_mail":
        return "希望する" if value else "希望しない"
    text = str(value)
    if field == "kind":
        return ResultKind(text).label_ja
    if field == "received_on":
        return date.fromisoformat(text).strftime("%Y年%m月%d日")
    return reasons.get(text, text) if field == "unreturned_reason" else text


def history_line(
    of: HistoryLine, names: Mapping[str, str], reasons: Mapping[str, str]
) -> schemas.HistoryAnswer:
    """One line of the timeline; `names` are those of the represented approvers."""
    return schemas.HistoryAnswer(
        at=of.at,
        action=of.action,
        label=mail_label(of.action, of.facts) or ACTIONS.get(of.action, of.action),
        actor_id=of.actor_id,
        actor_name=of.actor_name,
        actor_role=of.actor_role,
        on_behalf_of=of.on_behalf_of,
        on_behalf_of_name=names.get(of.on_behalf_of or ""),
        from_status=coded_status(Status(of.from_status)) if of.from_status else None,
        to_status=coded_status(Status(of.to_status)),
        version=of.version,
        status_version=of.status_version,
        comment=of.comment,
        changes=[
            _change(line["field"], line["before"], line["after"], reasons) for line in of.changes
        ],
        facts=of.facts,
    )


def last_remand(history: Sequence[HistoryLine]) -> schemas.RemandAnswer | None:
    """The newest remand in a history (oldest first), with the comment that its recipient reads."""
    remands = [line for line in history if line.action == Action.REMAND]
    if not remands:
        return None
    newest = remands[-1]
    return schemas.RemandAnswer(
        from_level=newest.facts["remanded_from"],
        to_level=newest.facts["remanded_to"],
        remanded_by=newest.actor_name,
        remanded_at=newest.at,
        comment=passed_on_comment(
            [RemandComment(line.from_status, line.comment) for line in remands]
        ),
    )


def row(
    of: ProgressRow,
    store_name: str,
    dealer_name: str | None,
    *,
    waits_for_me: bool,
    departed: Departure | None,
) -> schemas.RowAnswer:
    """One row of 進捗一覧."""
    return schemas.RowAnswer(
        application_id=of.application_id,
        kind=Coded(code=of.kind, label=ApplicationKind(of.kind).label_ja),
        dealer_id=of.dealer_id,
        dealer_name=dealer_name,
        contract_no=of.contract_no,
        customer_name=of.customer_name,
        status=status(Status(of.status)),
        store=Coded(code=of.store_code, label=store_name),
        originator_id=of.originator_id,
        originator_name=of.originator_name,
        requested_at=of.requested_at,
        entered_at=of.entered_at,
        updated_at=of.updated_at,
        version=of.version,
        waits_for_me=waits_for_me,
        departed=departure(departed),
    )


def departure(of: Departure | None) -> Coded | None:
    """Who has left, so that somebody must take the application over."""
    return Coded(code=of.value, label=of.label_ja) if of else None
