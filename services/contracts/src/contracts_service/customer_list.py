"""Customer list: the contracts that a search finds, and the columns of each row (D5-D45).

The bounds come from the rules, so that SQL compares plain columns; colours, marks and months are
computed by the rules for each row that is shown.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts_service.colour_conditions import DUE, colour_values, due_values, has_colour
from contracts_service.policy import Policy
from contracts_service.rules.assignment_change import change_status
from contracts_service.rules.bulk_search import BulkSearch
from contracts_service.rules.completion import COMPLETE_MARK
from contracts_service.rules.contract_access import Viewer
from contracts_service.rules.inspection import (
    next_inspection_month,
    registered_for_next_inspection,
)
from contracts_service.rules.listing_window import completed_listed_from
from contracts_service.rules.replacement_mark import ReplacementMark, replacement_mark
from contracts_service.rules.result_deadline import result_due_on
from contracts_service.rules.row_colour import RowColour, RowFacts, row_colour
from contracts_service.rules.search_conditions import (
    GeneralSearch,
    IndividualSearch,
    InspectionSearch,
    Search,
    StatusCondition,
)
from contracts_service.rules.search_limit import ROWS_SHOWN
from contracts_service.rules.search_text import grams
from contracts_service.rules.selection import (
    OTHER_VEHICLE,
    OTHER_VEHICLE_LABEL,
    SELECTION_LABELS,
    Replacement,
    Selection,
)
from shared.roles import Role


class ListedContract(NamedTuple):
    """The contract columns that the list selects, in this order."""

    contract_no: str
    version: int
    product_code: str
    final_on: date
    selection: str | None
    own_replacement: bool | None
    replacement_vehicle_code: str | None
    replacement_other_text: str | None
    completion_basis: str | None
    customer_name: str
    first_registered_month: date
    model: str
    registration_no: str
    staff_code: str | None
    store_code: str
    tfc_handled: bool
    transferred_in_on: date | None
    pending_change_id: UUID | None
    store_name: str | None
    staff_left: bool


STAFF_LEFT = """EXISTS (
    SELECT FROM staff WHERE staff.dealer_id = :dealer AND NOT staff.active
        AND staff.staff_code = contract.staff_code)"""
"""The person in charge no longer works for the dealer."""
STAFF_LEFT_OPEN = f"completion_basis IS NULL AND {STAFF_LEFT}"
JOINED = ("store_name", "staff_left")
COLUMNS = ", ".join(f"contract.{name}" for name in ListedContract._fields if name not in JOINED)
ORDERS = {
    "": "contract.final_on, contract.contract_no",
    "staff_code": "contract.staff_code, contract.final_on, contract.contract_no",
    "-staff_code": ("contract.staff_code DESC NULLS LAST, contract.final_on, contract.contract_no"),
}
OLDEST_REGISTRATION = date(1950, 1, 1)

OF_DEALER = "contract.dealer_id = :dealer"
SEEK = text("SELECT set_config('app.sought', :grams, true)")

_statement = lru_cache(maxsize=256)(text)  # searches have few distinct shapes


@dataclass(slots=True)
class Condition:
    """Conditions of a WHERE clause, joined by AND, with their parameters.

    `sought` are the grams of the names and plates among them, which lead to the rows by an index.
    """

    parts: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)
    sought: set[str] = field(default_factory=set)

    def add(self, part: str, **values: object) -> None:
        """Add a condition."""
        self.parts.append(part)
        self.values |= values

    @property
    def where(self) -> str:
        """The WHERE clause.

        `contract_search` shows one dealer's contracts only. To say so again would have PostgreSQL
        read the list of all of that dealer's contracts beside the index of grams.
        """
        return " AND ".join(part for part in self.parts if part != OF_DEALER or not self.sought)

    @property
    def contracts(self) -> str:
        """What is read: the contracts, or those with the grams that `seek` names."""
        return "contract_search AS contract" if self.sought else "contract"


@dataclass(frozen=True, slots=True)
class Found:
    """At most a hundred rows, in order, and the total (D17)."""

    rows: Sequence[ListedContract]
    total: int


def visible_to(viewer: Viewer, *, today: date) -> Condition:
    """Contracts visible to the viewer today: own dealer, for store roles own store (D2, D142)."""
    condition = Condition()
    condition.add(OF_DEALER, dealer=viewer.dealer_code)
    if viewer.role is not Role.HQ:
        condition.add("contract.store_code = :store", store=viewer.store_code)
        condition.add(
            "(hidden_from_store_on IS NULL OR hidden_from_store_on > :today)", today=today
        )
    return condition


def listed(condition: Condition, *, today: date, months: int) -> Condition:
    """Excludes contracts that were completed long ago (D5)."""
    listed_from = completed_listed_from(today, months=months)
    condition.add("(completion_basis IS NULL OR final_on >= :listed_from)", listed_from=listed_from)
    return condition


def search_condition(
    condition: Condition, search: Search, *, today: date, green_days: int | None = None
) -> Condition:
    """The condition of one of the three search panels (D7-D15)."""
    match search:
        case IndividualSearch():
            if search.contract_no:
                condition.add("contract_no = :contract_no", contract_no=search.contract_no)
            _add_texts(condition, search.customer_name, search.registration_no)
        case GeneralSearch():
            _add_general(condition, search)
            if search.staff_left:
                condition.add(STAFF_LEFT_OPEN)
            if search.colour:
                colours = colour_values(today, green_days=green_days)
                condition.add(has_colour(search.colour), **colours)
            if search.due:
                bounds = colour_values(today, green_days=green_days) | due_values(today)
                condition.add(DUE[search.due], **bounds)
        case InspectionSearch():
            condition.add(
                "first_registered_month BETWEEN :registered_from AND :registered_to",
                registered_from=search.registered_from,
                registered_to=search.registered_to,
            )
    return condition


def bulk_search_condition(condition: Condition, search: BulkSearch, *, today: date) -> Condition:
    """The condition of the bulk screen's search (D132)."""
    _add_texts(condition, search.customer_name, search.registration_no)
    if search.inspection_month:
        months = registered_for_next_inspection(
            search.inspection_month, today=today, oldest=OLDEST_REGISTRATION
        )
        condition.add("first_registered_month = ANY(:months)", months=list(months))
    if search.model_code:
        condition.add("model_code = :model_code", model_code=search.model_code)
    if search.from_staff:
        condition.add("staff_code = :from_staff", from_staff=search.from_staff)
    if search.staff_left:
        condition.add(STAFF_LEFT_OPEN)
    if search.from_store:
        condition.add("contract.store_code = :from_store", from_store=search.from_store)
    return condition


def hits(condition: Condition, sort: str = "", *, limit: int | None = None) -> str:
    """The statement for the hits in order, as ListedContract; store names only for these.

    With an outer join, the order is read from an index instead of sorting for the join.
    """
    ordered, at_most = f"ORDER BY {ORDERS[sort]}", f"LIMIT {limit}" if limit else ""
    return f"""
        SELECT contract.*, (
            SELECT name FROM store WHERE store.dealer_id = :dealer
                AND store.store_code = contract.store_code) AS store_name,
            {STAFF_LEFT} AS staff_left
        FROM (
            SELECT {COLUMNS} FROM {condition.contracts}
            WHERE {condition.where} {ordered} {at_most}) contract
        {ordered}
    """  # noqa: S608 - parts of this file only


def first_hits(condition: Condition, sort: str, *, limit: int) -> str:
    """The statement for the first hits of a name or plate, and for the total, in one pass.

    The index finds hits without their order, so that each of them is read in any case.
    """
    first = f"SELECT contract_no FROM hit AS contract ORDER BY {ORDERS[sort]} LIMIT {limit}"  # noqa: S608
    shown = Condition([OF_DEALER, f"contract_no = ANY(ARRAY({first}))"])
    return f"""
        WITH hit AS MATERIALIZED (
            SELECT contract_no, final_on, staff_code FROM {condition.contracts}
            WHERE {condition.where})
        SELECT shown.*, (SELECT count(*) FROM hit) AS total FROM ({hits(shown, sort)}) AS shown
    """  # noqa: S608 - parts of this file only


async def find(
    tx: AsyncSession, condition: Condition, *, sort: str = "", at_most: int = ROWS_SHOWN
) -> Found:
    """The first hits, by default a hundred, and the total; counted only if there are more."""
    if condition.sought:
        return await _find_by_grams(tx, condition, sort, at_most)
    statement = hits(condition, sort, limit=at_most + 1)
    found = await tx.execute(_statement(statement), condition.values)
    rows = [ListedContract._make(row) for row in found]
    if len(rows) <= at_most:
        return Found(rows, len(rows))
    return Found(rows[:at_most], await count(tx, condition))


async def _find_by_grams(tx: AsyncSession, condition: Condition, sort: str, at_most: int) -> Found:
    await seek(tx, condition)
    statement = _statement(first_hits(condition, sort, limit=at_most))
    found = (await tx.execute(statement, condition.values)).all()
    return Found([ListedContract._make(row[:-1]) for row in found], found[0].total if found else 0)


async def seek(tx: AsyncSession, condition: Condition) -> None:
    """Name the grams of a search; `contract_search` shows this transaction no other contracts."""
    if condition.sought:
        await tx.execute(SEEK, {"grams": "\n".join(sorted(condition.sought))})


async def count(tx: AsyncSession, condition: Condition) -> int:
    """The total of hits."""
    await seek(tx, condition)
    statement = f"SELECT count(*) FROM {condition.contracts} WHERE {condition.where}"  # noqa: S608
    return int((await tx.execute(_statement(statement), condition.values)).scalar_one())


async def count_by_store(
    tx: AsyncSession, condition: Condition, stores: Collection[str]
) -> dict[str, int]:
    """The number of hits per store, for stores that have any."""
    condition.add("contract.store_code = ANY(:stores)", stores=list(stores))
    await seek(tx, condition)
    statement = f"""
        SELECT store_code, count(*) AS contracts FROM {condition.contracts}
        WHERE {condition.where} GROUP BY store_code
    """  # noqa: S608 - as above
    rows = await tx.execute(_statement(statement), condition.values)
    return {row.store_code: row.contracts for row in rows}


async def find_all(
    tx: AsyncSession, condition: Condition, *, sort: str = ""
) -> AsyncIterator[ListedContract]:
    """Every hit in order, through a cursor: memory use is independent of their number (D19)."""
    await seek(tx, condition)
    statement = _statement(hits(condition, sort))
    result = await tx.stream(statement, condition.values, execution_options={"yield_per": 1000})
    async for row in result:
        yield ListedContract._make(row)


@dataclass(slots=True)
class ListRow:
    """A row of the table: the manual's eleven columns, its colour, and 変更中."""

    contract_no: str
    final_on: date
    result_due_on: date
    selection: str | None
    selection_label: str
    replacement_mark: ReplacementMark
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


def row_of(row: ListedContract, *, today: date, policy: Policy) -> ListRow:
    """A contract as the table shows it on `today`."""
    completed = row.completion_basis is not None
    facts = RowFacts(
        final_on=row.final_on,
        completed=completed,
        tfc_handled=row.tfc_handled,
        transferred_in_on=row.transferred_in_on,
    )
    colour = row_colour(facts, today=today, green_days=policy.green_days)
    inspection = next_inspection_month(row.first_registered_month, today=today)
    mark = replacement_mark(replacement_of(row), completed=completed, tfc_handled=row.tfc_handled)
    return ListRow(
        contract_no=row.contract_no,
        final_on=row.final_on,
        result_due_on=result_due_on(row.final_on),
        selection=row.selection,
        selection_label=SELECTION_LABELS[Selection(row.selection)] if row.selection else "",
        replacement_mark=mark,
        completed_mark=COMPLETE_MARK if completed else "",
        customer_name=row.customer_name,
        inspection_month=inspection.isoformat()[:7],
        model=row.model,
        registration_no=row.registration_no,
        staff_code=row.staff_code,
        store_code=row.store_code,
        store_name=row.store_name or "",
        change_status=change_status(pending=row.pending_change_id is not None),
        colour=colour,
        staff_left=row.staff_left,
    )


def replacement_of(row: ListedContract) -> Replacement | None:
    """The known replacement."""
    if row.own_replacement is None:
        return None
    return Replacement(
        row.own_replacement, row.replacement_vehicle_code, row.replacement_other_text
    )


def csv_row(shown: ListRow, row: ListedContract, vehicle_names: Mapping[str, str]) -> list[str]:
    """The fourteen texts of a row in the exported list (D19, D20)."""
    code = row.replacement_vehicle_code
    own = {True: "有", False: "無", None: ""}[row.own_replacement]
    names = {OTHER_VEHICLE: OTHER_VEHICLE_LABEL, **vehicle_names}
    return [
        shown.final_on.isoformat(),
        shown.result_due_on.isoformat(),
        shown.selection_label,
        shown.replacement_mark,
        shown.completed_mark,
        shown.customer_name,
        _month_words(shown.inspection_month),
        f"{shown.model} {shown.registration_no}",
        shown.staff_code or "",
        shown.store_name,
        shown.contract_no,
        own,
        names.get(code, code) if code else "",
        row.replacement_other_text or "",
    ]


def _month_words(month: str) -> str:
    """2028年10月: a spreadsheet would turn 2028-10 into a day."""
    year, number = month.split("-")
    return f"{year}年{int(number)}月"


def _add_texts(condition: Condition, name: str | None, registration: str | None) -> None:
    if name:
        condition.add("strpos(customer_folded, :name) > 0", name=name)
        condition.sought |= set(grams(name))
    if registration:
        condition.add("strpos(registration_folded, :registration) > 0", registration=registration)
        condition.sought |= set(grams(registration))


def _add_general(condition: Condition, search: GeneralSearch) -> None:
    compared = {
        "final_on >= :final_from": search.final_from,
        "final_on <= :final_to": search.final_to,
        "model_code = :model_code": search.model_code,
        "product_code = :product": search.product,
        "staff_code = :staff_code": search.staff_code,
        "contract.store_code = :in_store": search.store_code,
    }
    for part, value in compared.items():
        if value:
            condition.add(part, **{part.rpartition(":")[2]: value})
    match search.status:
        case None:
            pass
        case StatusCondition.BLANK:
            condition.add("selection IS NULL")
        case StatusCondition.COMPLETED:
            condition.add("completion_basis IS NOT NULL")
        case StatusCondition.OPEN:
            condition.add("completion_basis IS NULL")
        case chosen:
            condition.add("selection = :selection", selection=chosen.value)
