"""Operator screens: dead letters and refused messages are shown, replayed and skipped."""

from datetime import UTC, datetime

import pytest

from shared.auth import Principal, Role
from shared.clock import SystemClock
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.testing.people import OPERATOR, TANAKA
from shared.testing.stepwise import drain
from shared.trace_context import new_id
from shared.worker import Worker

from .portal_stack import PortalStack


def unknown_event(aggregate_id: str, sequence: int = 1) -> Envelope:
    return Envelope(
        event_id=new_id(), source="/contracts", type="contract.unknown_event.v9",
        aggregate_type="contract", aggregate_id=aggregate_id, sequence=sequence, dealer_id="D01",
        occurred_at=datetime(2025, 7, 15, tzinfo=UTC), payload=b'{"contract_no": "C1001"}',
    )  # fmt: skip


async def make_dead_letter(portal_stack: PortalStack, *events: Envelope) -> None:
    """Make the worker of returns create a dead letter of an unknown type."""
    await Inbox(portal_stack.returns, "returns").store(events)
    worker = Worker(portal_stack.returns, "returns", {}, SystemClock(), attempts=1, pause=0.0)
    await drain(worker)


def test_the_operator_has_only_the_operator_role() -> None:
    assert isinstance(OPERATOR, Principal)
    assert OPERATOR.roles == {Role.OPERATOR}


async def test_a_dead_letter_is_shown_replayed_and_skipped(portal_stack: PortalStack) -> None:
    event, behind = unknown_event("X1"), unknown_event("X1", 2)
    await make_dead_letter(portal_stack, event, behind)
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit("/operation/dead-letters")
        assert "contract.unknown_event.v9" in operator.text
        assert "通勤定期・経費の情報を表示できません。" in operator.text  # it does not run here
        here = f"/operation/dead-letters/returns/{event.event_id}"
        await operator.visit(here)
        assert '"contract_no": "C1001"' in operator.text
        assert "後ろで待っている通知 1件" in operator.text
        await operator.visit(f"{here}/replay")
        await operator.send("/replay")
        assert "もう一度処理します。" in operator.text
        await make_dead_letter(portal_stack)
        await operator.visit(f"{here}/skip")
        await operator.send("/skip", reason="  ")
        assert "理由を500文字以内で入力してください。" in operator.error_for("reason")
        await operator.send("/skip", reason="送り元と確認済み")
        assert "読み飛ばしました。" in operator.text
        assert (await operator.visit(here)).status == 404


async def test_all_of_one_cause_are_replayed_after_a_confirmation(
    portal_stack: PortalStack,
) -> None:
    events = [unknown_event(f"Y{n}") for n in range(3)]
    await make_dead_letter(portal_stack, *events)
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit(f"/operation/dead-letters/returns/{events[0].event_id}")
        await operator.send("/cause")
        assert "この原因の通知をすべて" in operator.text
        await operator.send("/cause")
        assert "件をもう一度処理します。" in operator.text


async def test_a_refused_message_that_is_still_invalid_is_discarded(
    portal_stack: PortalStack,
) -> None:
    await Inbox(portal_stack.returns, "returns").refuse("not JSON", "contract", {}, b"hello")
    [refused] = await Inbox(portal_stack.returns, "returns").refused()
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit("/operation/refused")
        assert "not JSON" in operator.text
        here = f"/operation/refused/returns/{refused.refused_id}"
        await operator.visit(f"{here}/replay")
        await operator.send("/replay")
        assert operator.status == 409
        assert "この通知は、まだ読み取れません。" in operator.text
        await operator.visit(f"{here}/skip")
        await operator.send("/skip", reason="試験")
        await operator.visit("/operation/refused")
        assert "受け取らなかった通知はありません。" in operator.text


async def test_the_lag_is_charted_for_each_available_service(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit("/operation/lag")
        assert (
            operator.html.count("<svg") == 6
        )  # two lags of contracts, of returns and of the interchange
        assert 'hx-trigger="every 5s"' in operator.html
        assert "通知メールの情報を表示できません。" in operator.text
        part = await operator.browser.http.get("/operation/lag", headers={"hx-request": "true"})
        assert part.text.lstrip().startswith('<div id="lag"')


@pytest.mark.parametrize(
    "path",
    [
        "/operation/dead-letters/returns/none",
        "/operation/dead-letters/nobody/01a2041a-abc4-72a2-80ad-b73dda59c6cf",
        "/operation/letters/returns/01a2041a-abc4-72a2-80ad-b73dda59c6cf",
        "/operation/dead-letters/returns/01a2041a-abc4-72a2-80ad-b73dda59c6cf/burn",
    ],
)
async def test_a_missing_record_is_not_found(portal_stack: PortalStack, path: str) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        assert (await operator.visit(path)).status == 404


@pytest.mark.parametrize("path", ["dead-letters", "refused", "lag"])
async def test_other_roles_have_no_access(portal_stack: PortalStack, path: str) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        assert (await tanaka.visit(f"/operation/{path}")).status == 403


@pytest.mark.parametrize("rest", ["", "/returns/7"])
async def test_the_old_url_of_refused_messages_redirects(
    portal_stack: PortalStack, rest: str
) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        response = await operator.browser.http.get(f"/operation/quarantine{rest}")
    assert response.status_code == 308
    assert response.headers["location"] == f"/operation/refused{rest}"
