"""乗換案内 of an item and what follows on its slip, used without scripts."""

import re
from collections.abc import AsyncIterator

import pytest

from shared.testing.databases import TestDatabases

from .commuter_stack import SUZUKI, YAMADA, CommuterStack, open_commuter_stack
from .portal_stack import PortalUser

ASKED = "on=2026/7/9&medium=ic&round_trip=no&order=recommended"
CHEAPEST = ASKED.replace("recommended", "charged")


@pytest.fixture
async def expenses(databases: TestDatabases) -> AsyncIterator[CommuterStack]:
    async with open_commuter_stack(databases.create) as everything:
        yield everything


async def look_up_page(user: PortalUser) -> str:
    """A new slip with one empty item; returns the address of its 乗換案内."""
    await user.visit("/commuter/slips")
    await user.send("/commuter/slips", kind="transport")
    slip = user.path
    own = slip.rpartition("/")[2]
    await user.send(own, title="訪問", do="add")
    item = re.search(r'name="items.0.item_id" value="([^"]+)"', user.html)
    assert item, user.text[:600]
    return f"{slip}/items/{item[1]}/look-up"


def cards(user: PortalUser) -> list[str]:
    """The text of each candidate."""
    parts = re.split(r'<div class="candidate">', user.html)[1:]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part)).strip() for part in parts]


async def decide(user: PortalUser, address: str, asked: str) -> None:
    """Search, and take the first candidate."""
    await user.visit(f"{address}?{asked}")
    first = re.search(r'name="candidate" id="candidate-1" value="([^"]+)" checked', user.html)
    assert first, user.text[:800]
    await user.send("/look-up?" + asked_in(user), candidate=first[1])


def asked_in(user: PortalUser) -> str:
    """The question as the form of the candidates holds it."""
    found = re.search(r'action="[^"]*/look-up\?([^"]*)"', user.html)
    assert found
    return found[1]


async def test_candidates_are_named_by_trains_and_marked(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        await yamada.visit(f"{address}?start=三鷹&end=品川&{CHEAPEST}")
        first, *others = cards(yamada)
        assert re.match(r"\d+分 乗換", first), first
        assert "支払 209円" in first
        assert "定期区間の控除" in first  # 三鷹―東京 is on the pass
        assert any("早い" in one for one in (first, *others))
        assert re.findall(r'name="candidate" id="([^"]+)"[^>]* checked', yamada.html) == [
            "candidate-1"
        ]
        assert "JR東日本/" not in yamada.text


async def test_conditions_are_asked_and_kept(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        more = "&express_yen=1,000&green_yen=&child=no"
        await yamada.visit(f"{address}?start=三鷹&end=横浜&{ASKED}{more}")
        assert "避ける事業者" in yamada.text
        assert 'name="avoid" value="JR東日本"' in yamada.html
        await decide(yamada, address, f"start=三鷹&end=横浜&{ASKED}{more}")
        assert "特急料金 1,000円（片道）" in yamada.text
        await yamada.visit(address)  # again: what was asked is filled in, and searched
        assert re.search(r'name="express_yen"[^>]* value="1000"', yamada.html)
        assert cards(yamada)
        await yamada.visit(f"{address}?start=渋谷&end=横浜&{ASKED}&avoid=東急")
        assert cards(yamada)
        assert all("東横線" not in one for one in cards(yamada))
        assert re.search(r'name="avoid" value="東急" checked', yamada.html)
        await yamada.visit(f"{address}?start=三鷹&end=横浜&{ASKED}&express_yen=千円")
        assert "金額は" in yamada.error_for("express_yen")
        assert re.search(r'name="express_yen"[^>]* value="千円"', yamada.html)
        await yamada.visit(f"{address}?start=三鷹&end=東京&{ASKED}&child=yes&via=新宿&via_2=四ツ谷")
        assert "小児" in yamada.text
        assert cards(yamada)
        assert re.search(r'name="via_2"[^>]* value="四ツ谷"', yamada.html)


async def test_a_looked_up_item_becomes_a_typed_one_and_back(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        item = address.split("/")[-2]
        own = address.split("/")[-4]
        await decide(yamada, address, f"start=三鷹&end=品川&{CHEAPEST}")
        await yamada.send(own, do=f"by_hand:{item}")
        assert "手入力の明細に変更しました" in yamada.text
        kept = yamada.form(own)
        assert kept["items.0.words"] == ["三鷹―品川"]
        assert kept["items.0.amount_yen"] == ["209"]
        await yamada.send("/undo")
        assert "元に戻しました" in yamada.text
        assert "（運賃" in yamada.text
        assert "items.0.words" not in yamada.form(own)
        await yamada.send(own, do=f"remove:{item}")
        assert "明細を削除しました" in yamada.text
        assert "明細はまだありません" in yamada.text
        await yamada.send("/undo")
        assert "控除" in yamada.text
        assert "乗換案内をもう一度呼び出す" in yamada.text


async def test_an_undo_that_nobody_offered_is_refused(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        slip = address.partition("/items/")[0]
        csrf = re.search(r'name="csrf" value="([^"]+)"', yamada.html)
        await yamada.visit(slip)
        csrf = re.search(r'name="csrf" value="([^"]+)"', yamada.html)
        assert csrf
        for undo in ("", "[]", '["x", {}]', "7"):
            reply = await yamada.browser.http.post(
                f"{slip}/undo", data={"csrf": csrf[1], "undo": undo}
            )
            assert reply.status_code == 400, undo


@pytest.mark.rule("R22")
async def test_while_a_pass_is_unconfirmed_a_draft_says_why_it_must_wait(
    expenses: CommuterStack,
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        slip = address.partition("/items/")[0]
        await yamada.visit("/commuter/my-passes/new")
        form = "/commuter/my-passes/new"
        await yamada.send(form, start="三鷹", end="新宿", starts_on="2026/8/1", do="look_up")
        routes = re.findall(r'name="candidate"[^>]* value="([^"]+)"', yamada.html)
        await yamada.send(form, candidate=routes[0], do="decide")
        await yamada.send(form, do="save")
        await yamada.visit(slip)
        disabled = re.findall(r"<button[^>]* disabled[^>]*>([^<]+)", yamada.html)
        assert disabled == ["乗換案内", "続けて移動", "よく使う経路", "申請"]
        assert yamada.text.count("未確定の定期区間があるため") == 2
        await yamada.visit(f"{address}?start=三鷹&end=品川&{ASKED}")
        assert "未確定の定期区間があるため" in yamada.text
        assert not cards(yamada)
    async with expenses.signed_in(SUZUKI) as suzuki:  # another applicant's pass stops nobody else
        await suzuki.visit(slip)
        assert suzuki.status == 404
