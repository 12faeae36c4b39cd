"""What did not get through: seen, replayed, passed over, in the pages of an operator."""

from datetime import UTC, datetime

import pytest

from shared.auth import Principal, Role
from shared.clock import SystemClock
from shared.context import new_id
from shared.envelope import Envelope
from shared.inbox import Inbox
from shared.testing.stepwise import drain
from shared.worker import Worker

from .counter import OPERATOR, TANAKA, Counter


def unheard_of(aggregate_id: str, sequence: int = 1) -> Envelope:
    return Envelope(
        event_id=new_id(), source="/contracts", type="contract.unheard_of.v9",
        aggregate_type="contract", aggregate_id=aggregate_id, sequence=sequence, dealer_id="D01",
        occurred_at=datetime(2025, 7, 15, tzinfo=UTC), payload=b'{"contract_no": "C1001"}',
    )  # fmt: skip


async def bury(counter: Counter, *events: Envelope) -> None:
    """The worker of returns gives up on a type that it does not know."""
    await Inbox(counter.returns, "returns").store(events)
    worker = Worker(counter.returns, "returns", {}, SystemClock(), attempts=1, pause=0.0)
    await drain(worker)


def test_the_operator_is_an_operator_alone() -> None:
    assert isinstance(OPERATOR, Principal)
    assert OPERATOR.roles == {Role.OPERATOR}


async def test_a_dead_letter_is_seen_replayed_and_passed_over(counter: Counter) -> None:
    event, behind = unheard_of("X1"), unheard_of("X1", 2)
    await bury(counter, event, behind)
    async with counter.of(OPERATOR) as operator:
        await operator.go("/operation/dead-letters")
        assert "contract.unheard_of.v9" in operator.words
        assert "通勤定期・経費の情報を表示できません。" in operator.words  # it does not run here
        here = f"/operation/dead-letters/returns/{event.event_id}"
        await operator.go(here)
        assert '"contract_no": "C1001"' in operator.words
        assert "後ろで待っている通知 1件" in operator.words
        await operator.go(f"{here}/replay")
        await operator.send("/replay")
        assert "もう一度処理します。" in operator.words
        await bury(counter)
        await operator.go(f"{here}/skip")
        await operator.send("/skip", reason="  ")
        assert "理由を500文字以内で入力してください。" in operator.beside("reason")
        await operator.send("/skip", reason="送り元と確認済み")
        assert "読み飛ばしました。" in operator.words
        assert (await operator.go(here)).status == 404


async def test_all_of_one_cause_are_replayed_after_a_question(counter: Counter) -> None:
    events = [unheard_of(f"Y{n}") for n in range(3)]
    await bury(counter, *events)
    async with counter.of(OPERATOR) as operator:
        await operator.go(f"/operation/dead-letters/returns/{events[0].event_id}")
        await operator.send("/cause")
        assert "この原因の通知をすべて" in operator.words
        await operator.send("/cause")
        assert "件をもう一度処理します。" in operator.words


async def test_a_refused_message_that_is_still_none_says_so_and_is_put_away(
    counter: Counter,
) -> None:
    await Inbox(counter.returns, "returns").refuse("not JSON", "contract", {}, b"hello")
    [refused] = await Inbox(counter.returns, "returns").refused()
    async with counter.of(OPERATOR) as operator:
        await operator.go("/operation/quarantine")
        assert "not JSON" in operator.words
        here = f"/operation/quarantine/returns/{refused.refused_id}"
        await operator.go(f"{here}/replay")
        await operator.send("/replay")
        assert operator.status == 409
        assert "この通知は、まだ読み取れません。" in operator.words
        await operator.go(f"{here}/skip")
        await operator.send("/skip", reason="試験")
        await operator.go("/operation/quarantine")
        assert "受け取らなかった通知はありません。" in operator.words


async def test_the_lag_is_drawn_for_each_service_that_answers(counter: Counter) -> None:
    async with counter.of(OPERATOR) as operator:
        await operator.go("/operation/lag")
        assert (
            operator.html.count("<svg") == 6
        )  # two lags of contracts, of returns and of the interchange
        assert 'hx-trigger="every 5s"' in operator.html
        assert "通知メールの情報を表示できません。" in operator.words
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
async def test_what_is_not_there_is_not_found(counter: Counter, path: str) -> None:
    async with counter.of(OPERATOR) as operator:
        assert (await operator.go(path)).status == 404


@pytest.mark.parametrize("path", ["dead-letters", "quarantine", "lag"])
async def test_nobody_else_gets_in(counter: Counter, path: str) -> None:
    async with counter.of(TANAKA) as tanaka:
        assert (await tanaka.go(f"/operation/{path}")).status == 403
