"""Station fields, used without scripts: refused names beside their field, choices, 手入力."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest

from shared.testing.databases import TestDatabases

from .commuter_stack import KEIRI, YAMADA, CommuterStack, open_commuter_stack
from .portal_stack import PortalUser
from .test_look_up_screen import ASKED, cards, decide, look_up_page


@pytest.fixture(scope="module")
async def expenses(databases: TestDatabases) -> AsyncIterator[CommuterStack]:
    async with open_commuter_stack(databases.create) as everything:
        yield everything


def choices(user: PortalUser, field: str) -> list[str]:
    """The buttons beside a field."""
    found = re.findall(rf'<button[^>]* name="{field}" value="([^"]+)"', user.html)
    return [unescape(one) for one in found]


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ("start=渋夜&end=東京", "start", "「渋夜」は乗換案内の対象外か、駅名が違います。金額を"),
        ("start=東京&end=大阪", "end", "大阪(大阪府): 対象外の地域です。金額を手入力して"),
        ("start=東京&end=新宿&via=梅田", "via", "梅田(大阪府): 対象外の地域です。金額を"),
        ("start=高輪ゲートウェイ&end=東京&on=2020/3/13", "start", "営業していない駅です"),
        ("start=武蔵境&end=三鷹&avoid=JR東日本", "end", "経路が見つかりません。金額を手入力"),
        ("start=東京&end=新宿&on=2015/1/5", "on", "運賃表がありません"),
    ],
)
async def test_a_way_that_is_not_covered_is_typed_by_hand(
    expenses: CommuterStack, asked: str, field: str, sentence: str
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        await yamada.visit(f"{address}?{ASKED}&{asked}")
        assert (yamada.status, cards(yamada)) == (422, [])
        assert sentence in yamada.error_for(field)
        kept = dict(part.split("=") for part in f"{ASKED}&{asked}".split("&"))
        for name in ("start", "end", "on"):
            assert re.search(rf'name="{name}"[^>]* value="{kept[name]}"', yamada.html)
        await yamada.send("/by-hand")
        assert "手入力の明細に変更しました。金額を入力してください。" in yamada.text
        form = yamada.form(address.split("/")[3])
        between = [kept[name] for name in ("start", "via", "end") if name in kept]
        assert form["items.0.words"] == ["―".join(between)]
        assert form["items.0.amount_yen"] == [""]
        assert form["items.0.item_on"][0].split("/") == [
            part.zfill(2) for part in kept["on"].split("/")
        ]


@pytest.mark.parametrize(
    ("typed", "sentence", "offered"),
    [
        ("小川町", "という駅は複数あります。", "小川町(都営)"),
        ("市谷", "という駅は見つかりません。", "市ケ谷"),
        ("shinjuk", "という駅は見つかりません。", "新宿"),
    ],
)
async def test_names_to_take_instead_are_buttons(
    expenses: CommuterStack, typed: str, sentence: str, offered: str
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        await yamada.visit(f"{address}?start={typed}&end=東京&{ASKED}")
        assert sentence in yamada.error_for("start")
        assert offered in choices(yamada, "start")
        assert choices(yamada, "end") == []
        assert ("金額を手入力する" in yamada.text) is (
            typed != "小川町"
        )  # the others may be anything
        # a browser sends the field and, behind it, the button
        await yamada.visit(f"{address}?start={typed}&start={offered}&end=東京&{ASKED}")
        assert cards(yamada)
        assert re.search(rf'name="start"[^>]* value="{re.escape(offered)}"', yamada.html)


async def test_every_refused_name_is_said_beside_its_field(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        asked = "start=shinjuk&via=&via_2=小川町&end=大阪"
        await yamada.visit(f"{address}?{asked}&{ASKED}")
        assert (yamada.status, cards(yamada)) == (422, [])
        assert "「shinjuk」という駅は見つかりません。" in yamada.error_for("start")
        assert "「小川町」という駅は複数あります。" in yamada.error_for("via_2")
        assert "大阪(大阪府): 対象外の地域です。金額を" in yamada.error_for("end")
        assert "新宿" in choices(yamada, "start")
        assert "小川町(都営)" in choices(yamada, "via_2")
        assert choices(yamada, "via") == choices(yamada, "end") == []
        assert "金額を手入力する" in yamada.text


async def test_the_same_place_is_said_beside_the_end(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        await yamada.visit(f"{address}?start=東京&end=tokyo&{ASKED}")
        assert "同じ駅が続いています。" in yamada.error_for("end")


async def test_a_looked_up_item_forgets_the_other_amount(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        address = await look_up_page(yamada)
        slip = address.split("/")[3]
        await decide(yamada, address, f"start=三鷹&end=品川&{ASKED}")
        await yamada.visit(f"{address}?start=三鷹&end=大阪&{ASKED.replace('=no', '=yes')}")
        await yamada.send("/by-hand")
        form = yamada.form(slip)
        assert form["items.0.words"] == ["三鷹―大阪（往復）"]
        assert form["items.0.amount_yen"] == [""]
        await yamada.send("/undo")
        assert "控除" in yamada.text


async def test_a_pass_over_other_lines_is_refused_beside_its_field(
    expenses: CommuterStack,
) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        form = "/commuter/passes/new"
        await keiri.visit(form)
        typed = {"employee_id": "D01-E201", "starts_on": "2026/4/1"}
        await keiri.send(form, start="東京", end="京都", do="look_up", **typed)
        assert "京都(京都府): 対象外の地域です。定期区間に登録" in keiri.error_for("end")
        assert keiri.form(form)["end"] == ["京都"]
        await keiri.send(form, start="東京", end="小川町", do="look_up", **typed)
        assert "小川町(東武・JR東日本)" in choices(keiri, "end")
        await keiri.send(
            form, end=["小川町", "小川町(東武・JR東日本)"]
        )  # the button has no other name
        assert 'name="candidate"' in keiri.html
        assert keiri.form(form)["end"] == ["小川町(東武・JR東日本)"]
        assert keiri.form(form)["starts_on"] == ["2026/4/1"]


async def test_the_simulation_says_which_station_is_meant(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        await yamada.visit("/commuter/simulation")
        await yamada.send("/commuter/simulation", start="渋夜", end="東京")
        assert "対象外か、駅名が違います。" in yamada.error_for("start")
        await yamada.send("/commuter/simulation", start="市谷", end="東京")
        assert choices(yamada, "start") == ["市ケ谷"]
        await yamada.send("/commuter/simulation", start="市谷", end="渋夜")
        assert choices(yamada, "start") == ["市ケ谷"]
        assert "対象外か、駅名が違います。" in yamada.error_for("end")


@pytest.mark.parametrize(
    ("typed", "first", "more"),
    [
        ("しんじゅ", "新宿", "JR東日本"),
        ("ｓｈｉｎｊ", "新宿", "しんじゅく"),
        ("小川町", "小川町(東武・JR東日本)", "おがわまち"),
        ("<%&>", "", ""),
        ("", "", ""),
        ("駅" * 501, "", ""),
    ],
)
async def test_names_are_completed(
    expenses: CommuterStack, typed: str, first: str, more: str
) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        reply = await yamada.browser.http.get("/commuter/stations", params={"typed": typed})
    assert reply.status_code == 200
    names = re.findall(r'<li role="option" data-name="([^"]+)"', reply.text)
    assert names[:1] == ([first] if first else [])
    assert more in reply.text
    assert len(names) <= 8


async def test_only_employees_complete_names(expenses: CommuterStack) -> None:
    async with expenses.site.browser() as nobody:
        reply = await nobody.http.get("/commuter/stations", params={"typed": "新宿"})
    assert reply.is_redirect
