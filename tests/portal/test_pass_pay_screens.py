"""定期代 on the screens, used without scripts (R110, R111)."""

import re

import pytest

from .commuter_stack import KEIRI, SUZUKI, CommuterStack
from .portal_stack import PortalUser
from .test_commuter_screens import decide_route, expenses

__all__ = ["expenses"]

NEW = "/commuter/passes/new"


async def register_for_suzuki(keiri: PortalUser, **typed: str) -> str:
    """A pass of 鈴木花子 from 2026/4/1 by the editor; where its page is."""
    await keiri.visit(NEW)
    await decide_route(
        keiri, NEW, "東京", "新宿", employee_id="D01-E201", starts_on="2026/4/1", **typed
    )
    await keiri.send(NEW, do="save")
    assert "定期区間を確定しました" in keiri.text
    await keiri.visit("/commuter/passes?text=E201")
    found = re.findall(r'href="(/commuter/passes/[0-9a-f-]{36})"', keiri.html)
    return str(found[-1])


@pytest.mark.rule("R110", "R111")
async def test_prices_are_entered_with_a_pass_and_shown(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit(NEW)
        await decide_route(keiri, NEW, "東京", "新宿", employee_id="D01-E201")
        await keiri.send(NEW, one_month_yen="一万円", priced_from="2026/13/1", do="save")
        assert "数字で入力してください" in keiri.error_for("one_month_yen")
        assert keiri.error_for("priced_from")
        await keiri.send(NEW, one_month_yen="0", priced_from="", paid_every="6", do="save")
        assert "1円から999,999円まで" in keiri.error_for("one_month_yen")
        assert "6か月ごとに支給するときは" in keiri.error_for("six_months_yen")
        assert keiri.form(NEW)["paid_every"] == ["6"]
        page = await register_for_suzuki(
            keiri, one_month_yen="10,360円", six_months_yen="４９７５０", paid_every="6"
        )
        assert "定期代 1か月 10,360円 6か月 49,750円（支給）" in keiri.text
        await keiri.visit(f"{page}/edit")
        form = keiri.form(f"{page}/edit")
        assert (form["six_months_yen"], form["paid_every"]) == (["49750"], ["6"])
        await keiri.send(f"{page}/edit", one_month_yen="10900", priced_from="2026/10/1", do="save")
        await keiri.visit(page)
        assert re.search(r"2026/10/01\(木\) 10,900円 ー 49,750円 6か月ごと", keiri.text)
        assert re.search(r"2026/04/01\(水\) 10,360円 ー 49,750円 6か月ごと", keiri.text)
    async with expenses.signed_in(SUZUKI) as suzuki:
        await suzuki.visit("/commuter/my-passes")
        assert "定期代 1か月 10,900円 6か月 49,750円（支給）" in suzuki.text
