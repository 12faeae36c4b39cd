"""The same page in two tabs: the second to save learns what changed, and keeps its input."""

from shared.testing.people import SATO, TANAKA, YAMADA

from .portal_stack import PortalStack, PortalUser
from .test_return_journey import report, take

OWN_TAB = "別の画面（タブ）で、ご自身がこの申込を更新しています。"


async def test_a_correction_in_the_other_tab(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as first, portal_stack.signed_in(SATO) as sato:
        second = PortalUser(first.browser)
        application_id = await report(first, "C1001")
        await take(sato, application_id, "remand", comment="受領日の確認")
        for tab in (first, second):
            await tab.visit(f"/returns/{application_id}/correction")
        await first.send("/correction", received_on="2025/7/2")
        await first.send("/correction")
        assert "訂正が完了しました。" in first.text
        await second.send("/correction", received_on="2025/7/3")
        assert second.status == 409
        assert OWN_TAB in second.text
        assert "あなたが開いたあとに変わったこと" in second.text
        assert "2025/07/01(火) → 変更後： 2025/07/02(水)" in second.text
        assert second.form("/correction")["received_on"] == ["2025/7/3"]
        await second.send("/correction")  # now on top of what the other tab saved
        await second.send("/correction")
        assert "訂正が完了しました。" in second.text


async def test_a_result_in_the_other_tab(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as first:
        second = PortalUser(first.browser)
        for tab in (first, second):
            await tab.visit("/contracts/C1002/result")
        own = {"category": "early_payoff", "own_replacement": "yes"}
        await first.send("/result", **own, vehicle_code="AQUA")
        assert first.path == "/contracts/C1002/payoff"
        await second.send("/result", **own, vehicle_code="PRIUS")
        assert second.status == 409
        assert "この画面を開いたあとに、ほかの方、または別の画面（タブ）のご自身が" in second.text
        assert "現在のステータス 早期完済" in second.text
        assert second.form("/result")["vehicle_code"] == ["PRIUS"]
        await second.send("/result")
        assert second.path == "/contracts/C1002/payoff"


async def test_a_change_of_staff_in_the_other_tab(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TANAKA) as first:
        second = PortalUser(first.browser)
        for tab in (first, second):
            await tab.visit("/contracts/C1003/assignment")
        await first.send("/assignment/staff", to_staff="E102")
        await first.send("/assignment/staff")
        assert "登録しました。" in first.text
        await second.send("/assignment/store", to_store="S20", reason="")
        assert second.status == 409
        assert "他の方が先に更新" in second.text
        assert second.form("/assignment/store")["to_store"] == ["S20"]


async def test_a_result_that_a_return_forbids_is_refused_beside_its_choice(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await report(yamada, "C1005")
        await portal_stack.deliver_events()
        await yamada.visit("/contracts/C1005/result")
        own = {"category": "early_payoff", "own_replacement": "no"}
        await yamada.send("/result", **own)
        assert "車両返却の申込が手続中のため" in yamada.error_for("category")
        assert "この操作はできませんでした" not in yamada.text
        assert yamada.form("/result")["category"] == ["early_payoff"]
