"""Customer list (最終回対象顧客一覧) and contract detail (顧客詳細) endpoints (D5-D51)."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError

from contracts_service import customer_list, queries
from contracts_service.api.dependencies import DEALER, Ctx, RequestContext, Text
from contracts_service.contract_detail import ContractDetail, contract_detail
from contracts_service.rules.contract_access import ContractNotFound
from contracts_service.rules.customer_list_csv import CUSTOMER_LIST_COLUMNS
from contracts_service.rules.inspection import DISCLAIMER
from contracts_service.rules.search_conditions import read_search
from contracts_service.rules.search_limit import SearchLimit, SearchScreen, search_limit
from shared.errors import FormErrors
from shared.http import etag
from shared.refusals import refuses

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its key and its heading."""

    key: str
    label: str


COLUMN_KEYS = (
    *("final_on", "result_due_on", "selection_label", "replacement_mark", "completed_mark"),
    *("customer_name", "inspection_month", "vehicle", "staff_code", "store_name", "contract_no"),
)
COLUMNS = [
    Column(key=key, label=label)
    for key, label in zip(COLUMN_KEYS, CUSTOMER_LIST_COLUMNS, strict=True)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer(SearchLimit):
    """Search results in order, with the column headings; the note is about 車検 (D16)."""

    columns: list[Column]
    disclaimer: str
    rows: list[customer_list.ListRow]


class SearchQuery(BaseModel):
    """The fields of one of the three search panels; months as 2022-03."""

    model_config = ConfigDict(extra="forbid")

    mode: Text = ""
    sort: Literal["", "staff_code", "-staff_code"] = ""
    registration_no: Text = ""
    customer_name: Text = ""
    contract_no: Text = ""
    final_from: Text = ""
    final_to: Text = ""
    model_code: Text = ""
    status: Text = ""
    product: Text = ""
    colour: Text = ""
    staff_code: Text = ""
    staff_left: Text = ""
    store_code: Text = ""
    due: Text = ""
    inspection_type: Text = ""
    months_from: Text = ""
    months_to: Text = ""

    @property
    def conditions(self) -> dict[str, str]:
        """The fields that were given."""
        values: dict[str, str] = self.model_dump(exclude={"mode", "sort"})
        return {key: value for key, value in values.items() if value}


@refuses(FormErrors)
async def _read_query(request: Request) -> SearchQuery:
    """Parse the query directly: the framework's parsing takes longer than the search itself."""
    try:
        return SearchQuery.model_validate(dict(request.query_params))
    except ValidationError as cause:
        errors = [{**error, "loc": ("query", *error["loc"])} for error in cause.errors()]
        raise RequestValidationError(errors) from cause


SearchParams = Annotated[SearchQuery, Depends(_read_query)]
SEARCH_PARAMS = {
    "parameters": [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in SearchQuery.model_json_schema()["properties"].items()
    ]
}
"""OpenAPI parameters of the search, since the framework does not parse it."""


async def condition_of(ctx: RequestContext, query: SearchQuery) -> customer_list.Condition:
    """The condition that narrows the visible contracts. Raises FormErrors."""
    known = ctx.known_products
    if query.product and query.product not in known:
        known |= await queries.product_codes(ctx.tx)
    search = read_search(query.mode, query.conditions, today=ctx.today, product_codes=known)
    seen = customer_list.visible_to(ctx.viewer, today=ctx.today)
    listed = customer_list.listed(seen, today=ctx.today, months=ctx.policy.listed_months)
    return customer_list.search_condition(
        listed, search, today=ctx.today, green_days=ctx.policy.green_days
    )


@router.get(
    "/contracts", dependencies=[DEALER], openapi_extra=SEARCH_PARAMS, response_model=SearchAnswer
)
async def search_contracts(query: SearchParams, ctx: Ctx) -> Response:
    """The first hundred contracts of a search, with the total and the advice."""
    condition = await condition_of(ctx, query)
    found = await customer_list.find(ctx.tx, condition, sort=query.sort)
    limit = search_limit(found.total, role=ctx.viewer.role, screen=SearchScreen.CUSTOMER_LIST)
    answer = SearchAnswer(
        **asdict(limit),
        columns=COLUMNS,
        disclaimer=DISCLAIMER,
        rows=[customer_list.row_of(row, today=ctx.today, policy=ctx.policy) for row in found.rows],
    )
    return Response(orjson.dumps(answer), media_type="application/json")


@router.get("/contracts/{contract_no}", dependencies=[DEALER])
@refuses(ContractNotFound)
async def show_contract(contract_no: Text, ctx: Ctx, response: Response) -> ContractDetail:
    """One contract with its memo and the actions available today."""
    contract = await queries.contract_for(ctx.tx, ctx.viewer, contract_no, today=ctx.today)
    response.headers.update(etag(contract.version))
    return await contract_detail(ctx.tx, contract, ctx.viewer, today=ctx.today, policy=ctx.policy)
