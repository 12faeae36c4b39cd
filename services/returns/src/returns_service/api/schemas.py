"""Response schemas: rows, applications and forms as JSON; labels are Japanese."""

from datetime import date, datetime

from pydantic import BaseModel

from returns_service.api.request_bodies import FlowBody
from returns_service.rules.return_status import Status
from shared.errors import Fact


class Coded(BaseModel):
    """A stable code with its words on the screen."""

    code: str
    label: str


class StatusAnswer(Coded):
    """A status with all that a list shows of it; `acts` is the role that must act (手続者)."""

    group: Coded
    tab: Coded
    guidance: str
    colour: str
    acts: Coded | None


class OfferAnswer(BaseModel):
    """An action as the screen offers it: enabled, or with the reason why not."""

    action: str
    enabled: bool
    reason_code: str | None = None
    reason: str | None = None


class ChangeAnswer(BaseModel):
    """One field that was changed; the labels say its values as the screen does, blank for none."""

    field: str
    label: str
    before: str | bool | None
    after: str | bool | None
    before_label: str
    after_label: str


class HistoryAnswer(BaseModel):
    """Who did what, when, from where to where, in which version, for whom."""

    at: datetime
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
    facts: dict[str, Fact]


class EntryAnswer(BaseModel):
    """What was entered (入力内容)."""

    contact_1: str | None
    contact_2: str | None
    contact_3: str | None
    completion_mail: bool
    kind: Coded
    received_on: date | None
    unreturned_reason: Coded | None


class ContractAnswer(BaseModel):
    """②契約者情報, to be read only."""

    contract_no: str
    customer_name: str
    product: Coded
    final_on: date
    vehicle_model: str
    registration_no: str
    store: Coded
    staff: Coded | None
    selection: Coded | None


class DealerAnswer(BaseModel):
    """①貴社情報, to be read only."""

    dealer_id: str
    dealer_name: str | None
    store: Coded
    person_id: str
    person_name: str
    role: Coded


class RouteStepAnswer(BaseModel):
    """One station of the frozen route; `present`: the application lies here now."""

    holder: str
    label: str
    present: bool
    approved_by: str | None = None
    approved_at: datetime | None = None
    on_behalf_of: str | None = None
    on_behalf_of_name: str | None = None


class MessageAnswer(BaseModel):
    """A message of TFC to the dealer (連絡事項)."""

    at: datetime
    message: str


class RowAnswer(BaseModel):
    """One row of 進捗一覧; `waits_for_me`: it stands on the reader's own work list.

    `departed`: somebody has left, and headquarters must hand the application on.
    Only a row of the kind VEHICLE_RETURN can be opened.
    """

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
    requested_at: datetime | None
    entered_at: datetime
    updated_at: datetime
    version: int
    waits_for_me: bool
    departed: Coded | None


class PageAnswer(BaseModel):
    """A page of rows; `next_cursor` asks for the following one."""

    items: list[RowAnswer]
    next_cursor: str | None = None


class WorkRowAnswer(RowAnswer):
    """One row of the own work list; `approvable`: it waits for an approval, not a correction."""

    approvable: bool


class WorkListAnswer(BaseModel):
    """The own work list (D108); `approver`: the reader approves at all, if only for another.

    `next_cursor` is always None: it is one page, and the same shape as other lists.
    """

    items: list[WorkRowAnswer]
    next_cursor: str | None = None
    approver: bool


class CountsAnswer(BaseModel):
    """Numbers of visible applications per display group and per status, whatever the filter."""

    groups: list["GroupCount"]
    statuses: dict[str, int]
    total: int


class GroupCount(Coded):
    """One display group with its tab and number."""

    tab: str
    guidance: str
    count: int


class RemandAnswer(BaseModel):
    """The last remand: from which level to which, by whom and when, with its comment.

    Where the person passed a remand on without a comment, it is the one that they had received.
    """

    from_level: str
    to_level: str
    remanded_by: str
    remanded_at: datetime
    comment: str | None


class ApplicationAnswer(BaseModel):
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
    submitted_at: datetime
    requested_at: datetime | None
    entered_at: datetime
    updated_at: datetime
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


class ReportedCarAnswer(BaseModel):
    """What the dealer's own system reported of the car."""

    received_on: date
    place: str | None
    odometer_km: int | None


class FormAnswer(BaseModel):
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
    received_on: date | None
    received_on_latest: date
    reported_car: ReportedCarAnswer | None
    contact_3_required: bool
    next_status: Coded


class ConsequenceAnswer(BaseModel):
    """What follows a step: who receives the application, and whether a mail goes out."""

    receiver: str | None
    mail: bool
    message: str


class CheckedAnswer(BaseModel):
    """A form that may be sent: notices, the status it would get, the entry as it would be kept.

    `doubts` are questions about what is allowed and probably a slip.
    """

    notices: list[Coded]
    next_status: Coded
    doubts: list[str]
    entry: EntryAnswer
    consequence: ConsequenceAnswer


class CheckedStepAnswer(BaseModel):
    """A step that may be taken: as CheckedAnswer, and what it changes of the entry."""

    next_status: Coded
    changes: list[ChangeAnswer]
    doubts: list[str]
    entry: EntryAnswer
    consequence: ConsequenceAnswer


class StepAnswer(BaseModel):
    """After a step. `mail_will_be_sent` is set after a remand only (D120)."""

    application_id: str
    version: int
    status_version: int
    status: StatusAnswer
    notices: list[Coded]
    mail_will_be_sent: bool | None = None


class FlowAnswer(FlowBody):
    """The setting with its version; version 0: never set, nothing needs an approval."""

    version: int
    updated_at: datetime | None
    updated_by: str | None


class SubstitutionAnswer(BaseModel):
    """Who approves in whose place, and when, with the names."""

    approver_id: str
    approver_name: str
    substitute_id: str
    substitute_name: str
    from_on: date
    to_on: date


class SubstituteAnswer(SubstitutionAnswer):
    """A substitution as kept, and who of the two has left since (D157)."""

    substitute_no: int
    version: int
    approver_left: bool
    substitute_left: bool


class SubstitutesAnswer(BaseModel):
    """The substitutions of today and later."""

    items: list[SubstituteAnswer]


class PersonAnswer(BaseModel):
    """A person with their address; None where none is known. `left`: no mail goes to them."""

    person_id: str | None
    role: str
    mail: str | None
    left: bool = False


class RecipientsAnswer(BaseModel):
    """All that decides who gets a mail about an application, as of now."""

    application_id: str
    dealer_id: str
    dealer_name: str | None
    store_name: str | None
    originator_name: str
    submitted_at: datetime
    contract_no: str
    separate_procedure: bool
    status: Status
    status_japanese: str
    status_version: int
    completion_mail: bool
    originator: PersonAnswer
    store_approver: PersonAnswer | None
    store_approver_notice: bool
    store_approver_mails: list[str]
    hq_approver_mails: list[str]
    round_approvers: list[PersonAnswer]
    last_remand: RemandAnswer | None


class BulkResult(BaseModel):
    """Result of one item; `code` and `message` say why it was not approved.

    Whose it is stays None where the person does not see the application.
    """

    application_id: str
    contract_no: str | None = None
    customer_name: str | None = None
    approved: bool
    version: int | None = None
    status: Status | None = None
    status_label: str | None = None
    code: str | None = None
    message: str | None = None
    facts: dict[str, Fact] = {}


class BulkAnswer(BaseModel):
    """A result per item, in the order asked."""

    results: list[BulkResult]
    approved: int
