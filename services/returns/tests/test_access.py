"""Access: every route with every kind of person, and which rows each sees."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from returns_service.app import create_app
from returns_service.models import Base
from shared import migrate
from shared.auth import Principal, Role, policies_by_path
from shared.clock import SystemClock
from shared.db import Database
from shared.testing.people import (
    COLLEAGUE,
    NOTIFIER,
    OPERATOR,
    OTHER_HQ,
    SATO,
    SUZUKI,
    TAKAHASHI,
    TANAKA,
    TFC,
    YAMADA,
)

from .conftest import BASE, FORM, OTHER_MANAGER, OTHER_SALES, ReturnsApi, registered

EMPLOYEE = Principal("e", "社員", "D01", None, "X1", frozenset({Role.EMPLOYEE}), None)
PEOPLE = (
    YAMADA, COLLEAGUE, SATO, SUZUKI, TAKAHASHI, TANAKA, OTHER_SALES, OTHER_MANAGER, OTHER_HQ, TFC,
    NOTIFIER, EMPLOYEE, OPERATOR,
)  # fmt: skip
DEALERS = {Role.SALES, Role.MANAGER, Role.HQ}
APPROVERS = {Role.MANAGER, Role.HQ}
ONE = "/applications/{application_id}"
CHECKED_FORM = "/applications/check"
"""Its body names a contract."""

# The whole policy at a glance; a route that is missing here fails the test.
WHO_MAY: dict[tuple[str, str], set[Role]] = {
    ("GET", "/contracts/{contract_no}/form"): DEALERS,
    ("POST", "/applications"): DEALERS,
    ("POST", "/applications/check"): DEALERS,
    ("GET", "/applications"): DEALERS | {Role.TFC},
    ("GET", "/applications/counts"): DEALERS | {Role.TFC},
    ("GET", "/applications/work"): DEALERS | {Role.TFC},
    ("GET", "/work"): DEALERS | {Role.TFC},
    ("GET", ONE): DEALERS | {Role.TFC},
    ("GET", f"{ONE}/print.pdf"): DEALERS,
    ("GET", f"{ONE}/consequence"): DEALERS | {Role.TFC},
    ("POST", f"{ONE}/approval"): DEALERS,
    ("POST", f"{ONE}/approval/check"): DEALERS,
    ("POST", f"{ONE}/remand"): DEALERS,
    ("POST", f"{ONE}/correction"): DEALERS,
    ("POST", f"{ONE}/correction/check"): DEALERS,
    ("POST", f"{ONE}/withdrawal"): DEALERS,
    ("POST", f"{ONE}/take-over"): {Role.HQ},
    ("PUT", f"{ONE}/dealer-note"): {Role.HQ},
    ("POST", f"{ONE}/acceptance"): {Role.TFC},
    ("POST", f"{ONE}/hold"): {Role.TFC},
    ("POST", f"{ONE}/release"): {Role.TFC},
    ("POST", f"{ONE}/contact-entry"): {Role.TFC},
    ("POST", f"{ONE}/contact"): {Role.TFC},
    ("POST", f"{ONE}/tfc-remand"): {Role.TFC},
    ("POST", f"{ONE}/completion"): {Role.TFC},
    ("POST", "/bulk-approval"): DEALERS,
    ("GET", "/approval-flow"): {Role.HQ},
    ("PUT", "/approval-flow"): {Role.HQ},
    ("POST", "/approval-flow/check"): {Role.HQ},
    ("GET", "/substitutes"): APPROVERS,
    ("POST", "/substitutes"): APPROVERS,
    ("POST", "/substitutes/check"): APPROVERS,
    ("PUT", "/substitutes/{substitute_no}"): APPROVERS,
    ("DELETE", "/substitutes/{substitute_no}"): APPROVERS,
    ("GET", "/internal/applications/{application_id}/recipients"): {Role.SERVICE},
}
BODIES: dict[str, Any] = {
    "/applications": {"contract_no": "C-1001", **FORM},
    "/applications/check": {"contract_no": "C-1001", **FORM},
    "correction": FORM,
    "correction/check": FORM,
    "take-over": {"new_originator_id": "D01-E102"},
    "dealer-note": {"dealer_note": "確認"},
    "/approval-flow": {"store_approval": True, "hq_approval": True},
    "/substitutes": {
        "substitute_id": "D01-E102", "from_on": "2025-07-15", "to_on": "2025-07-15",
    },
    "substitute_no": {
        "substitute_id": "D01-E102", "from_on": "2025-07-15", "to_on": "2025-07-15",
    },
}  # fmt: skip


async def no_principal(_: object) -> Principal:
    raise AssertionError("never called")


def routes() -> list[tuple[str, str]]:
    """Every route of the app itself, so that a new one is tested before anybody thinks of it."""
    app = create_app(Database("postgresql://nowhere/none"), SystemClock(), no_principal)
    return [
        (method, path.removeprefix(BASE))
        for method, path in policies_by_path(app)
        if path.startswith(BASE)
        and "/operations/" not in path
        and not path.endswith("openapi.json")
        and method != "HEAD"
    ]


def sees(who: Principal) -> bool:
    """Whether a person sees the contract and application of S10 at D01, once it was requested."""
    if who.has(Role.TFC, Role.SERVICE):
        return True
    own_store = who.has(Role.HQ) or who.store == "S10"
    return who.dealer == "D01" and own_store and who.has(*DEALERS)


def body_of(path: str) -> Any:
    path = path.removesuffix("/check") if path != CHECKED_FORM else path
    found = [body for end, body in BODIES.items() if path.endswith((end, f"{{{end}}}"))]
    return found[0] if found else {}


def test_every_route_is_in_the_policy() -> None:
    assert set(routes()) == set(WHO_MAY)


@pytest.mark.rule("D1", "D2")
@pytest.mark.parametrize(("method", "path"), sorted(WHO_MAY))
async def test_every_person_at_every_route(returns: ReturnsApi, method: str, path: str) -> None:
    application_id = await returns.submit_new()
    await returns.take_steps(application_id, (SATO, "approval"), (TANAKA, "approval"))
    made = await returns(SATO).send("POST", "/substitutes", BODIES["/substitutes"])
    where = path.format(
        contract_no="C-1001",
        application_id=application_id,
        substitute_no=made.json()["substitute_no"],
    )
    body = {"items": [{"application_id": application_id, "version": 3}]}
    submit_new = body if path == "/bulk-approval" else body_of(path)
    about_one = "{contract_no}" in path or "{application_id}" in path or path == CHECKED_FORM
    if path.endswith("/consequence"):
        where += "?step=approve"
    before = await returns.rows("SELECT * FROM application")
    for who in sorted(PEOPLE, key=sees):
        answer = await returns(who).send(method, where, submit_new, version=3)
        problem = answer.json().get("code") if "json" in answer.headers["content-type"] else None
        if not who.has(*WHO_MAY[method, path]):
            assert (answer.status_code, problem) == (403, "ROLE_NOT_ALLOWED"), who
        elif about_one and not sees(who):
            assert answer.status_code == 404, (who, answer.text)
        else:
            assert answer.status_code not in {401, 500}, (who, answer.text)
            assert problem != "ROLE_NOT_ALLOWED"
        if not sees(who):
            assert await returns.rows("SELECT * FROM application") == before
            assert application_id not in answer.text or path == "/bulk-approval"
    anonymous = await returns.http.request(method, BASE + where, json=submit_new)
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "TOKEN_MISSING")


@pytest.mark.rule("D2")
@pytest.mark.parametrize("who", [SUZUKI, TAKAHASHI, OTHER_SALES, OTHER_MANAGER, OTHER_HQ, TFC])
async def test_lists_and_counts_show_nothing_of_others(returns: ReturnsApi, who: Principal) -> None:
    await returns.submit_new()
    assert (await returns(who).get("/applications")).json()["items"] == []
    assert (await returns(who).get("/applications/work")).json()["items"] == []
    assert (await returns(who).get("/applications/counts")).json()["total"] == 0


@pytest.mark.rule("D2")
async def test_headquarters_sees_every_store_of_its_dealer(returns: ReturnsApi) -> None:
    await returns.receive(registered("C-2", store="S20"), registered("X-1", dealer="D02"))
    mine = {await returns.submit_new(), await returns.submit_new(SUZUKI, "C-2")}
    theirs = await returns.submit_new(OTHER_SALES, "X-1")
    listed = (await returns(TANAKA).get("/applications")).json()["items"]
    assert {row["application_id"] for row in listed} == mine
    listed = (await returns(OTHER_HQ).get("/applications")).json()["items"]
    assert {row["application_id"] for row in listed} == {theirs}


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
async def test_a_query_without_where_sees_the_own_dealer_only(
    returns: ReturnsApi, table: str
) -> None:
    await returns.receive(registered("X-1", dealer="D02"))
    await returns.submit_new(OTHER_SALES, "X-1")
    await returns.submit_new()
    question = text(f"SELECT DISTINCT dealer_id FROM {table}")
    for dealer in ("D01", "D02"):
        async with returns.database.transaction(dealer) as tx:
            assert set((await tx.execute(question)).scalars()) <= {dealer}
    async with returns.database.transaction() as tx:
        assert (await tx.execute(question)).all() == []
    secured = await returns.rows(
        "SELECT relrowsecurity AND relforcerowsecurity AS on FROM pg_class WHERE relname = :table",
        table=table,
    )
    assert secured[0].on


async def test_a_row_of_another_dealer_cannot_be_written(returns: ReturnsApi) -> None:
    await returns.submit_new()
    async with returns.database.transaction("D02") as tx:
        changed = await tx.execute(text("UPDATE application SET contact_1 = 'x' RETURNING 1"))
        assert changed.all() == []


async def test_the_models_equal_the_migrated_tables(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    await migrate.check(await new_database("returns_service"), "returns_service", Base.metadata)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/applications/%00", 422),
        ("/applications/RA-1%0a", 422),
        ("/contracts/%00/form", 422),
        ("/applications?customer_name=%00", 422),
        ("/applications?updated_to=9999-12-31", 422),
        ("/applications?updated_from=0001-01-01", 422),
        ("/applications?status=NO_SUCH", 422),
        ("/applications?limit=0", 422),
        ("/applications?limit=101", 422),
        ("/applications/" + "x" * 101, 422),
        ("/applications/RA-99999999", 404),
        ("/contracts/NO-SUCH/form", 404),
    ],
)
async def test_malformed_questions_are_refused(returns: ReturnsApi, path: str, status: int) -> None:
    answer = await returns(YAMADA).send("GET", path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_malformed_bodies_are_refused(returns: ReturnsApi) -> None:
    bodies: list[Any] = [
        {"contract_no": "C\x001"},
        {"contract_no": 7},
        {},
        [],
        "x",
        {"contract_no": None},
    ]
    for body in bodies:
        answer = await returns(YAMADA).send("POST", "/applications", body)
        assert answer.status_code == 422, answer.text
    headers = {**returns(YAMADA).headers, "content-type": "application/json"}
    answer = await returns.http.post(f"{BASE}/applications", content=b"\xff", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "BODY_UNREADABLE")
    assert await returns.rows("SELECT 1 FROM application") == []
