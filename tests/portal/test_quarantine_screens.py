"""隔離メッセージ: an operator reads what was refused to a dealer's system, and settles it."""

import re
from typing import Any

import httpx
import pytest

from .counter import OPERATOR, TANAKA, Counter, Visitor

RETURNED = {"source_id": "R-1", "contract_no": "12345678", "received_on": "2025-07-14"}


async def let_in(operator: Visitor, dealer: str) -> str:
    """A dealer's new key."""
    await operator.go("/operation/dealers")
    await operator.send("/dealers", dealer_id=dealer, name="第九十販売")
    await operator.send("/keys", label="基幹システム", last_on="2025/12/31")
    [key] = re.findall(r"mdk_[\w-]+", operator.html)
    return str(key)


async def send(counter: Counter, dealer: str, key: str, **changes: Any) -> str:
    """Send a message by HTTPS that is refused; where it lies in quarantine."""
    url = counter.site.app.state.portal.settings.service_urls["interchange"]
    headers = {
        "authorization": f"Bearer {key}", "ce-specversion": "1.0", "ce-id": "m-1",
        "ce-source": "/dms", "ce-type": "dealer.vehicle_returned.v1",
        "ce-time": "2025-01-01T00:00:00Z", "content-type": "application/json",
    }  # fmt: skip
    data = {"dealer_id": dealer, **RETURNED, **changes}
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(f"{url}/dealers/{dealer}/events", headers=headers, json=data)
    assert answer.is_client_error, answer.text
    return f"/operation/dealer-messages/{answer.json()['facts']['quarantined_id']}"


async def test_a_late_message_is_read_and_accepted_after_all(counter: Counter) -> None:
    async with counter.of(OPERATOR) as operator:
        here = await send(counter, "D90", await let_in(operator, "D90"), place="本店")
        await operator.go("/operation/dealer-messages")
        assert "D90 HTTPS time（発生日時）が古すぎます。" in operator.words
        await operator.go(here)
        assert "ce-id: m-1" in operator.words
        assert '"place":"本店"' in operator.words
        await operator.go(f"{here}/release")
        await operator.send("/release")
        assert "受け入れました。" in operator.words
        await operator.go(here)
        assert "結果 受け入れました" in operator.words
        assert f"{here}/release" not in operator.html


async def test_what_is_refused_again_says_so_and_is_discarded_with_a_reason(
    counter: Counter,
) -> None:
    async with counter.of(OPERATOR) as operator:
        key = await let_in(operator, "D91")
        here = await send(counter, "D91", key, dealer_id="D90", place="<script>")
        await operator.go(here)
        assert "<script>" in operator.words
        await operator.go(f"{here}/release")
        await operator.send("/release")
        assert operator.status == 422
        assert "data の dealer_id が送信元の販売店ではありません。" in operator.words
        await operator.go(f"{here}/discard")
        await operator.send("/discard", note="")
        assert operator.beside("note")
        await operator.send("/discard", note="送り元に連絡済み")
        assert "破棄しました。" in operator.words
        await operator.go(here)
        assert "送り元に連絡済み" in operator.words
        await operator.go(f"{here}/discard")
        await operator.send("/discard", note="もう一度")
        assert operator.status == 409
        assert "すでに処理されています。" in operator.words


@pytest.mark.parametrize("path", ["", "/01a2041a-abc4-72a2-80ad-b73dda59c6cf"])
async def test_nobody_but_operators_gets_in(counter: Counter, path: str) -> None:
    async with counter.of(TANAKA) as tanaka:
        assert (await tanaka.go(f"/operation/dealer-messages{path}")).status == 403
    async with counter.of(OPERATOR) as operator:
        expected = 404 if path else 200
        assert (await operator.go(f"/operation/dealer-messages{path}")).status == expected
