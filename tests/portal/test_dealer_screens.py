"""Dealer screens (連携先): an operator activates and deactivates a dealer's system."""

import re

import httpx

from shared.testing.people import OPERATOR, TANAKA

from .portal_stack import PortalStack


async def sent(portal_stack: PortalStack, key: str) -> str:
    """The refusal code for an invalid message that a dealer's system sends with a key."""
    async with httpx.AsyncClient(timeout=60) as http:
        url = portal_stack.site.app.state.portal.settings.service_urls["interchange"]
        answer = await http.post(
            f"{url}/dealers/D77/events", headers={"authorization": f"Bearer {key}"}, content=b"{}"
        )
    return str(answer.json()["code"])


async def test_a_key_is_made_shown_once_rotated_and_revoked(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit("/operation/dealers")
        await operator.send("/dealers", dealer_id="D 77", name="")
        assert "正しい形で入力してください。" in operator.error_for("dealer_id")
        await operator.send("/dealers", dealer_id="D77", name="第七十七販売")
        assert "続けてAPIキーを作成してください。" in operator.text
        await operator.send("/keys", label="基幹システム", last_on="2025/7/14")
        assert "今日以降の日付を入力してください。" in operator.error_for("last_on")
        await operator.send("/keys", label="基幹システム", last_on="2025/12/31")
        [key] = re.findall(r"mdk_[\w-]+", operator.html)
        assert await sent(portal_stack, key) == "NOT_A_CLOUD_EVENT"
        await operator.visit("/operation/dealers/D77")
        assert key not in operator.html
        key_id = key.split("_")[1]
        assert f"基幹システム {key_id} 使えます 2026/01/01" in operator.text
        assert "ー 切り替える" not in operator.text  # the key was used
        await operator.visit(f"/operation/dealers/D77/keys/{key_id}/rotate")
        await operator.send("/rotate")
        [new] = re.findall(r"mdk_[\w-]+", operator.html)
        assert await sent(portal_stack, new) == "NOT_A_CLOUD_EVENT"
        await operator.visit(f"/operation/dealers/D77/keys/{key_id}/revoke")
        assert "元には戻せません。" in operator.text
        await operator.send("/revoke")
        assert "APIキーを失効させました。" in operator.text
        assert await sent(portal_stack, key) == "KEY_REVOKED"


async def test_a_dealer_is_deactivated_and_reactivated(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit("/operation/dealers")
        await operator.send("/dealers", dealer_id="D78", name="第七十八販売")
        await operator.visit("/operation/dealers/D78/deactivate")
        await operator.send("/deactivate")
        assert "停止中" in operator.text
        await operator.visit("/operation/dealers/D78/activate")
        await operator.send("/activate")
        assert "受付中" in operator.text
        await operator.visit("/operation/dealers")
        await operator.send("/dealers", dealer_id="D78", name="第七十八販売")
        assert "この販売店は、すでに登録されています。" in operator.text
        for nothing in ("D79", "D78/burn", "D78/keys/none/revoke", "D78/keys/none/burn"):
            assert (await operator.visit(f"/operation/dealers/{nothing}")).status == 404


async def test_other_roles_have_no_access(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        assert (await tanaka.visit("/operation/dealers")).status == 403


async def test_reloading_the_page_of_a_new_key_creates_no_second_key(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(OPERATOR) as operator:
        await operator.visit("/operation/dealers")
        await operator.send("/dealers", dealer_id="D76", name="第七十六販売")
        await operator.visit("/operation/dealers/D76")
        same = {"once": "one-form", "label": "基幹システム"}
        first = await operator.send("/keys", **same)
        assert first.status == 200
        key_id = re.findall(r"mdk_([0-9a-f]+)_", operator.html)[0]
        again = await operator.send("/keys", **same)
        assert again.status == 409
        assert "APIキーは作成済みです。" in operator.text
        assert "mdk_" not in operator.html
        assert 'value="one-form"' not in operator.html
        rotate = f"/operation/dealers/D76/keys/{key_id}/rotate"
        await operator.visit(rotate)
        await operator.send("/rotate", once="other-form")
        await operator.visit(rotate)
        assert (await operator.send("/rotate", once="other-form")).status == 409
        assert operator.html.count("切り替える<span") == 2
