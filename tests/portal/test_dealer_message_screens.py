"""Dealer message screens (隔離メッセージ): an operator settles quarantined messages."""

import re
from typing import Any

import httpx
import pytest

from shared.testing.people import OPERATOR, TANAKA

from .portal_stack import PortalStack, PortalUser

RETURNED = {"source_id": "R-1", "contract_no": "12345678", "received_on": "2025-07-14"}


async def let_in(operator: PortalUser, dealer: str) -> str:
    """Register a dealer; returns its new key."""
    await operator.visit("/operation/dealers")
    await operator.send("/dealers", dealer_id=dealer, name="第九十販売")
    await operator.send("/keys", label="基幹システム", last_on="2025/12/31")
    [key] = re.findall(r"mdk_[\w-]+", operator.html)
    return str(key)


async def send(portal_stack: PortalStack, dealer: str, key: str, **changes: Any) -> str:
    """Send a message over HTTPS that is refused; returns its path in quarantine."""
    url = portal_stack.site.app.state.portal.settings.service_urls["interchange"]
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


async def test_a_late_message_is_read_and_released(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        here = await send(portal_stack, "D90", await let_in(operator, "D90"), place="本店")
        await operator.visit("/operation/dealer-messages")
        assert "D90 HTTPS time（発生日時）が古すぎます。" in operator.text
        await operator.visit(here)
        assert "ce-id: m-1" in operator.text
        assert '"place":"本店"' in operator.text
        await operator.visit(f"{here}/release")
        await operator.send("/release")
        assert "受け入れました。" in operator.text
        await operator.visit(here)
        assert "結果 受け入れました" in operator.text
        assert f"{here}/release" not in operator.html


async def test_a_message_refused_again_is_discarded_with_a_reason(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        key = await let_in(operator, "D91")
        here = await send(portal_stack, "D91", key, dealer_id="D90", place="<script>")
        await operator.visit(here)
        assert "<script>" in operator.text
        await operator.visit(f"{here}/release")
        await operator.send("/release")
        assert operator.status == 422
        assert "data の dealer_id が送信元の販売店ではありません。" in operator.text
        await operator.visit(f"{here}/discard")
        await operator.send("/discard", note="")
        assert operator.error_for("note")
        await operator.send("/discard", note="送り元に連絡済み")
        assert "破棄しました。" in operator.text
        await operator.visit(here)
        assert "送り元に連絡済み" in operator.text
        await operator.visit(f"{here}/discard")
        await operator.send("/discard", note="もう一度")
        assert operator.status == 409
        assert "すでに処理されています。" in operator.text


@pytest.mark.parametrize("path", ["", "/01a2041a-abc4-72a2-80ad-b73dda59c6cf"])
async def test_only_operators_have_access(portal_stack: PortalStack, path: str) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        assert (await tanaka.visit(f"/operation/dealer-messages{path}")).status == 403
    async with portal_stack.signed_in(OPERATOR) as operator:
        expected = 404 if path else 200
        assert (await operator.visit(f"/operation/dealer-messages{path}")).status == expected
