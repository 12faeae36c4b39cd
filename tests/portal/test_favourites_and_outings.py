"""よく使う経路 and 続けて移動: rides added to a slip, or refused beside the field (R132, R133)."""

import pytest
from playwright.async_api import Browser, expect

from portal_service.vendor_assets import copy_vendor_files
from tests.node_assets import node_modules

from .commuter_stack import YAMADA, CommuterStack
from .portal_stack import PortalUser
from .test_commuter_screens import expenses
from .test_station_fields_in_a_browser import NARROW, SERIOUS, WIDE, axe, browsing, fits

__all__ = ["axe", "expenses"]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module", autouse=True)
def third_party_scripts(request: pytest.FixtureRequest) -> None:
    """Htmx and the design tokens, as in package-lock.json."""
    copy_vendor_files(node_modules(request))


async def new_slip(user: PortalUser, title: str) -> str:
    """The address of an empty slip."""
    await user.visit("/commuter/slips")
    await user.send("/commuter/slips", kind="transport")
    await user.send(user.path.rpartition("/")[2], title=title, do="save")
    return user.path


@pytest.mark.rule("R133")
async def test_three_stops_become_two_rides(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        slip = await new_slip(yamada, "外回り")
        await yamada.send(slip.rpartition("/")[2], do="step:outing")
        assert yamada.path == f"{slip}/outing"
        await yamada.send("/outing", stop_1="三鷹")
        assert "日付を入力してください。" in yamada.error_for("item_on")
        assert "駅を2つ以上" in yamada.error_for("stop_2")

        typed = {"item_on": "2026/4/1", "purpose": "納車", "stop_1": "三鷹", "stop_2": "東京"}
        await yamada.send("/outing", **typed, stop_3="ないない駅")
        assert "ないない駅" in yamada.error_for("stop_3")
        await yamada.visit(slip)
        assert "明細はまだありません" in yamada.text

        await yamada.visit(f"{slip}/outing")
        await yamada.send("/outing", **typed, stop_3="横浜")
        assert "2件の明細を追加しました" in yamada.text
        for words in ("三鷹", "東京", "横浜", "納車", "2026/04/01"):
            assert words in yamada.html, words
        assert yamada.html.count('name="item"') == 2


@pytest.mark.rule("R132")
async def test_a_favourite_is_kept_added_and_deleted(expenses: CommuterStack) -> None:
    async with expenses.signed_in(YAMADA) as yamada:
        slip = await new_slip(yamada, "いつもの")
        await yamada.visit(f"{slip}/favourites")
        assert "登録した経路はありません" in yamada.text
        await yamada.visit(f"{slip}/outing")
        await yamada.send("/outing", item_on="2026/4/1", stop_1="三鷹", stop_2="東京")
        item = yamada.html.partition('value="favourite:')[2].partition('"')[0]
        await yamada.send(slip.rpartition("/")[2], do=f"favourite:{item}")
        assert "よく使う経路に登録しました。" in yamada.text

        await yamada.visit(f"{slip}/favourites")
        favourite = yamada.html.partition("/favourites/")[2].partition("/delete")[0]
        await yamada.send("/favourites", favourite=favourite)
        assert "日付を入力してください。" in yamada.error_for("item_on")
        await yamada.send("/favourites", item_on="2026/4/2", favourite="")
        assert "経路を選択してください。" in yamada.error_for("favourite")
        await yamada.send("/favourites", item_on="2026/4/2", favourite=favourite)
        assert "明細を追加しました（三鷹―東京）。" in yamada.text
        assert yamada.html.count('name="item"') == 2

        await yamada.visit(f"{slip}/favourites")
        await yamada.send(f"/favourites/{favourite}/delete")
        assert "登録した経路はありません" in yamada.text


@pytest.mark.rule("R132", "R133")
@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_both_pages_in_a_browser(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    async with browsing(chromium, expenses, width) as page:
        async with expenses.signed_in(YAMADA) as yamada:
            slip = await new_slip(yamada, "外回り")
        await page.goto(slip)
        await page.get_by_role("button", name="続けて移動").click()
        await page.get_by_label("日付").fill("2026/4/1")
        await page.get_by_label("出発駅").fill("三鷹")
        await page.get_by_label("1か所目の駅").fill("東京")
        assert await fits(page)
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
        await page.get_by_role("button", name="明細に追加").click()
        await expect(page.get_by_text("1件の明細を追加しました")).to_be_visible()
        await page.get_by_role("button", name="よく使う経路に登録").click()
        await page.get_by_role("button", name="よく使う経路", exact=True).click()
        await expect(page.get_by_role("button", name="削除").first).to_be_visible()
        assert await fits(page)
        await page.evaluate(axe)
        assert await page.evaluate(SERIOUS) == []
