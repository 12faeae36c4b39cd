"""Mail log API: who may read it, what is found, and the resend by a person."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from event_contracts.returns import ReturnCompleted, ReturnRemanded
from notifier_service.app import create_app
from notifier_service.models import Base
from notifier_service.rules.recipients import MailKind, RecipientRole
from shared import migrate
from shared.auth import Principal, Role
from shared.testing.people import OPERATOR, OTHER_HQ, TFC, bearer, verifier
from shared.testing.people import TANAKA as HQ
from shared.tokens import principal_of

COMPLETED = {
    "completed_at": datetime(2025, 7, 7, 1, 0, tzinfo=UTC),
    "result": "returned",
    "separate_procedure": False,
    "completion_mail_opt_in": True,
}
REMAND = {"from_level": "hq", "to_level": "store", "recipient_has_address": True}


def someone(role: Role, dealer: str | None = "D01") -> Principal:
    return Principal(f"u-{role}", "someone", dealer, None, "E1", frozenset({role}), None)


class Visitor:
    """Calls the API as a person."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, who: Principal, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query, headers=bearer(who))

    async def found(self, who: Principal, **query: Any) -> list[dict[str, Any]]:
        answer = await self.get(who, "/mails", **query)
        assert answer.status_code == 200, answer.text
        mails: list[dict[str, Any]] = answer.json()["mails"]
        return mails

    async def resend(
        self, who: Principal, mail_id: str, version: int | None = None
    ) -> httpx.Response:
        headers = bearer(who) | ({"if-match": f'"{version}"'} if version else {})
        return await self.http.post(f"/mails/{mail_id}/resend", headers=headers)


@pytest.fixture
async def visitor(notifier: Any) -> AsyncIterator[Visitor]:
    app = create_app(notifier.database, notifier.clock, principal_of(verifier()))
    base = "http://notifier/api/notifier/v1"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as http:
        yield Visitor(http)


async def two_dealers(notifier: Any) -> None:
    """A completion for A1 of D01 (one sent), and a remand for B1 of D02 (not yet sent)."""
    notifier.knows(round_approvers=[])
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    await notifier.receive(
        ReturnRemanded, application_id="B1", contract_no="87654321", dealer_id="D02", **REMAND
    )


async def test_the_tables_are_those_of_the_models(notifier: Any) -> None:
    await migrate.check(notifier.database.url, "notifier_service", Base.metadata)


async def test_another_dealers_mails_are_out_of_reach_even_without_a_where(notifier: Any) -> None:
    await two_dealers(notifier)
    for dealer, expected in (("D01", ["A1"]), ("D02", ["B1"]), ("D03", []), (None, [])):
        async with notifier.database.transaction(dealer) as tx:
            rows = await tx.execute(text("SELECT subject_id FROM mail"))
            assert [row.subject_id for row in rows] == expected
    async with notifier.database.transaction("D02") as tx:
        assert (
            await tx.execute(text("SELECT 1 FROM mail_log WHERE dealer_id = 'D01'"))
        ).all() == []


@pytest.mark.parametrize(
    ("who", "expected"),
    [(OPERATOR, ["B1", "A1"]), (TFC, ["B1", "A1"]), (HQ, ["A1"]), (OTHER_HQ, ["B1"])],
    ids=["operator", "TFC", "HQ of D01", "HQ of D02"],
)
async def test_who_sees_which_mails(
    notifier: Any, visitor: Visitor, who: Principal, expected: list[str]
) -> None:
    await two_dealers(notifier)
    assert [mail["application_id"] for mail in await visitor.found(who)] == expected
    asked = await visitor.found(who, dealer_id="D01")
    assert [mail["application_id"] for mail in asked] == (["B1"] if who is OTHER_HQ else ["A1"])


async def test_operators_count_what_the_list_of_that_state_has(
    notifier: Any, visitor: Visitor
) -> None:
    await two_dealers(notifier)
    for state, expected in (("unknown", 1), ("failed", 2)):
        async with notifier.database.transaction("*") as tx:
            where = "subject_id = 'A1'" if expected == 1 else "true"
            await tx.execute(
                text(f"UPDATE mail SET state = '{state}', reason = NULL WHERE {where}")
            )
        answer = (await visitor.get(OPERATOR, "/operations/work")).json()
        [count] = [one for one in answer["counts"] if one["key"] == state]
        assert count["count"] == len(await visitor.found(OPERATOR, **count["filter"])) == expected
    for who in (HQ, TFC):
        assert (await visitor.get(who, "/operations/work")).status_code == 403


async def test_headquarters_of_no_dealer_sees_nothing(notifier: Any, visitor: Visitor) -> None:
    await two_dealers(notifier)
    assert await visitor.found(someone(Role.HQ, None)) == []


async def test_nobody_else_may_look(visitor: Visitor) -> None:
    for role in set(Role) - {Role.OPERATOR, Role.TFC, Role.HQ}:
        answer = await visitor.get(someone(role), "/mails")
        assert (answer.status_code, answer.json()["code"]) == (403, "ROLE_NOT_ALLOWED")


SEARCHES: list[tuple[dict[str, str], list[str]]] = [
    ({"application_id": "A1"}, ["A1"]),
    ({"contract_no": "87654321"}, ["B1"]),
    ({"state": "sent"}, ["A1"]),
    ({"state": "scheduled"}, ["B1"]),
    ({"mail_kind": "M3"}, ["B1"]),
    ({"state": "unknown"}, []),
    ({"planned_from": "2000-01-01", "planned_to": "2999-12-31"}, ["B1", "A1"]),
    ({"planned_to": "2001-01-01"}, []),
    ({"planned_from": "2999-01-01"}, []),
]


async def test_what_can_be_searched_for(notifier: Any, visitor: Visitor) -> None:
    await two_dealers(notifier)
    for query, expected in SEARCHES:
        found = await visitor.found(OPERATOR, **query)
        assert [mail["application_id"] for mail in found] == expected, query


async def test_pages_follow_each_other_without_gap_or_overlap(
    notifier: Any, visitor: Visitor
) -> None:
    for number in range(5):
        await notifier.receive(ReturnCompleted, application_id=f"A{number}", **COMPLETED)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await visitor.get(OPERATOR, "/mails", limit=2, **after)).json()
        seen += [mail["application_id"] for mail in page["mails"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == ["A4", "A3", "A2", "A1", "A0"]


NO_SEARCHES: list[dict[str, str]] = [
    {"contract_no": "a\0b"},
    {"contract_no": "x" * 65},
    {"state": "gone"},
    {"mail_kind": "M9"},
    {"limit": "0"},
    {"limit": "201"},
    {"after": "none"},
    {"planned_from": "0001-01-01"},
    {"planned_to": "9999-12-31"},
    {"colour": "red"},
]


async def test_what_cannot_be_searched_for(visitor: Visitor) -> None:
    for query in NO_SEARCHES:
        answer = await visitor.get(OPERATOR, "/mails", **query)
        assert (answer.status_code, answer.json()["code"]) == (422, "FORM_ERRORS"), query


async def test_one_mail_with_its_text_and_history(notifier: Any, visitor: Visitor) -> None:
    await two_dealers(notifier)
    [line] = await visitor.found(HQ)
    answer = await visitor.get(HQ, f"/mails/{line['mail_id']}")
    mail = answer.json()
    assert mail["subject"] == "【J-PASS】手続完了のお知らせ（契約番号12345678）"
    assert "車両返却のお手続きが完了しました" in mail["body"]
    assert mail["message_id"] == f"<{mail['mail_id']}@toyota-finance.co.jp>"
    assert (mail["state"], mail["state_japanese"]) == ("sent", "送信済み")
    assert mail["address"] == "yamada@d01.example"
    assert [step["step"] for step in mail["history"]] == ["sent"]
    assert answer.headers["etag"] == f'"{mail["version"]}"'


async def test_every_recipient_of_every_kind_has_a_name(notifier: Any, visitor: Visitor) -> None:
    """A row for each of them shows in the list."""
    roles = RecipientRole.__args__  # type: ignore[attr-defined]
    for number, role in enumerate(roles):
        kind = list(MailKind)[number % len(MailKind)]
        await notifier.rows(
            "INSERT INTO mail (mail_id, dealer_id, mail_kind, cause, subject_id, contract_no,"
            " recipient_role, place, facts, planned_at) VALUES"
            f" (gen_random_uuid(), 'D01', '{kind}', 'c', 'S', '', '{role}', 1, '{{}}', now())"
            " RETURNING 1"
        )
    found = await visitor.found(OPERATOR)
    assert sorted(mail["recipient_role"] for mail in found) == sorted(roles)
    assert all(mail["recipient_role_japanese"] for mail in found)


async def test_another_dealers_mail_does_not_exist(notifier: Any, visitor: Visitor) -> None:
    await two_dealers(notifier)
    [line] = await visitor.found(HQ)
    answer = await visitor.get(OTHER_HQ, f"/mails/{line['mail_id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    nothing = await visitor.resend(OPERATOR, str(UUID(int=0)), 1)
    assert nothing.status_code == 404


async def the_one(notifier: Any, visitor: Visitor, behaviour: str) -> dict[str, Any]:
    """A mail to 山田 alone that the mail server met in a certain way."""
    notifier.host.behave = lambda _: behaviour
    notifier.knows(round_approvers=[])
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    notifier.host.behave = lambda _: "250 OK"
    [line] = await visitor.found(OPERATOR)
    return line


@pytest.mark.rule("D155")
@pytest.mark.parametrize(
    ("behaviour", "state", "same_id"),
    [("cut", "unknown", True), ("554 no", "failed", True), ("250 OK", "sent", False)],
)
async def test_a_person_may_have_a_mail_sent_again(
    notifier: Any, visitor: Visitor, behaviour: str, state: str, same_id: bool
) -> None:
    line = await the_one(notifier, visitor, behaviour)
    assert line["state"] == state
    assert line["resend"] == {"enabled": True, "code": None, "reason": None}
    answer = await visitor.resend(OPERATOR, line["mail_id"], line["version"])
    assert (answer.status_code, answer.json()["state"]) == (200, "scheduled")
    await notifier.sender().send_due()
    whole = (await visitor.get(OPERATOR, f"/mails/{line['mail_id']}")).json()
    assert whole["state"] == "sent"
    assert (whole["message_id"] == f"<{line['mail_id']}@toyota-finance.co.jp>") is same_id
    steps = [(step["step"], step["actor"]) for step in whole["history"]]
    assert steps == [(state, None), ("resend", OPERATOR.person_id), ("sent", None)]


async def test_a_mail_kept_back_for_want_of_an_address_can_be_sent_once_there_is_one(
    notifier: Any, visitor: Visitor
) -> None:
    nobody = {"person_id": "D01-E101", "role": "sales", "mail": None}
    notifier.knows(originator=nobody)
    await notifier.receive(ReturnCompleted, **COMPLETED)
    await notifier.sender().send_due()
    [line] = await visitor.found(OPERATOR)
    assert line["reason"] == "no_address"
    notifier.knows()
    await visitor.resend(TFC, line["mail_id"], line["version"])
    await notifier.sender().send_due()
    assert len(notifier.host.written_to) == 3


async def test_what_cannot_be_sent_again(notifier: Any, visitor: Visitor) -> None:
    notifier.knows(completion_mail=False)
    await notifier.receive(ReturnCompleted, **COMPLETED)
    [waiting] = await visitor.found(OPERATOR)
    underway = await visitor.resend(OPERATOR, waiting["mail_id"], waiting["version"])
    assert (underway.status_code, underway.json()["code"]) == (409, "MAIL_UNDERWAY")
    await notifier.sender().send_due()
    [opted_out] = await visitor.found(OPERATOR)
    assert opted_out["resend"]["code"] == "MAIL_NOT_DUE"
    not_due = await visitor.resend(OPERATOR, opted_out["mail_id"], opted_out["version"])
    assert (not_due.status_code, not_due.json()["code"]) == (409, "MAIL_NOT_DUE")


async def test_a_resend_needs_the_version_that_the_person_saw(
    notifier: Any, visitor: Visitor
) -> None:
    line = await the_one(notifier, visitor, "cut")
    missing = await visitor.resend(OPERATOR, line["mail_id"])
    assert (missing.status_code, missing.json()["code"]) == (428, "VERSION_MISSING")
    first = await visitor.resend(OPERATOR, line["mail_id"], line["version"])
    second = await visitor.resend(OPERATOR, line["mail_id"], line["version"])
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "VERSION_CONFLICT"
    await notifier.sender().send_due()
    assert len(notifier.host.mails) == 1


async def test_nobody_else_may_have_a_mail_sent_again(notifier: Any, visitor: Visitor) -> None:
    line = await the_one(notifier, visitor, "cut")
    for role in set(Role) - {Role.OPERATOR, Role.TFC}:
        answer = await visitor.resend(someone(role), line["mail_id"], line["version"])
        assert (answer.status_code, answer.json()["code"]) == (403, "ROLE_NOT_ALLOWED")
    assert await visitor.found(OPERATOR) == [line]
