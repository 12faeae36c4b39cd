"""HTTP API of contracts, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict
from starlette.responses import StreamingResponse
from portal_service.api_client import QueryValue, ServiceClient, ServiceResponse
from portal_service.service_api.operations import Work


class BalancePoint(TypedDict):
    """The balance after an instalment; number 0 is the last day of the contract."""

    number: int
    on: str
    balance_yen: int


class BulkAnswer(TypedDict):
    """The numbers of registered and refused rows, and each of them."""

    accepted: int
    refused: int
    rows: list[BulkRowResult]


class BulkBody(TypedDict):
    """The checked rows on 「変更」."""

    rows: Sequence[BulkRow]
    all_or_nothing: NotRequired[bool]


class BulkRow(TypedDict):
    """A checked row; with `version` it is refused if the contract changed since."""

    to_store: NotRequired[str | None]
    to_staff: NotRequired[str | None]
    reason: NotRequired[str | None]
    contract_no: str
    version: NotRequired[int | None]


class BulkRowResult(TypedDict):
    """The outcome of one row: registered with its days, or refused with the reason."""

    contract_no: str
    registered: bool
    outcome: Literal["registered", "replaced", "cancelled"] | None
    hidden_from_old_store_on: str | None
    reflect_earliest_on: str | None
    reflect_latest_on: str | None
    problem: Problem | None


class BulkRowShown(TypedDict):
    """A row of the bulk screen; `not_possible` says why it cannot be chosen today."""

    contract_no: str
    final_on: str
    result_due_on: str
    selection: str | None
    selection_label: str
    replacement_mark: Literal["○", "ー", "未", ""]
    completed_mark: str
    customer_name: str
    inspection_month: str
    model: str
    registration_no: str
    staff_code: str | None
    store_code: str
    store_name: str
    change_status: str
    colour: RowColour
    staff_left: bool
    version: int
    product_code: str
    transferable: bool
    not_possible: str | None
    moves_to_store: str | None
    moves_to_staff: str | None


class BulkSearchAnswer(TypedDict):
    """The rows found, and the advice if not all are shown; `at_once` can be shown on request."""

    total: int
    shown: int
    truncated: bool
    advice: str | None
    csv_offered: bool
    at_once: int
    rows: list[BulkRowShown]


class ChangeAnswer(TypedDict):
    """The outcome, with the contract after the change."""

    outcome: Literal["registered", "replaced", "cancelled"]
    hidden_from_old_store_on: str | None
    reflect_earliest_on: str | None
    reflect_latest_on: str | None
    contract: ContractDetail


class ChangeBody(TypedDict):
    """異動 sets the store, 変更 the staff; an empty field leaves it unchanged."""

    to_store: NotRequired[str | None]
    to_staff: NotRequired[str | None]
    reason: NotRequired[str | None]


class ClosedStore(TypedDict):
    """A closed store that still has customers, and the store that takes them over."""

    code: str
    name: str
    successor: str | None
    contracts: int


class CodedName(TypedDict):
    """A code with its name; both empty or None where nothing is assigned."""

    code: str | None
    name: str


class Column(TypedDict):
    """A column of the table: its key and its heading."""

    key: str
    label: str


class ContractDetail(TypedDict):
    """The response of 顧客詳細."""

    contract_no: str
    version: int
    product: CodedName
    final_on: str
    final_on_label: str
    loan: Loan
    vehicle: VehicleDetail
    customer: Customer
    store: CodedName
    staff: CodedName
    staff_left: bool
    receivable_purchased: bool
    separate_procedure: bool
    tfc_handled: bool
    customer_change_pending: bool
    result: ResultDetail
    colour: RowColour
    open_return_id: str | None
    pending_change: PendingAssignment | None
    rejected_change: RejectedAssignment | None
    replacement_suggestion: ReplacementSuggestion | None
    memo: MemoDetail
    actions: list[LabelledAction]


class Customer(TypedDict):
    """The customer's name and address."""

    name: str
    name_kana: str | None
    postal_code: str | None
    address: str
    phone: str | None


class Dashboard(TypedDict):
    """店舗の状況."""

    stores: list[StoreFigures]
    total: Figures


class DealerLine(TypedDict):
    """A dealer with the numbers of its stores in use and active staff."""

    code: str
    name: str
    stores: int
    staff: int


class DealerMaster(TypedDict):
    """A dealer with all its stores and staff, including those not in use."""

    code: str
    name: str
    stores: list[MasterStore]
    staff: list[MasterPerson]


class Decided(TypedDict):
    """The outcome of 「異動」/「変更」, and the resulting days."""

    outcome: Literal["registered", "replaced", "cancelled"]
    hidden_from_old_store_on: str | None
    reflect_earliest_on: str | None
    reflect_latest_on: str | None


class Due(TypedDict):
    """A contract whose customer is due for erasure."""

    contract_no: str
    dealer_id: str
    completed_on: str


class DueList(TypedDict):
    """The oldest hundred contracts that were complete by `before`."""

    before: str
    items: list[Due]


class Erasure(TypedDict):
    """A customer erasure: contract, instant, person and reason."""

    contract_no: str
    dealer_id: str
    reason: str
    erased_at: str
    erased_by: str


class ErasureOrder(TypedDict):
    """The reason for erasing a contract's customer; it is stored and must not name anybody."""

    contract_no: str
    reason: str


class Erasures(TypedDict):
    """The last hundred erasures."""

    items: list[Erasure]


class FieldProblem(TypedDict):
    """The error of one field; `message` is Japanese, to stand beside the field."""

    field: str
    code: str
    message: str


class Figures(TypedDict):
    """Contracts by urgency and age; missing figures, as of a store without contracts, are 0."""

    contracts: int
    red: int
    yellow: int
    urgent_red: int
    urgent_yellow: int
    overdue_open: int
    overdue_to_30: int
    overdue_to_60: int
    overdue_to_90: int
    overdue_longer: int
    replaced_here: int
    replacement_known: int
    replacement_rate: float | None


class Instalment(TypedDict):
    """One payment and the balance after it; `payment_yen` is interest and principal together."""

    number: int
    due_on: str
    payment_yen: int
    interest_yen: int
    principal_yen: int
    balance_yen: int


class LabelledAction(TypedDict):
    """An action with its button label."""

    button: Literal[
        "result_entry", "vehicle_return", "resplit", "print_confirmation", "change_assignment"
    ]
    enabled: bool
    code: str | None
    reason: str | None
    label: str


class LabelledExit(TypedDict):
    """A button of 早期完済確認画面."""

    exit: Literal["payoff_reception", "customer_list"]
    label: str


class ListRow(TypedDict):
    """A row of the table: the manual's eleven columns, its colour, and 変更中."""

    contract_no: str
    final_on: str
    result_due_on: str
    selection: str | None
    selection_label: str
    replacement_mark: Literal["○", "ー", "未", ""]
    completed_mark: str
    customer_name: str
    inspection_month: str
    model: str
    registration_no: str
    staff_code: str | None
    store_code: str
    store_name: str
    change_status: str
    colour: RowColour
    staff_left: bool


class Loan(TypedDict):
    """Amounts paid and amounts still owed."""

    last_instalment_yen: int | None
    balance_yen: int | None
    instalments: int | None
    monthly_yen: int | None
    yearly_rate_percent: str | None


class MasterPerson(TypedDict):
    """A staff member; headquarters staff have no store."""

    code: str
    name: str
    store_code: str | None
    role: str
    active: bool


class MasterStore(TypedDict):
    """A store."""

    code: str
    name: str
    phone: str
    unused: bool


class MasterVehicle(TypedDict):
    """A model; without a dealer, every dealer offers it."""

    code: str
    name: str
    dealer: str | None
    active: bool


class Me(TypedDict):
    """The signed-in user; headquarters staff have no store."""

    person_id: str
    staff_code: str | None
    name: str
    role: Literal[
        "sales",
        "manager",
        "hq",
        "tfc",
        "employee",
        "expense_approver",
        "expense_admin",
        "operator",
        "service",
        "dealer_system",
    ]
    role_label: str
    mobile_phone: str | None
    mail: str | None
    store: OwnStore | None


class MemoBody(TypedDict):
    """自由記入欄."""

    text: str


class MemoDetail(TypedDict):
    """The memo with its own version; 0 before the first save."""

    text: str
    version: int
    saved_at: str | None
    saved_by: str | None
    editable: bool


class OwnStore(TypedDict):
    """The user's store."""

    code: str
    name: str
    phone: str


class PayoffRequest(TypedDict):
    """The payoff request that was sent to the finance company."""

    contract_no: str
    requested_at: str


class PendingAssignment(TypedDict):
    """A registered change of store or staff that waits for its reflection."""

    status: str
    change_id: str
    to_store: str | None
    to_staff: str | None
    reason: str | None
    registered_on: str
    reflect_earliest_on: str
    reflect_latest_on: str


class Place(TypedDict):
    """Names of dealer and store."""

    dealer: CodedName
    store: CodedName | None


class PlanAnswer(TypedDict):
    """A plan of 再分割 with its balance over time; `terms` are the offered instalment counts."""

    principal_yen: int
    yearly_rate_percent: str
    instalments: int
    terms: list[int]
    first_yen: int
    level_yen: int
    interest_yen: int
    total_yen: int
    schedule: list[Instalment]
    balance_points: list[BalancePoint]


class Problem(TypedDict):
    """Why a request was refused: `code` is for programs, `title` for people."""

    type: str
    title: str
    status: int
    code: str
    errors: list[FieldProblem]
    facts: dict[str, bool | int | str | list[str] | None]
    documentation: str


class Product(TypedDict):
    """A finance product and what it allows: reporting a return, changing store or staff."""

    code: str
    name: str
    return_allowed: bool
    separate_procedure: bool
    transferable: bool
    is_lease: bool


class Quotation(TypedDict):
    """The amount that settles a contract on a day."""

    settled_on: str
    principal_yen: int
    interest_days: int
    interest_yen: int
    fee_yen: int
    total_yen: int


class RejectedAssignment(TypedDict):
    """The last change that the finance company rejected."""

    to_store: str | None
    to_staff: str | None
    registered_by: str
    rejected_on: str | None
    reason: str | None


class ReleaseBody(TypedDict):
    """The reason why headquarters lifts the block."""

    reason: str


class ReplacementSuggestion(TypedDict):
    """The vehicle ordered here, as reported by the dealer's own system."""

    vehicle_code: str
    ordered_on: str | None


class ResplitAnswer(TypedDict):
    """The plan applied for, and the contract after it."""

    plan: PlanAnswer
    contract: ContractDetail


class ResplitBody(TypedDict):
    """The number of instalments."""

    instalments: int


class ResultAnswer(TypedDict):
    """The outcome of 決定, and the contract after it."""

    recorded: Literal["first", "changed", "replacement_only", "nothing_new"]
    late: bool
    exits: list[LabelledExit]
    contract: ContractDetail


class ResultBody(TypedDict):
    """The fields of 進捗・結果入力 on 決定."""

    categories: NotRequired[Sequence[str]]
    own_replacement: NotRequired[bool | None]
    vehicle_code: NotRequired[str | None]
    other_text: NotRequired[str | None]
    confirmation_received: NotRequired[bool]
    confirmation_received_on: NotRequired[str | None]
    unchangeable_confirmed: NotRequired[bool]
    doubts_confirmed: NotRequired[bool]


class ResultDetail(TypedDict):
    """The result as entered, its deadlines, and the state of an entry made today."""

    selection: Literal["early_payoff", "cash_settlement", "re_split", "vehicle_return"] | None
    selection_label: str
    own_replacement: bool | None
    vehicle_code: str | None
    other_text: str | None
    replacement_mark: Literal["○", "ー", "未", ""]
    late: bool
    confirmation_received_on: str | None
    completed: bool
    completed_mark: str
    completed_on: str | None
    completion_basis: Literal["cash_decided", "payoff", "return", "resplit", "tfc"] | None
    result_due_on: str
    change_limit_on: str
    entry_would_be_late: bool
    entry_would_be_final: bool
    resplit_opens_on: str
    vehicle_label: str
    payoff_requested_at: str | None


class RowColour(TypedDict):
    """The colour, its reason, and the urgency that a stronger colour may hide."""

    colour: Literal["grey", "green", "blue", "red", "yellow", "white"]
    urgency: Literal["grey", "green", "blue", "red", "yellow", "white"]
    overdue: bool
    transferred_in: bool
    tfc_handled: bool
    reason: str


class SearchAnswer(TypedDict):
    """Search results in order, with the column headings; the note is about 車検 (D16)."""

    total: int
    shown: int
    truncated: bool
    advice: str | None
    csv_offered: bool
    columns: list[Column]
    disclaimer: str
    rows: list[ListRow]


class StaffChoice(TypedDict):
    """An active staff member; headquarters staff have no store."""

    person_id: str
    code: str
    name: str
    store_code: str | None
    role: str


class StoreChoice(TypedDict):
    """A store; an `unused` one must not be chosen."""

    code: str
    name: str
    unused: bool
    selectable: bool


class StoreFigures(TypedDict):
    """The figures of one store."""

    contracts: int
    red: int
    yellow: int
    urgent_red: int
    urgent_yellow: int
    overdue_open: int
    overdue_to_30: int
    overdue_to_60: int
    overdue_to_90: int
    overdue_longer: int
    replaced_here: int
    replacement_known: int
    replacement_rate: float | None
    store_code: str
    store_name: str


class Transfers(TypedDict):
    """The number of contracts that are moving between stores."""

    leaving: int
    coming: int


class VehicleDetail(TypedDict):
    """The vehicle; months as 2022-03."""

    model_code: str | None
    model: str
    registration_no: str
    first_registered_month: str
    first_registered_on: str | None
    commercial: bool
    inspection_month: str
    inspection_disclaimer: str


async def search_contracts(
    services: ServiceClient,
    *,
    mode: QueryValue = None,
    sort: QueryValue = None,
    registration_no: QueryValue = None,
    customer_name: QueryValue = None,
    contract_no: QueryValue = None,
    final_from: QueryValue = None,
    final_to: QueryValue = None,
    model_code: QueryValue = None,
    status: QueryValue = None,
    product: QueryValue = None,
    colour: QueryValue = None,
    staff_code: QueryValue = None,
    staff_left: QueryValue = None,
    store_code: QueryValue = None,
    due: QueryValue = None,
    inspection_type: QueryValue = None,
    months_from: QueryValue = None,
    months_to: QueryValue = None,
) -> ServiceResponse[SearchAnswer]:
    """The first hundred contracts of a search, with the total and the advice."""
    return await services.get(
        "contracts",
        "/contracts",
        {
            "mode": mode,
            "sort": sort,
            "registration_no": registration_no,
            "customer_name": customer_name,
            "contract_no": contract_no,
            "final_from": final_from,
            "final_to": final_to,
            "model_code": model_code,
            "status": status,
            "product": product,
            "colour": colour,
            "staff_code": staff_code,
            "staff_left": staff_left,
            "store_code": store_code,
            "due": due,
            "inspection_type": inspection_type,
            "months_from": months_from,
            "months_to": months_to,
        },
    )


async def show_contract(
    services: ServiceClient, contract_no: str
) -> ServiceResponse[ContractDetail]:
    """One contract with its memo and the actions available today."""
    return await services.get("contracts", f"/contracts/{contract_no}")


async def export_customer_list(
    services: ServiceClient,
    *,
    mode: QueryValue = None,
    sort: QueryValue = None,
    registration_no: QueryValue = None,
    customer_name: QueryValue = None,
    contract_no: QueryValue = None,
    final_from: QueryValue = None,
    final_to: QueryValue = None,
    model_code: QueryValue = None,
    status: QueryValue = None,
    product: QueryValue = None,
    colour: QueryValue = None,
    staff_code: QueryValue = None,
    staff_left: QueryValue = None,
    store_code: QueryValue = None,
    due: QueryValue = None,
    inspection_type: QueryValue = None,
    months_from: QueryValue = None,
    months_to: QueryValue = None,
) -> StreamingResponse:
    """Every hit of a search as CSV, in list order; the export is logged."""
    return await services.stream(
        "contracts",
        "/contracts.csv",
        {
            "mode": mode,
            "sort": sort,
            "registration_no": registration_no,
            "customer_name": customer_name,
            "contract_no": contract_no,
            "final_from": final_from,
            "final_to": final_to,
            "model_code": model_code,
            "status": status,
            "product": product,
            "colour": colour,
            "staff_code": staff_code,
            "staff_left": staff_left,
            "store_code": store_code,
            "due": due,
            "inspection_type": inspection_type,
            "months_from": months_from,
            "months_to": months_to,
        },
    )


async def export_excel_list(
    services: ServiceClient,
    *,
    mode: QueryValue = None,
    sort: QueryValue = None,
    registration_no: QueryValue = None,
    customer_name: QueryValue = None,
    contract_no: QueryValue = None,
    final_from: QueryValue = None,
    final_to: QueryValue = None,
    model_code: QueryValue = None,
    status: QueryValue = None,
    product: QueryValue = None,
    colour: QueryValue = None,
    staff_code: QueryValue = None,
    staff_left: QueryValue = None,
    store_code: QueryValue = None,
    due: QueryValue = None,
    inspection_type: QueryValue = None,
    months_from: QueryValue = None,
    months_to: QueryValue = None,
) -> StreamingResponse:
    """The same list as an Excel file, up to a number of rows; the export is logged."""
    return await services.stream(
        "contracts",
        "/contracts.xlsx",
        {
            "mode": mode,
            "sort": sort,
            "registration_no": registration_no,
            "customer_name": customer_name,
            "contract_no": contract_no,
            "final_from": final_from,
            "final_to": final_to,
            "model_code": model_code,
            "status": status,
            "product": product,
            "colour": colour,
            "staff_code": staff_code,
            "staff_left": staff_left,
            "store_code": store_code,
            "due": due,
            "inspection_type": inspection_type,
            "months_from": months_from,
            "months_to": months_to,
        },
    )


async def print_payment_confirmation(
    services: ServiceClient, contract_no: str
) -> StreamingResponse:
    """最終回お支払い方法のご確認, for the customer to sign and the dealer to file."""
    return await services.stream("contracts", f"/contracts/{contract_no}/payment-confirmation.pdf")


async def put_memo(
    services: ServiceClient, contract_no: str, body: MemoBody, *, version: str | None
) -> ServiceResponse[MemoDetail]:
    """Save 自由記入欄; If-Match names the memo's own version, 0 before the first."""
    return await services.send(
        "contracts", "PUT", f"/contracts/{contract_no}/memo", body, version=version
    )


async def enter_result(
    services: ServiceClient, contract_no: str, body: ResultBody, *, version: str | None
) -> ServiceResponse[ResultAnswer]:
    """「決定」: record selection and replacement; 早期完済 offers its two exits."""
    return await services.send(
        "contracts", "POST", f"/contracts/{contract_no}/result", body, version=version
    )


async def ask_for_payoff(
    services: ServiceClient, contract_no: str, *, idempotency_key: str | None
) -> ServiceResponse[PayoffRequest]:
    """「早期完済受付へ」: request the early payoff from the finance company (D69)."""
    return await services.send(
        "contracts",
        "POST",
        f"/contracts/{contract_no}/payoff-request",
        idempotency_key=idempotency_key,
    )


async def read_payoff_quotation(
    services: ServiceClient, contract_no: str, *, settled_on: QueryValue = None
) -> ServiceResponse[Quotation]:
    """The amount that settles the contract on a day (default: today); not binding."""
    return await services.get(
        "contracts", f"/contracts/{contract_no}/payoff-quotation", {"settled_on": settled_on}
    )


async def try_resplit(
    services: ServiceClient, contract_no: str, body: ResplitBody
) -> ServiceResponse[PlanAnswer]:
    """A trial plan with its balance over time; nothing is stored (D50)."""
    return await services.send("contracts", "POST", f"/contracts/{contract_no}/resplit-trial", body)


async def apply_resplit(
    services: ServiceClient, contract_no: str, body: ResplitBody, *, version: str | None
) -> ServiceResponse[ResplitAnswer]:
    """Apply for the screening of a plan; the selection becomes 再分割 (D50)."""
    return await services.send(
        "contracts", "POST", f"/contracts/{contract_no}/resplit-application", body, version=version
    )


async def release_customer_change(
    services: ServiceClient, contract_no: str, body: ReleaseBody, *, version: str | None
) -> ServiceResponse[ContractDetail]:
    """Headquarters lifts the block of a customer change that never completed (D64)."""
    return await services.send(
        "contracts",
        "POST",
        f"/contracts/{contract_no}/customer-change-release",
        body,
        version=version,
    )


async def change_assignment(
    services: ServiceClient, contract_no: str, body: ChangeBody, *, version: str | None
) -> ServiceResponse[ChangeAnswer]:
    """「異動」 and 「変更」 of one contract; repeated on the same day, it adds to the first."""
    return await services.send(
        "contracts", "POST", f"/contracts/{contract_no}/assignment-change", body, version=version
    )


async def cancel_assignment_change(
    services: ServiceClient, contract_no: str, *, version: str | None
) -> ServiceResponse[ContractDetail]:
    """Cancel what was registered today (D143)."""
    return await services.send(
        "contracts", "DELETE", f"/contracts/{contract_no}/assignment-change", version=version
    )


async def check_assignment_change(
    services: ServiceClient, contract_no: str, body: ChangeBody, *, version: str | None
) -> ServiceResponse[Decided]:
    """確認 before 「異動」 and 「変更」: every error at once; nothing is registered."""
    return await services.send(
        "contracts",
        "POST",
        f"/contracts/{contract_no}/assignment-change/check",
        body,
        version=version,
    )


async def search_for_bulk_change(
    services: ServiceClient,
    *,
    customer_name: QueryValue = None,
    inspection_month: QueryValue = None,
    registration_no: QueryValue = None,
    model_code: QueryValue = None,
    from_staff: QueryValue = None,
    from_store: QueryValue = None,
    staff_left: QueryValue = None,
    whole: QueryValue = None,
) -> ServiceResponse[BulkSearchAnswer]:
    """The first hundred contracts for the bulk screen, or the whole result (D132-D134, D138)."""
    return await services.get(
        "contracts",
        "/assignment-changes/search",
        {
            "customer_name": customer_name,
            "inspection_month": inspection_month,
            "registration_no": registration_no,
            "model_code": model_code,
            "from_staff": from_staff,
            "from_store": from_store,
            "staff_left": staff_left,
            "whole": whole,
        },
    )


async def list_closed_stores(services: ServiceClient) -> ServiceResponse[list[ClosedStore]]:
    """The dealer's closed stores that still have contracts visible to this person (C4, D130)."""
    return await services.get("contracts", "/assignment-changes/closed-stores")


async def change_in_bulk(services: ServiceClient, body: BulkBody) -> ServiceResponse[BulkAnswer]:
    """「変更」: register every checked row that can be, with a reason for each other one (D137)."""
    return await services.send("contracts", "POST", "/assignment-changes", body)


async def check_bulk_change(services: ServiceClient, body: BulkBody) -> ServiceResponse[BulkAnswer]:
    """確認 before 「変更」: the same answer for each checked row; nothing is registered."""
    return await services.send("contracts", "POST", "/assignment-changes/check", body)


async def count_transfers(services: ServiceClient) -> ServiceResponse[Transfers]:
    """The number of contracts moving between stores, leaving and coming; no names (A-26)."""
    return await services.get("contracts", "/transfers-in-progress")


async def list_products(services: ServiceClient) -> ServiceResponse[list[Product]]:
    """Finance products (制度) with what each allows."""
    return await services.get("contracts", "/products")


async def list_vehicles(services: ServiceClient) -> ServiceResponse[list[CodedName]]:
    """Replacement vehicles (代替車両); その他 always comes last (D56)."""
    return await services.get("contracts", "/vehicles")


async def list_stores(services: ServiceClient) -> ServiceResponse[list[StoreChoice]]:
    """The dealer's stores; an unused one must not be chosen (D130)."""
    return await services.get("contracts", "/stores")


async def list_staff(
    services: ServiceClient, *, store: QueryValue = None, headquarters: QueryValue = None
) -> ServiceResponse[list[StaffChoice]]:
    """Active staff of the stores, or of one store; with `headquarters`, its staff too."""
    return await services.get("contracts", "/staff", {"store": store, "headquarters": headquarters})


async def list_move_reasons(services: ServiceClient) -> ServiceResponse[list[CodedName]]:
    """The reasons for a move (D127)."""
    return await services.get("contracts", "/move-reasons")


async def show_dashboard(services: ServiceClient) -> ServiceResponse[Dashboard]:
    """Due contracts per store, their ages, and the replacement rate."""
    return await services.get("contracts", "/dashboard")


async def count_work(services: ServiceClient) -> ServiceResponse[Work]:
    """The number of the user's contracts near their last day without a result."""
    return await services.get("contracts", "/work")


async def show_me(services: ServiceClient) -> ServiceResponse[Me]:
    """Name, role, mobile telephone, and the store with its telephone."""
    return await services.get("contracts", "/me")


async def show_place(services: ServiceClient) -> ServiceResponse[Place]:
    """Names of the user's dealer and store. Raises NotFound outside dealers."""
    return await services.get("contracts", "/place")


async def list_dealers(services: ServiceClient) -> ServiceResponse[list[DealerLine]]:
    """Every dealer, with the numbers of its stores in use and active staff."""
    return await services.get("contracts", "/masters/dealers")


async def show_dealer(services: ServiceClient, dealer_id: str) -> ServiceResponse[DealerMaster]:
    """One dealer with all stores and staff, including those not in use. Raises NotFound."""
    return await services.get("contracts", f"/masters/dealers/{dealer_id}")


async def list_all_vehicles(services: ServiceClient) -> ServiceResponse[list[MasterVehicle]]:
    """Models that a customer may buy next; `dealer` is None for those of all dealers."""
    return await services.get("contracts", "/masters/vehicles")


async def list_erasures(services: ServiceClient) -> ServiceResponse[Erasures]:
    """The last erasures, newest first."""
    return await services.get("contracts", "/erasures")


async def erase_customer_of(
    services: ServiceClient, body: ErasureOrder
) -> ServiceResponse[Erasure]:
    """Erase a contract's customer, here and in every service; repeating it changes nothing."""
    return await services.send("contracts", "POST", "/erasures", body)


async def list_due_erasures(
    services: ServiceClient, *, before: QueryValue = None
) -> ServiceResponse[DueList]:
    """Contracts complete by `before` (default: seven years ago) and not erased."""
    return await services.get("contracts", "/erasures/due", {"before": before})


async def check_erasure_of(services: ServiceClient, body: ErasureOrder) -> ServiceResponse[None]:
    """確認 before an erasure: every error at once, each with its field; nothing is erased."""
    return await services.send("contracts", "POST", "/erasures/check", body)
