"""Access log: each kind of access leaves a row with ids, and only operators read it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal_service.access_log import BURST, Access, AccessLogWriter
from portal_service.access_recording import PRINTED, shown_by
from portal_service.app import create_app
from shared.auth import policies_by_path
from shared.db import Database
from shared.metrics import REGISTRY
from shared.testing.people import OPERATOR, SATO, TANAKA, YAMADA
from shared.testing.servers import PLAIN

from .conftest import AWAY, Site, portal_settings
from .portal_stack import PortalStack

Row = dict[str, Any]
ALL = "?mode=general&final_from=2020/1"


@pytest.fixture
async def log(site: Site) -> AsyncIterator[Database]:
    database = Database(site.database)
    yield database
    await database.close()


async def rows_of(database: Database, action: str, **wanted: object) -> list[Row]:
    """The rows of an action, once there is one that fits; rows are stored in the background."""
    async with asyncio.timeout(10):
        while True:
            async with database.transaction() as tx:
                found = await tx.execute(
                    text("SELECT * FROM access_log WHERE action = :action ORDER BY position"),
                    {"action": action},
                )
                rows = [dict(row) for row in found.mappings()]
            fit = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
            if fit:
                return fit
            await asyncio.sleep(0.05)


@pytest.mark.rule("S5")
async def test_signing_in_and_out_is_recorded(site: Site, log: Database) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e900")
        await browser.http.post("/auth/logout", data={"csrf": await browser.csrf()})
    signed_in = (await rows_of(log, "sign-in", actor="D01-E900"))[-1]
    assert signed_in["outcome"] == "success"
    assert signed_in["client"] == "127.0.0.1"
    assert (signed_in["method"], signed_in["route"]) == ("GET", "/auth/callback")
    assert signed_in["session"]
    left = await rows_of(log, "sign-out", actor="D01-E900", session=signed_in["session"])
    assert [row["outcome"] for row in left] == ["success"]


@pytest.mark.rule("S5")
async def test_a_failed_login_is_recorded(site: Site, log: Database) -> None:
    async with site.browser() as browser:
        headers = {"x-request-id": "a-failed-login"}
        await browser.http.get("/auth/callback?state=forged&code=x", headers=headers)
    [row] = await rows_of(log, "sign-in", request_id="a-failed-login")
    assert (row["outcome"], row["code"], row["actor"]) == ("failure", "SIGN_IN_FAILED", None)


@pytest.mark.rule("S5")
async def test_refusals_are_recorded_with_person_route_and_code(site: Site, log: Database) -> None:
    async with site.browser() as browser:
        await browser.sign_in("m100")
        names = {"x-request-id": "a-refused-page"}
        assert (await browser.http.get("/operation/dealers", headers=names)).status_code == 403
        names = {"x-request-id": "a-refused-record"}
        assert (await browser.http.get("/ask/404", headers=names)).status_code == 404
        names = {"x-request-id": "a-foreign-form"}
        sent = await browser.http.post("/notes", data={"csrf": "no", "memo": "x"}, headers=names)
        assert sent.status_code == 403
    [page] = await rows_of(log, "access-refused", request_id="a-refused-page")
    assert (page["actor"], page["code"]) == ("D01-M100", "ROLE_NOT_ALLOWED")
    assert (page["route"], page["status"]) == ("/operation/dealers", 403)
    [record] = await rows_of(log, "access-refused", request_id="a-refused-record")
    assert (record["actor"], record["code"]) == ("D01-M100", "RETURN_ALREADY_DECIDED")
    [form] = await rows_of(log, "form-refused", request_id="a-foreign-form")
    assert (form["actor"], form["code"]) == ("D01-M100", "FORM_NOT_OURS")


@pytest.mark.rule("S5")
async def test_the_use_of_an_ended_session_is_recorded(site: Site, log: Database) -> None:
    async with site.browser() as browser:
        await browser.sign_in("m100")
        copied = dict(browser.http.cookies)
        await browser.http.post("/auth/logout", data={"csrf": await browser.csrf()})
        async with httpx.AsyncClient(base_url=site.portal, cookies=copied, verify=PLAIN) as thief:
            await thief.get("/help", headers={"x-request-id": "a-stolen-cookie"})
    [row] = await rows_of(log, "session-refused", request_id="a-stolen-cookie")
    assert (row["actor"], row["code"], row["outcome"]) == ("D01-M100", "SESSION_ENDED", "failure")


@pytest.mark.rule("S5")
async def test_seen_printed_and_exported_customers_are_recorded(
    portal_stack: PortalStack,
) -> None:
    database = Database(portal_stack.site.database)
    async with portal_stack.signed_in(SATO) as sato:
        await sato.visit(f"/contracts{ALL}")
        number = "C1004"
        await sato.visit(f"/contracts/{number}")
        await sato.visit(f"/contracts/{number}/payment-confirmation")
        csv = await sato.browser.http.get(f"/contracts.csv{ALL}")
        assert csv.status_code == 200
        await sato.visit("/contracts/000000000000")
    actor = SATO.person_id
    [seen] = await rows_of(database, "customer-viewed", actor=actor, object_id=number)
    assert (seen["object_kind"], seen["route"]) == ("contract", "/contracts/{contract_no}")
    assert await rows_of(database, "printed", actor=actor, object_id=number)
    [saved] = await rows_of(database, "exported", actor=actor)
    assert saved["row_count"] == len(csv.text.strip().splitlines()) - 1 > 0
    [search] = await rows_of(database, "customers-listed", actor=actor)
    assert search["row_count"] > 0
    [refused] = await rows_of(database, "access-refused", object_id="000000000000")
    assert (refused["actor"], refused["code"]) == (actor, "CONTRACT_NOT_FOUND")
    async with database.transaction() as tx:
        everything = (await tx.execute(text("SELECT a::text FROM access_log a"))).scalars().all()
    names = {row for row in everything for who in (SATO, YAMADA, TANAKA) if who.name in row}
    assert names == set(), "ids only"
    await database.close()


@pytest.mark.rule("S5")
async def test_steps_of_operators_are_recorded(portal_stack: PortalStack) -> None:
    database = Database(portal_stack.site.database)
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit("/operation/dealers")
        await operator.send("/dealers", dealer_id="D77", name="第七十七販売")
        await operator.visit("/operation/dealers/D77/deactivate")
        await operator.send("/deactivate")
    [shut] = await rows_of(database, "operator-step", object_id="D77")
    assert shut["route"].startswith("/operation/dealers/{dealer}/")
    assert (shut["actor"], shut["object_kind"]) == (OPERATOR.person_id, "dealer")
    assert shut["outcome"] == "success"
    await database.close()


def test_every_page_of_a_customer_and_every_file_is_recorded() -> None:
    """A new page is recorded by its path; a print at another path has to be listed."""
    app = create_app(portal_settings("http://portal", "http://issuer"))
    paths = {path for method, path in policies_by_path(app) if method == "GET"}
    assert paths >= PRINTED
    records = {"contract_no": "1", "application_id": "1", "slip_id": "1", "export_id": "1"}
    for path in paths:
        given = {name: value for name, value in records.items() if f"{{{name}}}" in path}
        shown = shown_by("GET", path, given)
        if {"contract_no", "application_id"} & set(given):
            assert shown is not None, path
        if path.endswith((".csv", "/print")) or "confirmation" in path.rpartition("/")[2]:
            assert shown is not None or path == "/commuter/confirmations", path
    assert shown_by("POST", "/contracts/{contract_no}", {"contract_no": "1"}) is None


@pytest.mark.rule("S6")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_log SET actor = 'nobody'",
        "DELETE FROM access_log WHERE at > now() - interval '29 days'",
        "TRUNCATE access_log",
    ],
)
async def test_rows_can_only_be_added(site: Site, log: Database, statement: str) -> None:
    async with site.browser() as browser:
        await browser.sign_in("e101")
    await rows_of(log, "sign-in", actor="D01-E101")
    with pytest.raises(
        DBAPIError, match=r"rows can only be added|permission denied for table access_log"
    ):
        async with log.transaction() as tx:
            await tx.execute(text(statement))


@pytest.mark.rule("S6")
async def test_rows_are_deleted_after_their_retention(
    site: Site, log: Database, wait_until: Callable[..., Any]
) -> None:
    insert = text(
        "INSERT INTO access_log (at, action, outcome, method, route) VALUES"
        " (now() - make_interval(days => :days), 'sign-in', 'success', 'GET', :route)"
    )
    async with log.transaction() as tx:
        await tx.execute(insert, {"days": 500, "route": "past"})
        await tx.execute(insert, {"days": 399, "route": "kept"})
    app = create_app(portal_settings(site.portal, site.issuer, database=site.database))
    async with app.router.lifespan_context(app):
        await wait_until(lambda: _routes(log), lambda found: "past" not in found)
    assert "kept" in await _routes(log)


async def _routes(log: Database) -> set[str]:
    async with log.transaction() as tx:
        return set(await tx.scalars(text("SELECT route FROM access_log")))


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    async def wait(ask: Callable[[], Any], right: Callable[[Any], bool]) -> None:
        async with asyncio.timeout(10):
            while not right(await ask()):  # noqa: ASYNC110 - a row in a database has no event
                await asyncio.sleep(0.05)

    return wait


def access(**given: Any) -> Access:
    facts: dict[str, Any] = {"action": "sign-in", "outcome": "success", "method": "GET"}
    return Access(**facts | {"route": "/here", "at": datetime.now(UTC)} | given)


@pytest.mark.rule("S6")
async def test_rows_wait_for_a_database_that_is_away(log: Database) -> None:
    away = Database(AWAY)
    writer = AccessLogWriter(away, large_export=10)
    working = asyncio.create_task(writer.run())
    writer.add(access(route="/written-late"))
    await asyncio.sleep(0.5)
    writer.database = log
    [row] = await rows_of(log, "sign-in", route="/written-late")
    assert row["outcome"] == "success"
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await away.close()


async def test_rows_that_wait_are_stored_when_the_process_stops(log: Database) -> None:
    writer = AccessLogWriter(log, large_export=10)
    working = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    for number in range(1200):
        writer.add(access(route=f"/last-{number}"))
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert {f"/last-{number}" for number in range(1200)} <= await _routes(log)


@pytest.mark.rule("S7")
async def test_many_refusals_of_one_person_and_large_exports_are_counted() -> None:
    writer = AccessLogWriter(Database(AWAY), large_export=100)
    before = REGISTRY.get_sample_value("madoguchi_portal_refusal_bursts_total") or 0
    counted = [writer.refused_often("D01-E101", now=float(at)) for at in range(2 * BURST)]
    assert counted == ([False] * (BURST - 1) + [True]) * 2
    slow = [writer.refused_often("D01-E102", now=at * 30.0) for at in range(3 * BURST)]
    assert not any(slow), "thirty in fifteen minutes are no burst"
    assert (REGISTRY.get_sample_value("madoguchi_portal_refusal_bursts_total") or 0) - before == 2
    before = REGISTRY.get_sample_value("madoguchi_portal_large_exports_total") or 0
    for rows in (100, 101):
        writer.add(access(action="exported", row_count=rows))
    assert (REGISTRY.get_sample_value("madoguchi_portal_large_exports_total") or 0) - before == 1


@pytest.mark.rule("S7")
async def test_a_burst_of_refusals_becomes_a_row(site: Site, log: Database) -> None:
    async with site.browser() as browser:
        await browser.sign_in("a001")
        for _ in range(BURST):
            await browser.http.get("/operation/dealers")
    [row] = await rows_of(log, "refusal-burst", actor="D01-A001")
    assert row["route"] == "/operation/dealers"


def test_a_log_line_has_the_names_of_the_schema() -> None:
    writer = AccessLogWriter(Database(AWAY), large_export=10)
    with structlog.testing.capture_logs() as lines:
        writer.add(access(actor="D01-E101", code="SOME_CODE", client="192.0.2.7", status=403))
    [line] = lines
    assert line == {
        "event": "access", "log_level": "info", "event.action": "sign-in",
        "event.outcome": "success", "event.code": "SOME_CODE", "user.id": "D01-E101",
        "client.address": "192.0.2.7", "http.request.method": "GET", "http.route": "/here",
        "http.response.status_code": 403,
    }  # fmt: skip


@pytest.mark.rule("S5")
async def test_operators_search_the_log_and_save_it(site: Site, log: Database) -> None:
    async with site.browser() as browser, site.browser() as operator:
        await browser.sign_in("t001")
        await rows_of(log, "sign-in", actor="TFC-T001")
        await operator.sign_in("o001")
        found = await operator.http.get("/operation/access-log?actor=TFC-T001&action=sign-in")
        assert found.status_code == 200
        assert "TFC-T001" in found.text
        assert "D01-M100" not in found.text
        none = await operator.http.get("/operation/access-log?actor=TFC-T001&to=2001/1/1")
        assert "この条件に合う記録はありません。" in none.text
        wrong = await operator.http.get("/operation/access-log?since=いつか")
        assert "field-since" in wrong.text
        csv = await operator.http.get("/operation/access-log.csv?actor=TFC-T001&action=sign-in")
        lines = csv.content.decode("utf-8-sig").splitlines()
        assert lines[0].startswith("日時,だれが,操作")
        assert all(",TFC-T001,sign-in,success," in line for line in lines[1:])
    [saved] = await rows_of(log, "exported", route="/operation/access-log.csv")
    assert (saved["actor"], saved["row_count"]) == ("TFC-O001", len(lines) - 1)


async def test_a_long_log_has_pages_and_a_formula_is_defused(site: Site, log: Database) -> None:
    async with log.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO access_log (at, action, outcome, actor, method, route)"
                " SELECT now(), 'printed', 'success', '=HYPERLINK(1)', 'GET', '/n' || n"
                " FROM generate_series(1, 2101) n"
            )
        )
    async with site.browser() as operator:
        await operator.sign_in("o001")
        asked = {"actor": "=HYPERLINK(1)"}
        first = (await operator.http.get("/operation/access-log", params=asked)).text
        assert "/n2101" in first
        assert "/n2001" not in first
        following = first.partition("before=")[2].partition('"')[0]
        page = await operator.http.get(
            "/operation/access-log", params=asked | {"before": following}
        )
        assert "/n2001" in page.text
        csv = await operator.http.get("/operation/access-log.csv", params=asked)
        lines = csv.text.splitlines()
        assert len(lines) == 2102
        assert all("'=HYPERLINK(1)" in line for line in lines[1:])
