"""Access: every route × every person, and what row-level security alone permits."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.auth import Principal, policies_by_path
from shared.db import EVERY_DEALER
from shared.testing.people import OPERATOR, TFC, bearer

from .conftest import ContractsApi, person

BASE = "/api/contracts/v1"
NOBODY = Principal("x", "x", "D01", "S10", "X1", frozenset(), None)
PEOPLE = {
    "sales": person("E101"),
    "manager": person("M100"),
    "hq": person("H001"),
    "sales of another store": person("E201"),
    "manager of another store": person("M200"),
    "sales of another dealer": person("E101", "D02"),
    "manager of another dealer": person("M100", "D02"),
    "hq of another dealer": person("H001", "D02"),
    "tfc": TFC,
    "operator": OPERATOR,
    "somebody without a role": NOBODY,
}
SEES_C1 = {"sales", "manager", "hq"}
OF_TFC = {"GET /masters/dealers", "GET /masters/dealers/{dealer_id}", "GET /masters/vehicles"}
OF_OPERATORS = {f"{verb} /erasures" for verb in ("GET", "POST")}
OF_OTHERS = {*OF_TFC, *OF_OPERATORS, "GET /erasures/due", "POST /erasures/check"}
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/erasures"): {"contract_no": "C1", "reason": "x"},
    ("POST", "/erasures/check"): {"contract_no": "C1", "reason": "x"},
    ("PUT", "/memo"): {"text": "x"},
    ("POST", "/result"): {"categories": ["early_payoff"], "own_replacement": False},
    ("POST", "/resplit-trial"): {"instalments": 12},
    ("POST", "/resplit-application"): {"instalments": 12},
    ("POST", "/customer-change-release"): {"reason": "x"},
    ("POST", "/assignment-change"): {"to_staff": "E102"},
    ("POST", "/assignment-change/check"): {"to_staff": "E102"},
    ("POST", "/assignment-changes"): {"rows": [{"contract_no": "C1", "to_staff": "E102"}]},
    ("POST", "/assignment-changes/check"): {"rows": [{"contract_no": "C1", "to_staff": "E102"}]},
    ("POST", "/result/check"): {"categories": ["early_payoff"], "own_replacement": False},
}


ALL = {"mode": "general", "final_from": "2020-01"}
QUERIES = {
    "/contracts": ALL,
    "/contracts.csv": ALL,
    "/contracts.xlsx": ALL,
    "/assignment-changes/search": {"from_store": "S10"},
    "/erasures/due": {"before": "2020-01-01"},
}


async def call_route(
    contracts_api: ContractsApi, who: Principal | None, method: str, path: str
) -> httpx.Response:
    body = next((b for (m, end), b in BODIES.items() if m == method and path.endswith(end)), None)
    headers = {"If-Match": '"1"'}
    if who is not None:
        headers |= bearer(who)
    url = path.replace("{contract_no}", "C1").replace("{dealer_id}", "D01")
    query = QUERIES.get(path.removeprefix(BASE))
    return await contracts_api.http.request(method, url, params=query, headers=headers, json=body)


def routes(contracts_api: ContractsApi) -> list[tuple[str, str]]:
    """The service's own routes; those of every service are tested in shared/tests."""
    found = (key for key in policies_by_path(contracts_api.app) if "/contracts/v1/" in key[1])
    return [(method, path) for method, path in found if "/v1/operations/" not in path]


@pytest.mark.rule("D1", "D2")
@pytest.mark.parametrize("name", PEOPLE)
async def test_every_route_lets_in_whom_it_names(contracts_api: ContractsApi, name: str) -> None:
    await contracts_api.contract("C1")
    who, seen = PEOPLE[name], set()
    policies = policies_by_path(contracts_api.app)
    for method, path in routes(contracts_api):
        if path.endswith("openapi.json"):
            continue
        answer = await call_route(contracts_api, who, method, path)
        if "山本" in answer.text:
            seen.add(path.removeprefix(BASE))
        admitted = all(policy.admits(who) for policy in policies[method, path])
        if not admitted:
            assert answer.status_code == 403, (method, path)
        elif "{contract_no}" in path and name not in SEES_C1:
            assert answer.status_code == 404, (method, path)
        elif method == "GET":
            assert answer.status_code == 200, (method, path, answer.text)
        else:
            assert answer.status_code not in {401, 403, 404, 500}, (method, path, answer.text)
    assert ("/contracts" in seen) is (name in SEES_C1)
    assert ("/contracts.csv" in seen) is (name in SEES_C1 - {"sales"})
    assert not seen or name in SEES_C1


@pytest.mark.rule("D1")
async def test_every_route_requires_a_token(contracts_api: ContractsApi) -> None:
    for method, path in routes(contracts_api):
        if not path.endswith("openapi.json"):
            assert (await call_route(contracts_api, None, method, path)).status_code == 401, (
                method,
                path,
            )


@pytest.mark.rule("D1", "D3", "D4", "D125", "D131", "D64", "D47")
async def test_what_each_role_may_never_do(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    refused = {
        name: {
            f"{method} {path.removeprefix(BASE)}"
            for method, path in routes(contracts_api)
            if (await call_route(contracts_api, PEOPLE[name], method, path)).status_code == 403
        }
        for name in ("sales", "manager", "hq")
    }
    release = "POST /contracts/{contract_no}/customer-change-release"
    assert refused == {
        "sales": {
            "GET /contracts.csv",
            "GET /contracts.xlsx",
            "GET /assignment-changes/search",
            "GET /assignment-changes/closed-stores",
            "POST /assignment-changes",
            "POST /assignment-changes/check",
            "POST /contracts/{contract_no}/assignment-change",
            "POST /contracts/{contract_no}/assignment-change/check",
            "DELETE /contracts/{contract_no}/assignment-change",
            "GET /transfers-in-progress",
            "GET /dashboard",
            release,
            *OF_OTHERS,
        },
        "manager": {release, *OF_OTHERS},
        "hq": {"PUT /contracts/{contract_no}/memo", *OF_OTHERS},
    }


async def test_another_dealers_bulk_change_touches_nothing(contracts_api: ContractsApi) -> None:
    await contracts_api.contract("C1")
    rows = [{"contract_no": "C1", "to_staff": "E102"}]
    for code, dealer in (("M100", "D02"), ("H001", "D02"), ("M200", "D01")):
        answer = await contracts_api.request(
            code, "POST", "/assignment-changes", dealer=dealer, json={"rows": rows}
        )
        assert answer.json()["rows"][0]["problem"]["code"] == "CONTRACT_NOT_FOUND"


@pytest.mark.rule("D2")
async def test_a_query_without_a_condition_sees_its_own_dealer_only(
    contracts_api: ContractsApi,
) -> None:
    await contracts_api.contract("C1")
    body = {"to_staff": "E102"}
    await contracts_api.change("M100", "POST", "/contracts/C1/assignment-change", body)
    await contracts_api.change("E101", "PUT", "/contracts/C1/memo", {"text": "x"}, 0)
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        owned = (await tx.scalars(text(OWNED))).all()
    assert {"contract", "memo", "staff", "store", "entry", "assignment_change"} <= set(owned)
    async with contracts_api.database.transaction("D02") as tx:
        for table in owned:
            seen = set(await tx.scalars(text(f"SELECT dealer_id FROM {table}")))
            assert seen <= {"D02", EVERY_DEALER}, table
        await tx.execute(text("UPDATE contract SET customer_name = 'x'"))
    async with contracts_api.database.transaction() as tx:
        assert (await tx.scalars(text("SELECT contract_no FROM contract"))).all() == []
    assert (await contracts_api.detail("C1"))["customer"]["name"] == "山本 太郎"


OWNED = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE a.attname = 'dealer_id' AND c.relkind = 'r' AND c.relname !~ '^(outbox|inbox)'
"""


async def test_every_table_of_dealers_has_row_level_security(contracts_api: ContractsApi) -> None:
    protected = f"SELECT count(*) FROM ({OWNED}) o JOIN pg_class USING (relname)"
    async with contracts_api.database.transaction() as tx:
        tables = (await tx.scalars(text(OWNED))).all()
        forced = await tx.scalar(text(f"{protected} WHERE relrowsecurity AND relforcerowsecurity"))
    assert forced == len(tables) == 13


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/contracts", {"mode": "individual", "customer_name": "a\x00"}),
        ("/contracts", {"mode": "general", "final_from": "9999-12", "paint": "red"}),
        ("/contracts/%00", {}),
        ("/staff", {"store": "\x00"}),
        ("/assignment-changes/search", {"from_staff": "x" * 300}),
    ],
)
async def test_values_that_the_database_cannot_store_are_refused(
    contracts_api: ContractsApi, path: str, query: dict[str, str]
) -> None:
    answer = await contracts_api.get("M100", path, params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("month", ["0001-01", "1949-12", "9999-12"])
async def test_months_at_the_end_of_the_calendar_find_nothing(
    contracts_api: ContractsApi, month: str
) -> None:
    await contracts_api.contract("C1")
    query = {"inspection_month": month}
    answer = await contracts_api.get("M100", "/assignment-changes/search", params=query)
    assert (answer.status_code, answer.json()["rows"]) == (200, [])


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"text": "\\u0000"}', b'{"text": "\\ud800"}'])
async def test_bodies_that_cannot_be_stored_are_refused(
    contracts_api: ContractsApi, body: bytes
) -> None:
    await contracts_api.contract("C1")
    headers = {"If-Match": '"0"', "Content-Type": "application/json"}
    answer = await contracts_api.request(
        "E101", "PUT", "/contracts/C1/memo", headers=headers, content=body
    )
    assert answer.status_code == 422
