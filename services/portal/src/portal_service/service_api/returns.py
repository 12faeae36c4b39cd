"""HTTP API of returns, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict
from starlette.responses import StreamingResponse
from portal_service.api_client import QueryValue, ServiceClient, ServiceResponse
from portal_service.service_api.operations import Work


class ApplicationAnswer(TypedDict):
    """An opened application (開く); `guidance` is what the person who opened it is asked to do."""

    application_id: str
    version: int
    status_version: int
    status: StatusAnswer
    departed: Coded | None
    guidance: str
    dealer: DealerAnswer
    contract: ContractAnswer | None
    customer_name: str
    contract_no: str
    entry: EntryAnswer
    submitted_at: str
    requested_at: str | None
    entered_at: str
    updated_at: str
    notices: list[Coded]
    dealer_note: str | None
    tfc_messages: list[MessageAnswer]
    remand: RemandAnswer | None
    route: list[RouteStepAnswer]
    actions: list[OfferAnswer]
    acting_for: list[str]
    changed_since_my_approval: list[ChangeAnswer] | None
    history: list[HistoryAnswer]
    approver_contact_3: str | None


class ApprovalBody(TypedDict):
    """承認: what the approver overwrites, and the 連絡先3 that a store approver leaves."""

    overwrite: NotRequired[ResultBody | None]
    contact_3: NotRequired[str | None]


class BulkAnswer(TypedDict):
    """A result per item, in the order asked."""

    results: list[BulkResult]
    approved: int


class BulkBody(TypedDict):
    """At most 100 applications."""

    items: Sequence[BulkItem]


class BulkItem(TypedDict):
    """An application with the version that the approver saw."""

    application_id: str
    version: int


class BulkResult(TypedDict):
    """Result of one item; `code` and `message` say why it was not approved."""

    application_id: str
    contract_no: str | None
    customer_name: str | None
    approved: bool
    version: int | None
    status: (
        Literal[
            "STAFF_REMANDED",
            "STORE_PENDING",
            "STORE_REMANDED",
            "HQ_PENDING",
            "HQ_REMANDED",
            "REQUESTED",
            "TFC_PROCESSING",
            "TFC_HOLD",
            "TFC_CONTACT",
            "COMPLETED",
            "WITHDRAWN",
        ]
        | None
    )
    status_label: str | None
    code: str | None
    message: str | None
    facts: dict[str, bool | int | str | list[str] | None]


class ChangeAnswer(TypedDict):
    """One field that was changed; the labels say its values as the screen does, blank for …"""

    field: str
    label: str
    before: str | bool | None
    after: str | bool | None
    before_label: str
    after_label: str


class CheckedAnswer(TypedDict):
    """A form that may be sent: notices, the status it would get, the entry as it would be …"""

    notices: list[Coded]
    next_status: Coded
    doubts: list[str]
    entry: EntryAnswer
    consequence: ConsequenceAnswer


class CheckedStepAnswer(TypedDict):
    """A step that may be taken: as CheckedAnswer, and what it changes of the entry."""

    next_status: Coded
    changes: list[ChangeAnswer]
    doubts: list[str]
    entry: EntryAnswer
    consequence: ConsequenceAnswer


class Coded(TypedDict):
    """A stable code with its words on the screen."""

    code: str
    label: str


class ConsequenceAnswer(TypedDict):
    """What follows a step: who receives the application, and whether a mail goes out."""

    receiver: str | None
    mail: bool
    message: str


class ContractAnswer(TypedDict):
    """②契約者情報, to be read only."""

    contract_no: str
    customer_name: str
    product: Coded
    final_on: str
    vehicle_model: str
    registration_no: str
    store: Coded
    staff: Coded | None
    selection: Coded | None


class CountsAnswer(TypedDict):
    """Numbers of visible applications per display group and per status, whatever the filter."""

    groups: list[GroupCount]
    statuses: dict[str, int]
    total: int


class DealerAnswer(TypedDict):
    """①貴社情報, to be read only."""

    dealer_id: str
    dealer_name: str | None
    store: Coded
    person_id: str
    person_name: str
    role: Coded


class DealerNoteBody(TypedDict):
    """貴社連絡欄; blank empties it."""

    dealer_note: str


class EntryAnswer(TypedDict):
    """What was entered (入力内容)."""

    contact_1: str | None
    contact_2: str | None
    contact_3: str | None
    completion_mail: bool
    kind: Coded
    received_on: str | None
    unreturned_reason: Coded | None


class FlowAnswer(TypedDict):
    """The setting with its version; version 0: never set, nothing needs an approval."""

    store_approval: bool
    hq_approval: bool
    hq_mails: list[str]
    store_approver_notice: bool
    version: int
    updated_at: str | None
    updated_by: str | None


class FlowBody(TypedDict):
    """Which levels approve, where headquarters gets its mails; blank lines are left out."""

    store_approval: bool
    hq_approval: bool
    hq_mails: list[str]
    store_approver_notice: bool


class FormAnswer(TypedDict):
    """起票画面 as it opens; `received_on` is filled in where the dealer's system reported it."""

    contract: ContractAnswer
    dealer: DealerAnswer
    eligible: bool
    refusal: Coded | None
    open_application_id: str | None
    notices: list[Coded]
    contact_1: str | None
    contact_2: str | None
    contact_3: str | None
    completion_mail: bool
    kind: str
    kinds: list[Coded]
    reasons: list[Coded]
    received_on: str | None
    received_on_latest: str
    reported_car: ReportedCarAnswer | None
    contact_3_required: bool
    next_status: Coded


class FormBody(TypedDict):
    """起票画面 as typed: contacts 1 to 3, the box for the completion mail, and ③."""

    kind: NotRequired[str]
    received_on: NotRequired[str | None]
    unreturned_reason: NotRequired[str | None]
    contact_1: NotRequired[str | None]
    contact_2: NotRequired[str | None]
    contact_3: NotRequired[str | None]
    completion_mail: NotRequired[bool]


class GroupCount(TypedDict):
    """One display group with its tab and number."""

    code: str
    label: str
    tab: str
    guidance: str
    count: int


class HistoryAnswer(TypedDict):
    """Who did what, when, from where to where, in which version, for whom."""

    at: str
    action: str
    label: str
    actor_id: str
    actor_name: str
    actor_role: str
    on_behalf_of: str | None
    on_behalf_of_name: str | None
    from_status: Coded | None
    to_status: Coded
    version: int
    status_version: int
    comment: str | None
    changes: list[ChangeAnswer]
    facts: dict[str, bool | int | str | list[str] | None]


class MessageAnswer(TypedDict):
    """A message of TFC to the dealer (連絡事項)."""

    at: str
    message: str


class MessageBody(TypedDict):
    """連絡事項 of TFC."""

    message: NotRequired[str]


class OfferAnswer(TypedDict):
    """An action as the screen offers it: enabled, or with the reason why not."""

    action: str
    enabled: bool
    reason_code: str | None
    reason: str | None


class PageAnswer(TypedDict):
    """A page of rows; `next_cursor` asks for the following one."""

    items: list[RowAnswer]
    next_cursor: str | None


class ReasonBody(TypedDict):
    """Why TFC holds or remands."""

    reason: NotRequired[str]


class RemandAnswer(TypedDict):
    """The last remand: from which level to which, by whom and when, with its comment."""

    from_level: str
    to_level: str
    remanded_by: str
    remanded_at: str
    comment: str | None


class RemandBody(TypedDict):
    """差戻し: a comment, and for the HQ approver 貴社連絡欄."""

    comment: NotRequired[str | None]
    dealer_note: NotRequired[str | None]


class ReportedCarAnswer(TypedDict):
    """What the dealer's own system reported of the car."""

    received_on: str
    place: str | None
    odometer_km: int | None


class ResultBody(TypedDict):
    """③車両返却情報 as typed: RETURNED with the day of receipt, or UNRETURNED with a reason."""

    kind: NotRequired[str]
    received_on: NotRequired[str | None]
    unreturned_reason: NotRequired[str | None]


class RouteStepAnswer(TypedDict):
    """One station of the frozen route; `present`: the application lies here now."""

    holder: str
    label: str
    present: bool
    approved_by: str | None
    approved_at: str | None
    on_behalf_of: str | None
    on_behalf_of_name: str | None


class RowAnswer(TypedDict):
    """One row of 進捗一覧; `waits_for_me`: it stands on the reader's own work list."""

    application_id: str
    kind: Coded
    dealer_id: str
    dealer_name: str | None
    contract_no: str
    customer_name: str
    status: StatusAnswer
    store: Coded
    originator_id: str
    originator_name: str
    requested_at: str | None
    entered_at: str
    updated_at: str
    version: int
    waits_for_me: bool
    departed: Coded | None


class StatusAnswer(TypedDict):
    """A status with all that a list shows of it; `acts` is the role that must act (手続者)."""

    code: str
    label: str
    group: Coded
    tab: Coded
    guidance: str
    colour: str
    acts: Coded | None


class StepAnswer(TypedDict):
    """After a step. `mail_will_be_sent` is set after a remand only (D120)."""

    application_id: str
    version: int
    status_version: int
    status: StatusAnswer
    notices: list[Coded]
    mail_will_be_sent: bool | None


class SubmissionBody(TypedDict):
    """A form for one contract."""

    kind: NotRequired[str]
    received_on: NotRequired[str | None]
    unreturned_reason: NotRequired[str | None]
    contact_1: NotRequired[str | None]
    contact_2: NotRequired[str | None]
    contact_3: NotRequired[str | None]
    completion_mail: NotRequired[bool]
    contract_no: str


class SubstituteAnswer(TypedDict):
    """A substitution as kept, and who of the two has left since (D157)."""

    approver_id: str
    approver_name: str
    substitute_id: str
    substitute_name: str
    from_on: str
    to_on: str
    substitute_no: int
    version: int
    approver_left: bool
    substitute_left: bool


class SubstituteBody(TypedDict):
    """Who approves in whose place, on which JST days, both included."""

    approver_id: NotRequired[str | None]
    substitute_id: NotRequired[str | None]
    from_on: NotRequired[str | None]
    to_on: NotRequired[str | None]


class SubstitutesAnswer(TypedDict):
    """The substitutions of today and later."""

    items: list[SubstituteAnswer]


class SubstitutionAnswer(TypedDict):
    """Who approves in whose place, and when, with the names."""

    approver_id: str
    approver_name: str
    substitute_id: str
    substitute_name: str
    from_on: str
    to_on: str


class TakeOverBody(TypedDict):
    """引継ぎ: the new originator, and their mail address (連絡先3)."""

    new_originator_id: str
    contact_3: NotRequired[str | None]


class WorkListAnswer(TypedDict):
    """The own work list (D108); `approver`: the reader approves at all, if only for another."""

    items: list[WorkRowAnswer]
    next_cursor: str | None
    approver: bool


class WorkRowAnswer(TypedDict):
    """One row of the own work list; `approvable`: it waits for an approval, not a correction."""

    application_id: str
    kind: Coded
    dealer_id: str
    dealer_name: str | None
    contract_no: str
    customer_name: str
    status: StatusAnswer
    store: Coded
    originator_id: str
    originator_name: str
    requested_at: str | None
    entered_at: str
    updated_at: str
    version: int
    waits_for_me: bool
    departed: Coded | None
    approvable: bool


async def open_form(services: ServiceClient, contract_no: str) -> ServiceResponse[FormAnswer]:
    """起票画面 as it opens (D83-D91); says what stands against sending, if anything does."""
    return await services.get("returns", f"/contracts/{contract_no}/form")


async def check_application(
    services: ServiceClient, body: SubmissionBody
) -> ServiceResponse[CheckedAnswer]:
    """確認: whether this form may be sent (D94); nothing is created."""
    return await services.send("returns", "POST", "/applications/check", body)


async def create_application(
    services: ServiceClient, body: SubmissionBody, *, idempotency_key: str | None
) -> ServiceResponse[StepAnswer]:
    """OK: send the application (D93-D96); the same Idempotency-Key gives the same answer."""
    return await services.send(
        "returns", "POST", "/applications", body, idempotency_key=idempotency_key
    )


async def list_applications(
    services: ServiceClient,
    *,
    tab: QueryValue = None,
    kind: QueryValue = None,
    status: QueryValue = None,
    customer_name: QueryValue = None,
    contract_no: QueryValue = None,
    reception_no: QueryValue = None,
    updated_from: QueryValue = None,
    updated_to: QueryValue = None,
    own: QueryValue = None,
    left: QueryValue = None,
    cursor: QueryValue = None,
    limit: QueryValue = None,
) -> ServiceResponse[PageAnswer]:
    """進捗一覧: all keys together, statuses as alternatives (D98-D103), newest first."""
    return await services.get(
        "returns",
        "/applications",
        {
            "tab": tab,
            "kind": kind,
            "status": status,
            "customer_name": customer_name,
            "contract_no": contract_no,
            "reception_no": reception_no,
            "updated_from": updated_from,
            "updated_to": updated_to,
            "own": own,
            "left": left,
            "cursor": cursor,
            "limit": limit,
        },
    )


async def count_applications(
    services: ServiceClient, *, kind: QueryValue = None
) -> ServiceResponse[CountsAnswer]:
    """Numbers per display group and status over all that the person sees (D106), of one kind."""
    return await services.get("returns", "/applications/counts", {"kind": kind})


async def list_own_work(
    services: ServiceClient, *, status: QueryValue = None
) -> ServiceResponse[WorkListAnswer]:
    """What waits for this person, themselves or as a substitute (D108); at most 500 rows."""
    return await services.get("returns", "/applications/work", {"status": status})


async def open_application(
    services: ServiceClient, application_id: str
) -> ServiceResponse[ApplicationAnswer]:
    """開く: everything about one application, and what this person may do with it (D101)."""
    return await services.get("returns", f"/applications/{application_id}")


async def show_consequence(
    services: ServiceClient, application_id: str, *, step: QueryValue = None
) -> ServiceResponse[ConsequenceAnswer]:
    """Who receives the application after a step, and whether a mail goes out (D96, D120)."""
    return await services.get(
        "returns", f"/applications/{application_id}/consequence", {"step": step}
    )


async def approve_application(
    services: ServiceClient, application_id: str, body: ApprovalBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """承認, with or without overwriting ③ (D112, D114)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/approval", body, version=version
    )


async def check_approval(
    services: ServiceClient, application_id: str, body: ApprovalBody, *, version: str | None
) -> ServiceResponse[CheckedStepAnswer]:
    """確認 before 承認: what overwriting ③ changes, and what follows (D114)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/approval/check", body, version=version
    )


async def remand_application(
    services: ServiceClient, application_id: str, body: RemandBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """差戻し, one step back on the frozen route (D113, D116)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/remand", body, version=version
    )


async def correct_application(
    services: ServiceClient, application_id: str, body: FormBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """訂正 by the originator; the approval starts again (D121, D122)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/correction", body, version=version
    )


async def check_correction(
    services: ServiceClient, application_id: str, body: FormBody, *, version: str | None
) -> ServiceResponse[CheckedStepAnswer]:
    """確認 before 訂正: what it changes, and where the approval starts again (D94, D122)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/correction/check", body, version=version
    )


async def withdraw_application(
    services: ServiceClient, application_id: str, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """取下げ by the originator, for good (D123)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/withdrawal", version=version
    )


async def take_over_application(
    services: ServiceClient, application_id: str, body: TakeOverBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """引継ぎ: headquarters names a new originator (T22, A-22)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/take-over", body, version=version
    )


async def edit_dealer_note(
    services: ServiceClient, application_id: str, body: DealerNoteBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """貴社連絡欄 by the HQ approver (D115, T21)."""
    return await services.send(
        "returns", "PUT", f"/applications/{application_id}/dealer-note", body, version=version
    )


async def accept_application(
    services: ServiceClient, application_id: str, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """受付 by TFC (T12)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/acceptance", version=version
    )


async def hold_application(
    services: ServiceClient, application_id: str, body: ReasonBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """保留 by TFC (T13)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/hold", body, version=version
    )


async def release_application(
    services: ServiceClient, application_id: str, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """保留解除 by TFC (T14)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/release", version=version
    )


async def start_contact(
    services: ServiceClient, application_id: str, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """TFC begins to write 連絡事項 (T15)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/contact-entry", version=version
    )


async def finish_contact(
    services: ServiceClient, application_id: str, body: MessageBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """TFC has written 連絡事項 (T16)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/contact", body, version=version
    )


async def remand_by_tfc(
    services: ServiceClient, application_id: str, body: ReasonBody, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """差戻し by TFC, with its reason (T17)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/tfc-remand", body, version=version
    )


async def complete_application(
    services: ServiceClient, application_id: str, *, version: str | None
) -> ServiceResponse[StepAnswer]:
    """完了 by TFC (T18)."""
    return await services.send(
        "returns", "POST", f"/applications/{application_id}/completion", version=version
    )


async def approve_applications(
    services: ServiceClient, body: BulkBody
) -> ServiceResponse[BulkAnswer]:
    """Approve each item by itself; one that is refused leaves the others as they are."""
    return await services.send("returns", "POST", "/bulk-approval", body)


async def get_approval_flow(services: ServiceClient) -> ServiceResponse[FlowAnswer]:
    """承認フロー設定 of the own dealer (D153)."""
    return await services.get("returns", "/approval-flow")


async def put_approval_flow(
    services: ServiceClient, body: FlowBody, *, version: str | None
) -> ServiceResponse[FlowAnswer]:
    """Change it; applications in flight stay on their route (A-31)."""
    return await services.send("returns", "PUT", "/approval-flow", body, version=version)


async def check_flow(
    services: ServiceClient, body: FlowBody, *, version: str | None
) -> ServiceResponse[FlowBody]:
    """確認: the setting as it would be kept, or all its errors; nothing is changed (D94, D153)."""
    return await services.send("returns", "POST", "/approval-flow/check", body, version=version)


async def list_substitutes(services: ServiceClient) -> ServiceResponse[SubstitutesAnswer]:
    """The substitutions of today and later: a manager's own, for headquarters the dealer's."""
    return await services.get("returns", "/substitutes")


async def add_substitute(
    services: ServiceClient, body: SubstituteBody
) -> ServiceResponse[SubstituteAnswer]:
    """Name a substitute for oneself; headquarters also for another approver."""
    return await services.send("returns", "POST", "/substitutes", body)


async def check_substitute(
    services: ServiceClient, body: SubstituteBody
) -> ServiceResponse[SubstitutionAnswer]:
    """確認: the substitution with its names, or all its errors; nothing is changed (D94)."""
    return await services.send("returns", "POST", "/substitutes/check", body)


async def put_substitute(
    services: ServiceClient, substitute_no: int, body: SubstituteBody, *, version: str | None
) -> ServiceResponse[SubstituteAnswer]:
    """Name another substitute or other days."""
    return await services.send(
        "returns", "PUT", f"/substitutes/{substitute_no}", body, version=version
    )


async def remove_substitute(
    services: ServiceClient, substitute_no: int, *, version: str | None
) -> ServiceResponse[None]:
    """Take a substitution back."""
    return await services.send(
        "returns", "DELETE", f"/substitutes/{substitute_no}", version=version
    )


async def print_entry(services: ServiceClient, application_id: str) -> StreamingResponse:
    """The entry of an application as PDF."""
    return await services.stream("returns", f"/applications/{application_id}/print.pdf")


async def count_work(services: ServiceClient) -> ServiceResponse[Work]:
    """How much waits for this person, with the newest remands and their reasons."""
    return await services.get("returns", "/work")
