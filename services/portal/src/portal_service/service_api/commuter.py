"""HTTP API of commuter, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict
from starlette.responses import StreamingResponse
from portal_service.api_client import QueryValue, ServiceClient, ServiceResponse
from portal_service.service_api.operations import Work


class AccountAnswer(TypedDict):
    """An account, of one kind of slip where it is a debit."""

    kind: str
    japanese: str
    account: str
    sub_account: str
    taxed: bool


class AccountBody(TypedDict):
    """An account: its name, or its code at 勘定奉行."""

    account: NotRequired[str]
    sub_account: NotRequired[str]
    taxed: NotRequired[bool]


class AccountLine(TypedDict):
    """An employee and their account, its number masked."""

    employee_id: str
    employee_number: str
    name: str
    version: int
    account: str | None
    holder: str | None


class AccountingAnswer(TypedDict):
    """会計連携の設定."""

    version: int
    target: Literal["yayoi", "freee", "moneyforward", "obc"]
    debits: list[AccountAnswer]
    credit: AccountAnswer
    tax_words: list[TaxWord]
    departments: list[Department]
    targets: list[TargetAnswer]


class AccountingBody(TypedDict):
    """The accounts by kind of slip, the credit side, words of tax, departments by store."""

    target: str
    debits: dict[str, AccountBody]
    credit: AccountBody
    tax_words: dict[str, str]
    departments: NotRequired[dict[str, object]]


class Accounts(TypedDict):
    """The people of the company."""

    items: list[AccountLine]


class AllowanceLine(TypedDict):
    """What a person is paid in the month."""

    pass_yen: int
    car_yen: int
    free_yen: int
    taxable_yen: int
    employee_id: str
    number: str
    name: str
    payments: list[AllowancePayment]


class AllowancePayment(TypedDict):
    """One payment: for what, and its parts."""

    words: str
    yen: int
    free_yen: int
    taxable_yen: int


class AllowanceSums(TypedDict):
    """Sums of a person or of everybody."""

    pass_yen: int
    car_yen: int
    free_yen: int
    taxable_yen: int


class ApproverAnswer(TypedDict):
    """A place of the approval chain; `approved_on` since the last submission."""

    employee_id: str
    name: str
    state: Literal["done", "present", "to_come"]
    approved_on: str | None


class BankAccountBody(TypedDict):
    """An account as it was typed; the holder in kana of any width."""

    bank_code: NotRequired[str]
    branch_code: NotRequired[str]
    account_type: NotRequired[str]
    number: NotRequired[str]
    holder: NotRequired[str]


class CancelExportBody(TypedDict):
    """Why an export is taken back."""

    reason: NotRequired[str]


class CancelReceiptBody(TypedDict):
    """Why a receipt is taken out."""

    reason: NotRequired[str]


class CancelTransferBody(TypedDict):
    """Why a transfer is taken back."""

    reason: NotRequired[str]


class CandidatePrice(TypedDict):
    """One way to pay a run, and the passes it rides on."""

    kind: Literal["through", "outside"]
    yen: int
    parts: list[PaidPart]
    pass_ids: list[str]
    wins: bool


class CandidateRoute(TypedDict):
    """A route that one may decide; `told_yen` is what another source says."""

    route: str
    route_words: list[str]
    through_yen: int
    charged_yen: int
    deduction_yen: int
    why: str
    notices: list[Notice]
    explanation: Explanation
    minutes: int
    changes: int
    trains: list[TrainLeg]
    labels: list[Literal["fastest", "cheapest", "easiest"]]
    itinerary: list[ItineraryLeg]
    told_yen: int | None


class Candidates(TypedDict):
    """The candidate routes of a day."""

    on: str
    items: list[CandidateRoute]
    notices: list[Notice]


class CarAnswer(TypedDict):
    """Somebody who comes by car or bicycle."""

    car_id: str
    version: int
    employee_id: str
    name: str
    first_month: str
    last_month: str | None
    km10: int
    monthly_yen: int


class CarBody(TypedDict):
    """By car or bicycle: months, one-way distance in tenths of a kilometre, yen a month."""

    first_month: str
    last_month: NotRequired[str | None]
    km10: int
    monthly_yen: int


class Cars(TypedDict):
    """All of them."""

    items: list[CarAnswer]


class ChargeBody(TypedDict):
    """特急料金 and the like, one way."""

    kind: str
    yen: int


class CheckedPass(TypedDict):
    """A pass that is not kept yet, and what it would meet."""

    overlaps: list[Overlap]
    gaps: list[Gap]
    route: str
    route_words: list[str]
    section: str
    period: str
    guaranteed: bool
    notices: list[str]


class ChosenTrainBody(TypedDict):
    """A train of the chosen candidate: its name, the station where it is left, its minutes."""

    name: str
    end: str
    minutes: int


class ClaimFinding(TypedDict):
    """A fault of one item, with a sentence."""

    item_id: str
    fault: Literal["SAME_TRIP_TWICE", "ROUNDABOUT", "TYPED_ON_PASS"]
    words: str


class ClaimLine(TypedDict):
    """What an employee is to get; without `account` it waits."""

    employee_id: str
    name: str
    slips: int
    yen: int
    account: str | None


class CommentBody(TypedDict):
    """What is said with a step."""

    comment: NotRequired[str]


class CompanyAnswer(TypedDict):
    """システム設定 with its version."""

    version: int
    applications_allowed: bool
    retention_days: int
    admin_mail: str | None
    bus_policy: Literal["rail_only", "none"]
    warning_blocks: bool
    amount_change_allowed: bool
    approvers: list[str]
    media: Literal["both", "ic", "ticket"]
    without_pass_allowed: bool
    roundabout_blocks: bool
    yen_per_minute: int
    yen_per_change: int
    delegate_entry: bool
    ending_notice_days: int
    retention_choices: list[int]


class CompanyBody(TypedDict):
    """システム設定 > 基本情報."""

    applications_allowed: bool
    retention_days: int
    admin_mail: NotRequired[str | None]
    bus_policy: NotRequired[str]
    warning_blocks: NotRequired[bool]
    amount_change_allowed: NotRequired[bool]
    approvers: NotRequired[Sequence[str]]
    media: NotRequired[str]
    without_pass_allowed: NotRequired[bool]
    roundabout_blocks: NotRequired[bool]
    yen_per_minute: NotRequired[int]
    yen_per_change: NotRequired[int]
    delegate_entry: NotRequired[bool]
    ending_notice_days: NotRequired[int]


class ConfirmBody(TypedDict):
    """終了日 may be set while confirming (R9)."""

    ends_on: NotRequired[str | None]


class CoveredEdge(TypedDict):
    """A track of the ride that lies on passes."""

    operator: str
    line: str
    from_station: str
    to_station: str
    pass_ids: list[str]


class DecisionBody(TypedDict):
    """決定 of a route; 定期を使わない needs its reason."""

    on: str | None
    route: str
    medium: NotRequired[str]
    round_trip: NotRequired[bool]
    child: NotRequired[bool]
    charges: NotRequired[Sequence[ChargeBody]]
    employee_id: NotRequired[None]
    without_pass_reason: NotRequired[str | None]
    trains: NotRequired[Sequence[ChosenTrainBody]]
    minutes: NotRequired[int | None]
    labels: NotRequired[Sequence[str]]


class DeductedPass(TypedDict):
    """A pass that meets the ride of an item, and what became of it."""

    section: str
    period: str
    why: str
    guaranteed: bool


class Deductions(TypedDict):
    """The rides in the order given."""

    items: list[PricedRide | NotPriced]


class Department(TypedDict):
    """The department of a store."""

    store_code: str
    department: str


class DeskSlips(TypedDict):
    """A page of slips; count and total are of the whole filter, `next` leads on."""

    count: int
    total_yen: int
    items: list[SlipLine]
    next: str | None
    as_of: str
    tabs: list[DeskTab]


class DeskTab(TypedDict):
    """A tab with what it holds under the filter."""

    count: int
    total_yen: int
    status: Literal["draft", "pending", "remanded", "withdrawn", "approved", "rejected", "settled"]
    status_japanese: str


class Difference(TypedDict):
    """An item that costs something else now; without `now_yen` it cannot be priced any more."""

    slip_id: str
    item_id: str
    employee_id: str
    employee_name: str
    item_on: str | None
    route: str | None
    route_words: list[str]
    before_yen: int
    now_yen: int | None
    difference_yen: int
    why: str


class DiscountExplanation(TypedDict):
    """Two operators charged together on the cheapest combined ride."""

    operators: list[str]
    through_yen: int
    charged_yen: int
    discount_yen: int


class DraftPass(TypedDict):
    """A pass that is not kept yet; without an employee, an own one."""

    route: NotRequired[str]
    starts_on: NotRequired[str | None]
    ends_on: NotRequired[str | None]
    one_month_yen: NotRequired[int | None]
    three_months_yen: NotRequired[int | None]
    six_months_yen: NotRequired[int | None]
    paid_every: NotRequired[int | None]
    priced_from: NotRequired[str | None]
    employee_id: NotRequired[str]


class EmployeeLine(TypedDict):
    """A person of the company."""

    employee_id: str
    name: str
    store_code: str | None


class EmployeeWithPasses(TypedDict):
    """An employee with all their passes, or none."""

    employee_id: str
    number: str
    name: str
    name_kana: str | None
    store_code: str | None
    passes: list[PassAnswer]


class Employees(TypedDict):
    """The company's people."""

    items: list[EmployeeLine]


class EmployeesWithPasses(TypedDict):
    """A page of employees by reading; `next` leads to the following one, `count` counts all."""

    items: list[EmployeeWithPasses]
    next: str | None
    count: int


class EndBody(TypedDict):
    """The last day."""

    ends_on: str | None


class Explanation(TypedDict):
    """A priced ride. Totals are for all trips; runs, discounts and charges are one way."""

    on: str
    medium: str
    child: bool
    trips: int
    route: str
    legs: list[Leg]
    runs: list[RunExplanation]
    discounts: list[DiscountExplanation]
    charges: list[ExtraCharge]
    passes: list[PassExplanation]
    notices: list[Notice]
    through_yen: int
    charged_yen: int
    deduction_yen: int
    why: str
    data_version: str
    trains: list[TrainLeg]


class ExportLine(TypedDict):
    """One export; `changed` slips are no longer what they were in it."""

    export_id: str
    number: int
    target: Literal["yayoi", "freee", "moneyforward", "obc"]
    target_japanese: str
    first: str | None
    last: str | None
    slips: int
    lines: int
    total_yen: int
    made_at: str
    made_by_name: str
    cancelled_at: str | None
    cancelled_by_name: str | None
    reason: str | None
    changed: int


class ExportPeriodBody(TypedDict):
    """The days of settlement to export; open ends take everything."""

    first: NotRequired[str | None]
    last: NotRequired[str | None]


class Exports(TypedDict):
    """The exports, the latest first, and what the next one would take; `more`: older ones."""

    waiting_slips: int
    waiting_yen: int
    target_japanese: str
    items: list[ExportLine]
    more: bool


class ExtraCharge(TypedDict):
    """A charge beside the fare (特急料金, グリーン, バス), never reduced."""

    kind: str
    yen: int


class FareSection(TypedDict):
    """A piece of one fare line under one coverage."""

    line: str
    start: str
    end: str
    coverage: Literal["charged", "on_pass", "separate"]
    yen: int | None


class Favourite(TypedDict):
    """A ride that can be added to a slip on another day."""

    favourite_id: str
    section: str
    route: str
    medium: str
    round_trip: bool


class FavouriteBody(TypedDict):
    """The item whose ride is kept."""

    slip_id: str
    item_id: str


class Favourites(TypedDict):
    """The own ones."""

    items: list[Favourite]


class FieldProblem(TypedDict):
    """The error of one field; `message` is Japanese, to stand beside the field."""

    field: str
    code: str
    message: str


class Findings(TypedDict):
    """Hints about a slip."""

    items: list[ClaimFinding]


class FoundReceiptAnswer(TypedDict):
    """A receipt with what it is found by; `removed`: its item is no longer on the slip."""

    receipt: ReceiptAnswer
    slip_id: str
    employee_name: str
    item_on: str | None
    amount_yen: int | None
    payee: str
    removed: bool


class FoundReceipts(TypedDict):
    """A page of receipts, the latest first; `before`: where the next one begins."""

    items: list[FoundReceiptAnswer]
    before: str | None


class Gap(TypedDict):
    """Days between two passes."""

    starts_on: str | None
    ends_on: str | None
    period: str


class Health(TypedDict):
    """The passes that need care."""

    items: list[TroubledPass]


class IcCardBody(TypedDict):
    """A ride of an IC card."""

    item_on: str | None
    words: str
    amount_yen: int


class IcCardRows(TypedDict):
    """What was read from a card."""

    rows: Sequence[IcCardBody]


class ItemBody(TypedDict):
    """One line; with `item_id` a line that exists."""

    item_id: NotRequired[str | None]
    item_on: NotRequired[str | None]
    purpose: NotRequired[str]
    words: NotRequired[str]
    receipt: NotRequired[bool]
    amount_yen: NotRequired[int | None]
    by_hand: NotRequired[bool]
    look_up: NotRequired[DecisionBody | None]
    cost_kind: NotRequired[str]
    payee: NotRequired[str]
    registration_no: NotRequired[str]
    no_invoice_reason: NotRequired[str]
    no_receipt_reason: NotRequired[str]
    restored_id: NotRequired[str | None]


class ItineraryLeg(TypedDict):
    """A train with its sections, or a walk without any; `minutes` is none where not known."""

    kind: Literal["train", "walk"]
    name: str
    start: str
    end: str
    minutes: int | None
    sections: list[FareSection]


class Journey(TypedDict):
    """The candidate that was decided: minutes to the arrival, changes to another train, …"""

    minutes: int
    changes: int
    labels: list[Literal["fastest", "cheapest", "easiest"]]


class KindOffer(TypedDict):
    """A kind of slip, whether one of it may be begun now, and why not."""

    kind: str
    japanese: str
    uses_look_up: bool
    enabled: bool
    reason: str | None


class Leg(TypedDict):
    """One section of the ride along one line; km10 and operator are empty for a bus."""

    operator: str
    line: str
    from_station: str
    to_station: str
    km10: int | None
    stations: list[str]


class MailPreferenceAnswer(TypedDict):
    """All sorts of mails; `address` is where they go, None while it is unknown."""

    version: int
    address: str | None
    mails: list[MailPreferenceLine]


class MailPreferenceBody(TypedDict):
    """The boxes that are ticked."""

    wanted: Sequence[str]


class MailPreferenceLine(TypedDict):
    """One sort of mail, and whether the person wants it."""

    key: Literal["approval", "waiting", "remanded", "approved", "settled", "pass_ending"]
    label: str
    for_approvers: bool
    wanted: bool


class ManyBody(TypedDict):
    """The ticked passes of the list."""

    passes: Sequence[OneOfMany]


class Me(TypedDict):
    """The signed-in person, and what waits for them."""

    employee_id: str
    name: str
    rights: OwnRights
    applications_allowed: bool
    delegate_entry: bool
    blocked_by_unconfirmed_pass: bool
    slips_to_approve: int


class MonthAnswer(TypedDict):
    """A month with what stands in the way of closing it, and its trail."""

    month: str
    version: int
    closed: bool
    over: bool
    changed_at: str | None
    changed_by_name: str | None
    reason: str | None
    unsubmitted: list[UnsubmittedLine]
    submitted: list[DeskTab]
    trail: list[TrailLine]


class MonthLine(TypedDict):
    """A month: closed or open, since when and by whom."""

    month: str
    version: int
    closed: bool
    over: bool
    changed_at: str | None
    changed_by_name: str | None
    reason: str | None


class MonthlyAllowances(TypedDict):
    """The list of a month; `left`: people who have left and whose pass or car goes on."""

    month: str
    public_limit_yen: int
    bands: list[TaxBand]
    total: AllowanceSums
    items: list[AllowanceLine]
    left: list[str]


class Months(TypedDict):
    """The present month and those before, the latest first."""

    items: list[MonthLine]


class MyPasses(TypedDict):
    """The own passes, and whether one may apply for another."""

    items: list[OwnPass]
    apply: Offer


class NewCarBody(TypedDict):
    """The same for an employee."""

    first_month: str
    last_month: NotRequired[str | None]
    km10: int
    monthly_yen: int
    employee_id: str


class NewSlipBody(TypedDict):
    """The same with the kind, which never changes; `employee_id`: for whom (R97)."""

    title: NotRequired[str]
    purpose: NotRequired[str]
    trip_from: NotRequired[str | None]
    trip_to: NotRequired[str | None]
    items: NotRequired[Sequence[ItemBody]]
    automatic: NotRequired[bool]
    kind: str
    employee_id: NotRequired[str | None]


class NotPriced(TypedDict):
    """A ride that cannot be priced, and why."""

    problem: Problem


class Notice(TypedDict):
    """Something the reader should know: a stable code and a sentence."""

    code: str
    message: str


class Offer(TypedDict):
    """Whether something may be done, and why not."""

    enabled: bool
    reason: str | None


class OfferBody(TypedDict):
    """A pass as it is sold: by its route, or over the usual way between stations."""

    route: NotRequired[str | None]
    start: NotRequired[str | None]
    end: NotRequired[str | None]
    via: NotRequired[Sequence[str]]
    months: int
    yen: int


class OneOfMany(TypedDict):
    """One pass of several to confirm, as it was seen."""

    ends_on: NotRequired[str | None]
    pass_id: str
    version: int


class Overlap(TypedDict):
    """A pass of the same person that is valid on the same days, with the end that is proposed."""

    pass_id: str
    version: int
    section: str
    period: str
    proposed_end: str | None


class OwnAccountAnswer(TypedDict):
    """The own account, its number masked; `enabled`: whether the company pays by transfer."""

    enabled: bool
    version: int
    account: str | None
    holder: str | None


class OwnPass(TypedDict):
    """An own pass; an application comes with the passes that it overlaps (R8)."""

    number: int
    route: str
    section: str
    route_words: list[str]
    starts_on: str | None
    ends_on: str | None
    period: str
    guaranteed: bool
    one_month_yen: int | None
    three_months_yen: int | None
    six_months_yen: int | None
    paid_every: int | None
    priced_from: str | None
    pass_id: str
    employee_id: str
    employee_name: str
    version: int
    status: str
    status_japanese: str
    applied_on: str | None
    reason: str | None
    in_force: PassContent | None
    notices: list[str]
    unreadable: str
    overlaps: list[Overlap]


class OwnRights(TypedDict):
    """What a person may do."""

    pass_master: bool
    edit_at_approval: bool
    edit_after_approval: bool
    accounting: bool
    approver: bool


class OwnSlips(TypedDict):
    """The own slips, and the kinds that may be begun."""

    items: list[SlipLine]
    kinds: list[KindOffer]


class PaidPart(TypedDict):
    """A part of a run with its tariff fare."""

    from_station: str
    to_station: str
    yen: int
    tariff: TariffRef


class PassActions(TypedDict):
    """What this person could do now with a pass."""

    confirm: bool
    reject: bool
    edit: bool
    apply: bool
    withdraw: bool


class PassAnswer(TypedDict):
    """A pass with its state; `in_force` is the version that deducts while another one waits."""

    number: int
    route: str
    section: str
    route_words: list[str]
    starts_on: str | None
    ends_on: str | None
    period: str
    guaranteed: bool
    one_month_yen: int | None
    three_months_yen: int | None
    six_months_yen: int | None
    paid_every: int | None
    priced_from: str | None
    pass_id: str
    employee_id: str
    employee_name: str
    version: int
    status: str
    status_japanese: str
    applied_on: str | None
    reason: str | None
    in_force: PassContent | None
    notices: list[str]
    unreadable: str


class PassBody(TypedDict):
    """A pass: the route as the look-up decided it, its validity (R4), and its prices (R110)."""

    route: NotRequired[str]
    starts_on: NotRequired[str | None]
    ends_on: NotRequired[str | None]
    one_month_yen: NotRequired[int | None]
    three_months_yen: NotRequired[int | None]
    six_months_yen: NotRequired[int | None]
    paid_every: NotRequired[int | None]
    priced_from: NotRequired[str | None]


class PassContent(TypedDict):
    """One version of a pass; `section` and `route_words` are read from the route."""

    number: int
    route: str
    section: str
    route_words: list[str]
    starts_on: str | None
    ends_on: str | None
    period: str
    guaranteed: bool
    one_month_yen: int | None
    three_months_yen: int | None
    six_months_yen: int | None
    paid_every: int | None
    priced_from: str | None


class PassDetail(TypedDict):
    """閲覧: a pass with what it meets, its prices by day, its trail, and what may be done."""

    overlaps: list[Overlap]
    gaps: list[Gap]
    number: int
    route: str
    section: str
    route_words: list[str]
    starts_on: str | None
    ends_on: str | None
    period: str
    guaranteed: bool
    one_month_yen: int | None
    three_months_yen: int | None
    six_months_yen: int | None
    paid_every: int | None
    priced_from: str | None
    pass_id: str
    employee_id: str
    employee_name: str
    version: int
    status: str
    status_japanese: str
    applied_on: str | None
    reason: str | None
    in_force: PassContent | None
    notices: list[str]
    unreadable: str
    prices: list[PriceLine]
    trail: list[TrailLine]
    actions: PassActions


class PassExplanation(TypedDict):
    """A pass that was offered for the deduction, in the order given."""

    pass_id: str
    version: int
    route: str
    period: str
    use: Literal[
        "USED", "NOT_CHEAPER", "NOT_ON_ROUTE", "NOT_VALID_ON_DAY", "BUS_EXCLUDED", "STATION_CLOSED"
    ]
    why: str
    guaranteed: bool


class Passes(TypedDict):
    """Passes, by employee."""

    items: list[PassAnswer]


class PayerAnswer(TypedDict):
    """The company's side; its own account is shown whole to accounting."""

    version: int
    enabled: bool
    client_code: str
    client: str
    bank_code: str
    bank: str
    branch_code: str
    branch: str
    account_type: str
    number: str


class PayerBody(TypedDict):
    """The company's side; empty while transfers are switched off."""

    enabled: bool
    client_code: NotRequired[str]
    client: NotRequired[str]
    bank_code: NotRequired[str]
    bank: NotRequired[str]
    branch_code: NotRequired[str]
    branch: NotRequired[str]
    account_type: NotRequired[str]
    number: NotRequired[str]


class PeriodBody(TypedDict):
    """A period, both days inclusive, of one employee or of all."""

    first: str | None
    last: str | None
    employee_id: NotRequired[str | None]


class PossibleApprover(TypedDict):
    """Somebody who could approve instead."""

    employee_id: str
    name: str


class PriceLine(TypedDict):
    """Prices of a pass that count from a day on."""

    from_on: str
    one_month_yen: int | None
    three_months_yen: int | None
    six_months_yen: int | None
    paid_every: int | None
    made_at: str
    made_by_name: str


class PricedRide(TypedDict):
    """A priced ride: its figures, and the whole explanation."""

    route: str
    route_words: list[str]
    through_yen: int
    charged_yen: int
    deduction_yen: int
    why: str
    notices: list[Notice]
    explanation: Explanation


class Problem(TypedDict):
    """Why a request was refused: `code` is for programs, `title` for people."""

    type: str
    title: str
    status: int
    code: str
    errors: list[FieldProblem]
    facts: dict[str, bool | int | str | list[str] | None]
    documentation: str


class ReasonBody(TypedDict):
    """Why."""

    reason: NotRequired[str]


class ReceiptAnswer(TypedDict):
    """A receipt, its newest version last."""

    receipt_id: str
    versions: list[ReceiptVersionAnswer]
    cancelled_at: str | None
    cancelled_by_name: str | None
    reason: str | None


class ReceiptVersionAnswer(TypedDict):
    """A file; `shown` where browsers show it as a picture."""

    number: int
    file_name: str
    media_type: str
    size: int
    sha256: str
    stored_at: str
    stored_by_name: str
    shown: bool


class RecheckAnswer(TypedDict):
    """How many items were priced again, and those that differ."""

    checked: int
    total_difference_yen: int
    items: list[Difference]


class RefundAnswer(TypedDict):
    """The estimate; `refund_yen` None: not known. `words` says how it was worked out."""

    case: Literal[
        "NOT_BEGUN",
        "USED",
        "NO_MONTH_LEFT",
        "NOTHING_LEFT",
        "PRICES_MISSING",
        "OPERATOR_UNKNOWN",
        "SEVERAL_OPERATORS",
    ]
    refund_yen: int | None
    words: str
    operators: list[str]
    months: int
    bought_on: str
    valid_until: str
    ended_on: str
    used_months: int
    used_yen: int
    fee_yen: int
    first_days: bool


class Registration(TypedDict):
    """The same for an employee."""

    route: NotRequired[str]
    starts_on: NotRequired[str | None]
    ends_on: NotRequired[str | None]
    one_month_yen: NotRequired[int | None]
    three_months_yen: NotRequired[int | None]
    six_months_yen: NotRequired[int | None]
    paid_every: NotRequired[int | None]
    priced_from: NotRequired[str | None]
    employee_id: str


class ReopenBody(TypedDict):
    """Why the month is reopened."""

    reason: NotRequired[str]


class Requested(TypedDict):
    """How many employees were asked to submit."""

    employees: int


class RiddenEdge(TypedDict):
    """A track of the ride in riding order; charged, or ridden on a pass."""

    from_station: str
    to_station: str
    charged: bool


class RideBody(TypedDict):
    """A ride with its route given; `employee_id` of somebody else is for accounting only."""

    on: str | None
    route: str
    medium: NotRequired[str]
    round_trip: NotRequired[bool]
    child: NotRequired[bool]
    charges: NotRequired[Sequence[ChargeBody]]
    employee_id: NotRequired[str | None]


class RidesBody(TypedDict):
    """Rides to price."""

    rides: Sequence[RideBody]


class RightsAnswer(TypedDict):
    """What is ticked for one employee, with its version."""

    employee_id: str
    version: int
    pass_master: bool
    edit_at_approval: bool
    edit_after_approval: bool
    mail: str | None


class RightsBody(TypedDict):
    """The boxes of 権限マスタ for one employee."""

    pass_master: NotRequired[bool]
    edit_at_approval: NotRequired[bool]
    edit_after_approval: NotRequired[bool]
    mail: NotRequired[str | None]


class RightsLine(TypedDict):
    """The same with the name."""

    employee_id: str
    version: int
    pass_master: bool
    edit_at_approval: bool
    edit_after_approval: bool
    mail: str | None
    name: str


class RightsList(TypedDict):
    """権限マスタ."""

    items: list[RightsLine]


class RouteSearchBody(TypedDict):
    """What is typed into 乗換案内; without `for_pass` the own passes are deducted."""

    start: str
    end: str
    on: str | None
    via: NotRequired[Sequence[str]]
    avoid: NotRequired[Sequence[str]]
    medium: NotRequired[str]
    child: NotRequired[bool]
    round_trip: NotRequired[bool]
    charges: NotRequired[Sequence[ChargeBody]]
    order: NotRequired[str]
    for_pass: NotRequired[bool]
    slip_id: NotRequired[str | None]


class RunExplanation(TypedDict):
    """One through fare and what became of it; `edges` are all its tracks in riding order."""

    operator: str
    from_station: str
    to_station: str
    through_yen: int
    charged_yen: int
    deduction_yen: int
    reason: Literal["NO_PASS", "NOT_ON_PASS", "INSIDE_PASS", "OUTSIDE_CHEAPER", "THROUGH_CHEAPER"]
    why: str
    candidates: list[CandidatePrice]
    covered: list[CoveredEdge]
    edges: list[RiddenEdge]


class SeenFilter(TypedDict):
    """All slips of a filter that did not change since the list was read."""

    month: NotRequired[str | None]
    employee_id: NotRequired[str | None]
    store_code: NotRequired[str | None]
    kind: NotRequired[str | None]
    from_yen: NotRequired[int | None]
    to_yen: NotRequired[int | None]
    text: NotRequired[str]
    as_of: str


class SeenSlip(TypedDict):
    """A slip as it was seen."""

    slip_id: str
    version: int


class SettlementAnswer(TypedDict):
    """What became of one slip, by person and title; `code` and `message` where it was refused."""

    slip_id: str
    employee_name: str
    title: str
    total_yen: int
    settled: bool
    code: str | None
    message: str | None


class Settlements(TypedDict):
    """The result per slip; `left` of the filter wait for another go."""

    results: list[SettlementAnswer]
    settled: int
    settled_yen: int
    left: int


class SettlementsBody(TypedDict):
    """Ticked slips, or all 精算待ち of a filter."""

    slips: NotRequired[Sequence[SeenSlip]]
    all_of: NotRequired[SeenFilter | None]


class SimulatedRoute(TypedDict):
    """A way to work."""

    route: str
    route_words: list[str]
    trains: list[TrainLeg]
    through_yen: int
    minutes: int


class Simulation(TypedDict):
    """The offers beside each other; `best` is the route of the cheapest one that saves."""

    daily_yen: int
    fares_yen: int
    candidates: list[SimulatedRoute]
    offers: list[WeighedOffer]
    best: str | None
    notices: list[Notice]


class SimulationBody(TypedDict):
    """Home, office, and how often."""

    start: str
    end: str
    on: str | None
    days_per_month: int
    medium: NotRequired[str]
    offers: NotRequired[Sequence[OfferBody]]


class SlipAction(TypedDict):
    """A step with whether it is possible now, and why not."""

    action: Literal[
        "edit",
        "delete",
        "submit",
        "withdraw",
        "approve",
        "remand",
        "reject",
        "settle",
        "unsettle",
        "copy",
    ]
    label: str
    enabled: bool
    reason: str | None


class SlipAnswer(TypedDict):
    """A whole slip; `passes` are those of its owner that are in force or waiting."""

    slip_id: str
    version: int
    employee_id: str
    employee_name: str
    kind: str
    kind_japanese: str
    title: str
    status: str
    status_japanese: str
    updated_at: str
    submitted_at: str | None
    copied_from: str | None
    entered_by_name: str | None
    submitted_on: str | None
    employee_number: str
    store_code: str | None
    department: str | None
    purpose: str
    trip_from: str | None
    trip_to: str | None
    uses_look_up: bool
    media: list[Literal["ic", "ticket"]]
    blocked: str | None
    closed_months: list[str]
    items: list[SlipItemAnswer]
    total_yen: int
    through_total_yen: int
    receipts_yen: int
    chain: list[ApproverAnswer]
    actions: list[SlipAction]
    trail: list[TrailLine]
    passes: list[PassAnswer]


class SlipBody(TypedDict):
    """The form of a slip; `automatic` where nobody pressed 一時保存."""

    title: NotRequired[str]
    purpose: NotRequired[str]
    trip_from: NotRequired[str | None]
    trip_to: NotRequired[str | None]
    items: NotRequired[Sequence[ItemBody]]
    automatic: NotRequired[bool]


class SlipItemAnswer(TypedDict):
    """A line of a slip with its warnings as of now, and its ride as people read it."""

    item_id: str
    item_on: str | None
    purpose: str
    source: str
    source_japanese: str
    words: str
    route: str | None
    section: str | None
    route_words: list[str]
    medium: str | None
    round_trip: bool
    amount_yen: int | None
    through_yen: int | None
    deduction_yen: int
    receipt: bool
    searched_on: str | None
    without_pass_reason: str | None
    cost_kind: Literal["public_transport", "taxi", "parking", "flight", "other"]
    payee: str
    registration_no: str
    no_invoice_reason: str
    invoice_basis: Literal["public_transport", "invoice", "no_invoice"] | None
    invoice_needed: bool
    receipt_needed: bool
    no_receipt_reason: str
    receipts: list[ReceiptAnswer]
    warnings: list[Notice]
    explanation: Explanation | None
    itinerary: list[ItineraryLeg]
    journey: Journey | None
    passes: list[DeductedPass]


class SlipLine(TypedDict):
    """A slip in a list: its items, how many of them bear a warning, and who of it has left."""

    slip_id: str
    version: int
    employee_id: str
    employee_name: str
    kind: str
    kind_japanese: str
    title: str
    status: str
    status_japanese: str
    updated_at: str
    submitted_at: str | None
    copied_from: str | None
    entered_by_name: str | None
    items: int
    total_yen: int
    warnings: int
    departed_japanese: str | None


class SlipReceipts(TypedDict):
    """The receipts of one slip after a change, by item."""

    slip_id: str
    version: int
    items: dict[str, list[ReceiptAnswer]]


class Slips(TypedDict):
    """Slips as lists show them."""

    items: list[SlipLine]


class Stations(TypedDict):
    """The stations that begin as typed."""

    items: list[Suggestion]


class SuccessionAnswer(TypedDict):
    """Whether a slip needs a successor, and who could be one."""

    departed: Literal["approver_left", "applicant_left"] | None
    departed_japanese: str | None
    approvers: list[PossibleApprover]


class SuccessionBody(TypedDict):
    """Who approves from now on; without a name where accounting itself goes on."""

    approver_id: NotRequired[str | None]


class Suggestion(TypedDict):
    """A place whose name begins as typed, with its reading and operators."""

    name: str
    spelling: str
    kana: str
    romaji: str
    operators: list[str]


class TargetAnswer(TypedDict):
    """A product, and its own words."""

    target: Literal["yayoi", "freee", "moneyforward", "obc"]
    name: str
    encoding: str
    tax_words: list[TaxWord]


class TariffRef(TypedDict):
    """The table that a fare was read from; `basis` is band, special or joint (two companies)."""

    operator: str
    table: str
    valid_from: str
    valid_to: str | None
    basis: str
    km10: int
    km_up_to: int | None
    surcharge_yen: int


class TaxBand(TypedDict):
    """The limit of a one-way distance by car: `from_km` belongs to it, `to_km` does not."""

    from_km: int
    to_km: int | None
    yen: int


class TaxWord(TypedDict):
    """What the accounting software calls a treatment of tax."""

    treatment: Literal["invoice", "public_transport", "no_invoice", "out_of_scope"]
    word: str


class TrailItem(TypedDict):
    """An item of a slip as the trail keeps it; `passes` are (id, version) of those deducted."""

    item_on: str | None
    what: str | None
    amount_yen: int | None
    deduction_yen: int
    passes: list[list[str | int]]


class TrailLine(TypedDict):
    """Who did what, and what it changed."""

    at: str
    actor: str
    actor_name: str
    action: str
    action_japanese: str
    before: dict[str, bool | int | str | list[str] | list[TrailItem] | None]
    after: dict[str, bool | int | str | list[str] | list[TrailItem] | None]
    said: str | None


class TrainLeg(TypedDict):
    """A train or a walk of the ride; `stops` counts the stops up to the end."""

    kind: Literal["train", "walk"]
    name: str
    operators: list[str]
    start: str
    end: str
    minutes: int
    stops: int


class TransferBody(TypedDict):
    """振込指定日."""

    pay_on: NotRequired[str | None]


class TransferLine(TypedDict):
    """A transfer that was made."""

    transfer_id: str
    number: int
    pay_on: str
    slips: int
    payments: int
    total_yen: int
    made_at: str
    made_by_name: str
    cancelled_at: str | None
    cancelled_by_name: str | None
    reason: str | None


class Transfers(TypedDict):
    """What waits, and the last hundred transfers, the latest first."""

    enabled: bool
    waiting: list[ClaimLine]
    items: list[TransferLine]


TroubledPass = TypedDict(
    "TroubledPass",
    {
        "trouble": "Literal['ROUTE_GONE', 'EXPIRING', 'UNCONFIRMED']",
        "words": "str",
        "pass": "PassAnswer",
    },
)


class UnsubmittedLine(TypedDict):
    """An employee who has not submitted slips of the month."""

    employee_id: str
    employee_name: str
    store_code: str | None
    slips: int


class WeighedOffer(TypedDict):
    """A pass beside paying each ride, and what it would have saved on the last quarter's …"""

    route: str
    route_words: list[str]
    months: int
    yen: int
    monthly_yen: int
    fares_yen: int
    saving_yen: int
    break_even_days: int | None
    past_quarter_saving_yen: int


async def show_me(services: ServiceClient) -> ServiceResponse[Me]:
    """The own rights, and whether an unconfirmed pass blocks the look-up (R22, R27)."""
    return await services.get("commuter", "/me")


async def list_employees(services: ServiceClient) -> ServiceResponse[Employees]:
    """The company's people by reading, for those who administer passes or rights."""
    return await services.get("commuter", "/employees")


async def show_setting(services: ServiceClient) -> ServiceResponse[CompanyAnswer]:
    """What the company decided."""
    return await services.get("commuter", "/settings")


async def change_setting(
    services: ServiceClient, body: CompanyBody, *, version: str | None
) -> ServiceResponse[CompanyAnswer]:
    """Change the settings; invalid fields are named and nothing is stored (R11, R30)."""
    return await services.send("commuter", "PUT", "/settings", body, version=version)


async def list_permissions(services: ServiceClient) -> ServiceResponse[RightsList]:
    """権限マスタ: every employee with what is ticked."""
    return await services.get("commuter", "/permissions")


async def change_permission(
    services: ServiceClient, employee_id: str, body: RightsBody, *, version: str | None
) -> ServiceResponse[RightsAnswer]:
    """Tick or untick."""
    return await services.send(
        "commuter", "PUT", f"/permissions/{employee_id}", body, version=version
    )


async def list_passes(
    services: ServiceClient, *, employee_id: QueryValue = None, status: QueryValue = None
) -> ServiceResponse[Passes]:
    """定期区間マスタ: every pass of the company, or of one employee, or in one state."""
    return await services.get("commuter", "/passes", {"employee_id": employee_id, "status": status})


async def register_pass(
    services: ServiceClient,
    body: Registration | Sequence[Registration],
    *,
    idempotency_key: str | None,
) -> ServiceResponse[PassDetail]:
    """確定 by an administrator, one pass at a time (R1, R2)."""
    return await services.send("commuter", "POST", "/passes", body, idempotency_key=idempotency_key)


async def list_employees_with_passes(
    services: ServiceClient,
    *,
    text: QueryValue = None,
    after: QueryValue = None,
    size: QueryValue = None,
) -> ServiceResponse[EmployeesWithPasses]:
    """定期区間マスタ: the company's employees with their passes, those without one too."""
    return await services.get(
        "commuter", "/passes/employees", {"text": text, "after": after, "size": size}
    )


async def list_my_passes(services: ServiceClient) -> ServiceResponse[MyPasses]:
    """個人設定 > 定期区間: the own passes, and whether one may apply (R19)."""
    return await services.get("commuter", "/my-passes")


async def apply_for_pass(
    services: ServiceClient, body: PassBody | Sequence[PassBody], *, idempotency_key: str | None
) -> ServiceResponse[PassDetail]:
    """申請 of an own pass (R20); the administrators are mailed (R29)."""
    return await services.send(
        "commuter", "POST", "/my-passes", body, idempotency_key=idempotency_key
    )


async def check_health(services: ServiceClient) -> ServiceResponse[Health]:
    """Which passes need care: route gone, ending in 30 days, unconfirmed for a week (R39)."""
    return await services.get("commuter", "/passes/health")


async def check_pass(services: ServiceClient, body: DraftPass) -> ServiceResponse[CheckedPass]:
    """What a pass would meet before it is kept: overlaps, gaps, the bus notice (R8, R10)."""
    return await services.send("commuter", "POST", "/passes/check", body)


async def show_pass(services: ServiceClient, pass_id: str) -> ServiceResponse[PassDetail]:
    """閲覧: a pass with what it meets and its trail; own ones, or all with the permission."""
    return await services.get("commuter", f"/passes/{pass_id}")


async def rewrite_pass(
    services: ServiceClient, pass_id: str, body: PassBody, *, version: str | None
) -> ServiceResponse[PassDetail]:
    """編集 and 確定 by an administrator."""
    return await services.send("commuter", "PUT", f"/passes/{pass_id}", body, version=version)


async def apply_for_pass_again(
    services: ServiceClient, pass_id: str, body: PassBody, *, version: str | None
) -> ServiceResponse[PassDetail]:
    """編集 and 申請 by its holder: unconfirmed again (R24)."""
    return await services.send("commuter", "PUT", f"/my-passes/{pass_id}", body, version=version)


async def confirm_pass(
    services: ServiceClient, pass_id: str, body: ConfirmBody, *, version: str | None
) -> ServiceResponse[PassDetail]:
    """確定 from the view or the editor (R9, R26, R28)."""
    return await services.send(
        "commuter", "POST", f"/passes/{pass_id}/confirmation", body, version=version
    )


async def confirm_passes(services: ServiceClient, body: ManyBody) -> ServiceResponse[Passes]:
    """確定 from the list: all that are ticked, or none (R26, R33)."""
    return await services.send("commuter", "POST", "/passes/confirmations", body)


async def reject_application(
    services: ServiceClient, pass_id: str, body: ReasonBody, *, version: str | None
) -> ServiceResponse[PassDetail]:
    """差戻し of an application, with a reason (R25)."""
    return await services.send(
        "commuter", "POST", f"/passes/{pass_id}/rejection", body, version=version
    )


async def withdraw_application(
    services: ServiceClient, pass_id: str, *, version: str | None
) -> ServiceResponse[PassDetail]:
    """取下げ of the own application (R25)."""
    return await services.send(
        "commuter", "POST", f"/my-passes/{pass_id}/withdrawal", version=version
    )


async def apply_for_pass_end(
    services: ServiceClient, pass_id: str, body: EndBody, *, version: str | None
) -> ServiceResponse[PassDetail]:
    """終了日 of an own pass, as proposed where two overlap; confirmed like any change (R8, R9)."""
    return await services.send(
        "commuter", "POST", f"/my-passes/{pass_id}/end", body, version=version
    )


async def end_pass(
    services: ServiceClient, pass_id: str, body: EndBody, *, version: str | None
) -> ServiceResponse[PassDetail]:
    """終了日 of a pass in force, as proposed where two overlap (R8)."""
    return await services.send("commuter", "POST", f"/passes/{pass_id}/end", body, version=version)


async def show_refund(
    services: ServiceClient,
    pass_id: str,
    *,
    ended_on: QueryValue = None,
    months: QueryValue = None,
    bought_on: QueryValue = None,
) -> ServiceResponse[RefundAnswer]:
    """払戻しの目安 of an own pass, or of any with the permission."""
    return await services.get(
        "commuter",
        f"/passes/{pass_id}/refund",
        {"ended_on": ended_on, "months": months, "bought_on": bought_on},
    )


async def suggest_stations(
    services: ServiceClient, *, prefix: QueryValue = None
) -> ServiceResponse[Stations]:
    """Stations whose name begins so, in kanji, kana or romaji."""
    return await services.get("commuter", "/stations", {"prefix": prefix})


async def look_up_routes(
    services: ServiceClient, body: RouteSearchBody
) -> ServiceResponse[Candidates]:
    """Up to five candidate routes with what is charged after the passes (R37, F22)."""
    return await services.send("commuter", "POST", "/look-ups", body)


async def price_rides(services: ServiceClient, body: RidesBody) -> ServiceResponse[Deductions]:
    """Price rides, each alone: an explanation or a problem, in the order given."""
    return await services.send("commuter", "POST", "/deductions", body)


async def list_slips_of_leavers(services: ServiceClient) -> ServiceResponse[Slips]:
    """The slips that do not move because somebody has left, the latest change first."""
    return await services.get("commuter", "/slips/of-leavers")


async def show_succession(
    services: ServiceClient, slip_id: str
) -> ServiceResponse[SuccessionAnswer]:
    """Who has left, and who could approve instead."""
    return await services.get("commuter", f"/slips/{slip_id}/succession")


async def hand_on(
    services: ServiceClient, slip_id: str, body: SuccessionBody, *, version: str | None
) -> ServiceResponse[SlipAnswer]:
    """Name another approver, or go on for an applicant who has left."""
    return await services.send(
        "commuter", "POST", f"/slips/{slip_id}/succession", body, version=version
    )


async def list_slips(
    services: ServiceClient, *, status: QueryValue = None
) -> ServiceResponse[OwnSlips]:
    """The own slips, or those in one state, and the kinds that may be begun now (R22)."""
    return await services.get("commuter", "/slips", {"status": status})


async def create_slip(
    services: ServiceClient, body: NewSlipBody, *, idempotency_key: str | None
) -> ServiceResponse[SlipAnswer]:
    """The first save (未作成 → 一時保存)."""
    return await services.send("commuter", "POST", "/slips", body, idempotency_key=idempotency_key)


async def list_slips_to_approve(services: ServiceClient) -> ServiceResponse[Slips]:
    """承認: what waits for this person."""
    return await services.get("commuter", "/slips/to-approve")


async def show_slip(services: ServiceClient, slip_id: str) -> ServiceResponse[SlipAnswer]:
    """A slip with its items, their warnings as of now, and its trail."""
    return await services.get("commuter", f"/slips/{slip_id}")


async def save_slip(
    services: ServiceClient, slip_id: str, body: SlipBody, *, version: str | None
) -> ServiceResponse[SlipAnswer]:
    """自動保存, 一時保存, 承認時の修正, 管理者の修正 (R42, R59, R60)."""
    return await services.send("commuter", "PUT", f"/slips/{slip_id}", body, version=version)


async def delete_slip(
    services: ServiceClient, slip_id: str, *, version: str | None
) -> ServiceResponse[None]:
    """削除."""
    return await services.send("commuter", "DELETE", f"/slips/{slip_id}", version=version)


async def decide_item(
    services: ServiceClient, slip_id: str, item_id: str, body: DecisionBody, *, version: str | None
) -> ServiceResponse[SlipAnswer]:
    """決定 of a candidate for one line (R40, R43)."""
    return await services.send(
        "commuter", "POST", f"/slips/{slip_id}/items/{item_id}/look-up", body, version=version
    )


async def import_ic_card(
    services: ServiceClient, slip_id: str, body: IcCardRows, *, version: str | None
) -> ServiceResponse[SlipAnswer]:
    """ICカードオプション: rows as the card was charged (R34)."""
    return await services.send(
        "commuter", "POST", f"/slips/{slip_id}/ic-card-rows", body, version=version
    )


async def copy_slip(
    services: ServiceClient, slip_id: str, *, idempotency_key: str | None
) -> ServiceResponse[SlipAnswer]:
    """伝票コピー (R57)."""
    return await services.send(
        "commuter", "POST", f"/slips/{slip_id}/copies", idempotency_key=idempotency_key
    )


async def move_slip(
    services: ServiceClient, slip_id: str, step: str, body: CommentBody, *, version: str | None
) -> ServiceResponse[SlipAnswer]:
    """申請, 承認, 差戻し, 取下げ, 否認, 精算, 精算の取消."""
    return await services.send(
        "commuter", "POST", f"/slips/{slip_id}/{step}", body, version=version
    )


async def list_slips_of_company(
    services: ServiceClient,
    *,
    month: QueryValue = None,
    employee_id: QueryValue = None,
    store_code: QueryValue = None,
    kind: QueryValue = None,
    from_yen: QueryValue = None,
    to_yen: QueryValue = None,
    text: QueryValue = None,
    status: QueryValue = None,
    after: QueryValue = None,
    size: QueryValue = None,
) -> ServiceResponse[DeskSlips]:
    """What was submitted, by tab and filter, the latest first (R90)."""
    return await services.get(
        "commuter",
        "/slips/of-company",
        {
            "month": month,
            "employee_id": employee_id,
            "store_code": store_code,
            "kind": kind,
            "from_yen": from_yen,
            "to_yen": to_yen,
            "text": text,
            "status": status,
            "after": after,
            "size": size,
        },
    )


async def settle_many(
    services: ServiceClient, body: SettlementsBody, *, idempotency_key: str | None
) -> ServiceResponse[Settlements]:
    """一括精算: each slip by itself; what changed since it was seen is refused or left (R91)."""
    return await services.send(
        "commuter", "POST", "/slips/settlements", body, idempotency_key=idempotency_key
    )


async def list_months(services: ServiceClient) -> ServiceResponse[Months]:
    """The last months."""
    return await services.get("commuter", "/month-closings")


async def show_month(services: ServiceClient, month: str) -> ServiceResponse[MonthAnswer]:
    """A month: who has not submitted, what waits, and what was done."""
    return await services.get("commuter", f"/month-closings/{month}")


async def close_month(
    services: ServiceClient, month: str, *, version: str | None
) -> ServiceResponse[MonthAnswer]:
    """締め (R93)."""
    return await services.send(
        "commuter", "POST", f"/month-closings/{month}/closing", version=version
    )


async def reopen_month(
    services: ServiceClient, month: str, body: ReopenBody, *, version: str | None
) -> ServiceResponse[MonthAnswer]:
    """締めの解除, with a reason (R95)."""
    return await services.send(
        "commuter", "POST", f"/month-closings/{month}/reopening", body, version=version
    )


async def request_submissions(services: ServiceClient, month: str) -> ServiceResponse[Requested]:
    """提出の依頼 to everybody with unsubmitted slips of the month (R96)."""
    return await services.send("commuter", "POST", f"/month-closings/{month}/submission-requests")


async def add_receipt(
    services: ServiceClient,
    slip_id: str,
    item_id: str,
    content: bytes,
    *,
    name: QueryValue = None,
    version: str | None,
) -> ServiceResponse[SlipReceipts]:
    """A new receipt of an item; the same file sent again is the same receipt."""
    return await services.upload(
        "commuter",
        "POST",
        f"/slips/{slip_id}/items/{item_id}/receipts",
        content,
        {"name": name},
        version=version,
    )


async def replace_receipt(
    services: ServiceClient,
    slip_id: str,
    receipt_id: str,
    content: bytes,
    *,
    name: QueryValue = None,
    version: str | None,
) -> ServiceResponse[SlipReceipts]:
    """A new version of a receipt; the versions before it stay."""
    return await services.upload(
        "commuter",
        "POST",
        f"/slips/{slip_id}/receipts/{receipt_id}/versions",
        content,
        {"name": name},
        version=version,
    )


async def cancel_receipt(
    services: ServiceClient,
    slip_id: str,
    receipt_id: str,
    body: CancelReceiptBody,
    *,
    version: str | None,
) -> ServiceResponse[SlipReceipts]:
    """取消, with a reason; the file stays, and says so."""
    return await services.send(
        "commuter",
        "POST",
        f"/slips/{slip_id}/receipts/{receipt_id}/cancellation",
        body,
        version=version,
    )


async def download_receipt(
    services: ServiceClient, receipt_id: str, number: int
) -> StreamingResponse:
    """The file as it was uploaded, proved by its hash; never as a page."""
    return await services.stream("commuter", f"/receipts/{receipt_id}/versions/{number}/file")


async def print_slip(services: ServiceClient, slip_id: str) -> StreamingResponse:
    """Items with amounts, warnings, explanation and strip; typeset outside the transaction."""
    return await services.stream("commuter", f"/slips/{slip_id}/print.pdf")


async def recheck_period(
    services: ServiceClient, body: PeriodBody
) -> ServiceResponse[RecheckAnswer]:
    """Every looked-up item of a period, priced again with the passes and tariffs of now."""
    return await services.send("commuter", "POST", "/rechecks", body)


async def simulate_passes(
    services: ServiceClient, body: SimulationBody
) -> ServiceResponse[Simulation]:
    """Which pass is the cheapest for a way to work, and from how many days on it pays."""
    return await services.send("commuter", "POST", "/simulations/passes", body)


async def list_findings(services: ServiceClient, slip_id: str) -> ServiceResponse[Findings]:
    """Hints about a slip: the same trip twice, a roundabout way, a pass's section typed by …"""
    return await services.get("commuter", f"/slips/{slip_id}/findings")


async def count_work(services: ServiceClient) -> ServiceResponse[Work]:
    """How much waits for this person, with the newest remands and their reasons."""
    return await services.get("commuter", "/work")


async def show_mail_preference(services: ServiceClient) -> ServiceResponse[MailPreferenceAnswer]:
    """What the person wants now; everything, as long as nothing was declined."""
    return await services.get("commuter", "/my-mails")


async def change_mail_preference(
    services: ServiceClient, body: MailPreferenceBody, *, version: str | None
) -> ServiceResponse[MailPreferenceAnswer]:
    """Keep what the person wants."""
    return await services.send("commuter", "PUT", "/my-mails", body, version=version)


async def list_favourites(services: ServiceClient) -> ServiceResponse[Favourites]:
    """The own favourite rides, the oldest first."""
    return await services.get("commuter", "/favourite-rides")


async def keep_favourite(
    services: ServiceClient, body: FavouriteBody
) -> ServiceResponse[Favourite]:
    """Keep the ride of an item; twice is once."""
    return await services.send("commuter", "POST", "/favourite-rides", body)


async def delete_favourite(services: ServiceClient, favourite_id: str) -> ServiceResponse[None]:
    """Delete it; slips that were made with it stay."""
    return await services.send("commuter", "DELETE", f"/favourite-rides/{favourite_id}")


async def show_accounting_setting(services: ServiceClient) -> ServiceResponse[AccountingAnswer]:
    """The accounts, or the usual ones."""
    return await services.get("commuter", "/accounting/settings")


async def change_accounting_setting(
    services: ServiceClient, body: AccountingBody, *, version: str | None
) -> ServiceResponse[AccountingAnswer]:
    """Save them; what the product cannot read is named beside its field."""
    return await services.send("commuter", "PUT", "/accounting/settings", body, version=version)


async def list_exports(
    services: ServiceClient,
    *,
    first: QueryValue = None,
    last: QueryValue = None,
    before: QueryValue = None,
) -> ServiceResponse[Exports]:
    """The exports, fifty at a time, and the settled slips that stand in none."""
    return await services.get(
        "commuter", "/accounting/exports", {"first": first, "last": last, "before": before}
    )


async def make_export(
    services: ServiceClient, body: ExportPeriodBody, *, idempotency_key: str | None
) -> ServiceResponse[ExportLine]:
    """Record a new export of what stands in none; its file is fetched by its own address."""
    return await services.send(
        "commuter", "POST", "/accounting/exports", body, idempotency_key=idempotency_key
    )


async def cancel_export(
    services: ServiceClient, export_id: str, body: CancelExportBody
) -> ServiceResponse[ExportLine]:
    """Take an export back: its slips stand in the next one."""
    return await services.send(
        "commuter", "POST", f"/accounting/exports/{export_id}/cancellation", body
    )


async def download_journal(services: ServiceClient, export_id: str) -> StreamingResponse:
    """The file of an export, as often as it is asked for; each time is in the trail."""
    return await services.stream("commuter", f"/accounting/exports/{export_id}/journal.csv")


async def download_slips(
    services: ServiceClient, *, first: QueryValue = None, last: QueryValue = None
) -> StreamingResponse:
    """Every slip that was handed in, by the day of its submission."""
    return await services.stream(
        "commuter", "/accounting/slips.csv", {"first": first, "last": last}
    )


async def show_allowances(
    services: ServiceClient, month: str
) -> ServiceResponse[MonthlyAllowances]:
    """Who is paid what in a month, the tax-free and the taxable part."""
    return await services.get("commuter", f"/accounting/allowances/{month}")


async def download_payroll(services: ServiceClient, month: str) -> StreamingResponse:
    """The same as a file for payroll."""
    return await services.stream("commuter", f"/accounting/allowances/{month}/payroll.csv")


async def list_cars(services: ServiceClient) -> ServiceResponse[Cars]:
    """Everybody who comes by car or bicycle."""
    return await services.get("commuter", "/accounting/car-commutes")


async def add_car(
    services: ServiceClient, body: NewCarBody, *, idempotency_key: str | None
) -> ServiceResponse[CarAnswer]:
    """Enter somebody."""
    return await services.send(
        "commuter", "POST", "/accounting/car-commutes", body, idempotency_key=idempotency_key
    )


async def change_car(
    services: ServiceClient, car_id: str, body: CarBody, *, version: str | None
) -> ServiceResponse[CarAnswer]:
    """Change months, distance or amount."""
    return await services.send(
        "commuter", "PUT", f"/accounting/car-commutes/{car_id}", body, version=version
    )


async def remove_car(
    services: ServiceClient, car_id: str, *, version: str | None
) -> ServiceResponse[None]:
    """Remove what was entered by mistake."""
    return await services.send(
        "commuter", "POST", f"/accounting/car-commutes/{car_id}/removal", version=version
    )


async def find_receipts(
    services: ServiceClient,
    *,
    first: QueryValue = None,
    last: QueryValue = None,
    least_yen: QueryValue = None,
    most_yen: QueryValue = None,
    payee: QueryValue = None,
    before: QueryValue = None,
) -> ServiceResponse[FoundReceipts]:
    """Receipts of submitted slips by day, amount and payee (R102)."""
    return await services.get(
        "commuter",
        "/accounting/receipts",
        {
            "first": first,
            "last": last,
            "least_yen": least_yen,
            "most_yen": most_yen,
            "payee": payee,
            "before": before,
        },
    )


async def show_my_bank_account(services: ServiceClient) -> ServiceResponse[OwnAccountAnswer]:
    """The own account, if the company pays by transfer."""
    return await services.get("commuter", "/my-bank-account")


async def save_my_bank_account(
    services: ServiceClient, body: BankAccountBody, *, version: str | None
) -> ServiceResponse[OwnAccountAnswer]:
    """Enter or change the own account."""
    return await services.send("commuter", "PUT", "/my-bank-account", body, version=version)


async def list_bank_accounts(services: ServiceClient) -> ServiceResponse[Accounts]:
    """Everybody's account, masked."""
    return await services.get("commuter", "/accounting/bank-accounts")


async def save_bank_account(
    services: ServiceClient, employee_id: str, body: BankAccountBody, *, version: str | None
) -> ServiceResponse[OwnAccountAnswer]:
    """Enter or change an employee's account."""
    return await services.send(
        "commuter", "PUT", f"/accounting/bank-accounts/{employee_id}", body, version=version
    )


async def show_transfer_setting(services: ServiceClient) -> ServiceResponse[PayerAnswer]:
    """Whether the company pays by transfer, and from where."""
    return await services.get("commuter", "/accounting/transfer-settings")


async def change_transfer_setting(
    services: ServiceClient, body: PayerBody, *, version: str | None
) -> ServiceResponse[PayerAnswer]:
    """Switch on with the company's account, or off; accounts stay."""
    return await services.send(
        "commuter", "PUT", "/accounting/transfer-settings", body, version=version
    )


async def list_transfers(services: ServiceClient) -> ServiceResponse[Transfers]:
    """What waits by employee, and the transfers."""
    return await services.get("commuter", "/accounting/transfers")


async def make_transfer(
    services: ServiceClient, body: TransferBody, *, idempotency_key: str | None
) -> ServiceResponse[TransferLine]:
    """Record a transfer of what stands in none; its file is fetched by its own address."""
    return await services.send(
        "commuter", "POST", "/accounting/transfers", body, idempotency_key=idempotency_key
    )


async def cancel_transfer(
    services: ServiceClient, transfer_id: str, body: CancelTransferBody
) -> ServiceResponse[TransferLine]:
    """Take a transfer back: its slips stand in the next one."""
    return await services.send(
        "commuter", "POST", f"/accounting/transfers/{transfer_id}/cancellation", body
    )


async def download_transfer(services: ServiceClient, transfer_id: str) -> StreamingResponse:
    """The file of a transfer; each time is in the trail."""
    return await services.stream("commuter", f"/accounting/transfers/{transfer_id}/zengin.txt")
