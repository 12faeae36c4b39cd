"""定期代, 通勤手当, 払戻し and 終了予告 on the screens, and in a real Chromium (R110-R122)."""

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser

from portal_service.vendor_assets import copy_vendor_files
from tests.node_assets import node_modules

from .commuter_stack import KEIRI, SUZUKI, CommuterStack
from .portal_stack import PortalUser
from .test_commuter_screens import decide_route, expenses
from .test_station_fields_in_a_browser import NARROW, SERIOUS, WIDE, axe, browsing, fits

__all__ = ["axe", "expenses"]

NEW = "/commuter/passes/new"
CARS = "/commuter/car-commutes"
CAR = {"employee_id": "D01-E101", "first_month": "2026/4", "km": "12.3", "monthly_yen": "8,000"}


@pytest.fixture(scope="module", autouse=True)
def third_party_scripts(request: pytest.FixtureRequest) -> None:
    """Htmx and the design tokens, as in package-lock.json."""
    copy_vendor_files(node_modules(request))


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


@pytest.mark.rule("R117", "R118")
async def test_the_holder_asks_what_comes_back(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        page = await register_for_suzuki(
            keiri, one_month_yen="14,280", three_months_yen="40,700", six_months_yen="68,540",
            paid_every="6",
        )  # fmt: skip
        await keiri.visit(f"{page}/edit")
        assert f"{page}#refund" in keiri.html
    async with expenses.signed_in(SUZUKI) as suzuki:
        await suzuki.visit("/commuter/my-passes")
        assert page in suzuki.html
        await suzuki.visit(f"{page}?ended_on=2026/5/20")
        assert "68,540円 − 2か月分 28,560円 − 手数料220円 ＝ 39,760円" in suzuki.text
        assert "払戻額の目安 39,760円" in suzuki.text
        await suzuki.visit(f"{page}?ended_on=R8.4.3&months=1")
        assert "残りが1か月に満たない" in suzuki.text
        assert "使用開始日から7日以内" in suzuki.text
        for wrong, words in (("2026/2/30", "カレンダー"), ("", "終了日を入力")):
            await suzuki.visit(f"{page}?months=1&ended_on={wrong}")
            assert words in suzuki.error_for("ended_on")
        await suzuki.visit(f"{page}?months=2&ended_on=2026/5/1")
        assert suzuki.error_for("months")
        await suzuki.visit(f"{page}?ended_on=2026/5/1&bought_on=0001/1/1")
        assert suzuki.error_for("bought_on")


@pytest.mark.rule("R112", "R114", "R116")
async def test_accounting_reads_the_allowances_of_a_month(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit("/commuter/allowances")
        assert "この月に支給する通勤手当はありません。" in keiri.text
        await keiri.visit(CARS)
        await keiri.send(CARS, km="１２．３４", first_month="2026/4/1")
        assert "社員を選んでください" in keiri.error_for("employee_id")
        assert "小数第1位まで" in keiri.error_for("km")
        assert "年月だけ" in keiri.error_for("first_month")
        assert "入力してください" in keiri.error_for("monthly_yen")
        await keiri.send(CARS, **{**CAR, "last_month": "2026/3", "km": "0"})
        assert "0.1kmから300kmまで" in keiri.error_for("km")
        assert "開始月と同じか、それより後" in keiri.error_for("last_month")
        await keiri.send(CARS, **{**CAR, "last_month": "", "km": "１２．３ｋｍ"})
        assert re.search(r"山田 太郎 2026年4月～ 12.3km 8,000円", keiri.text)
        await register_for_suzuki(keiri, one_month_yen="160000", paid_every="1")
        await keiri.visit("/commuter/allowances?month=2026/7")
        assert re.search(r"山田 太郎 E101 マイカー等 片道12.3km 8,000円 8,000円 7,300円 700円",
                         keiri.text)  # fmt: skip
        assert re.search(r"東京―新宿 1か月 2026/07/01から 160,000円 160,000円 150,000円 10,000円",
                         keiri.text)  # fmt: skip
        assert "支給額 168,000円" in keiri.text
        await keiri.visit("/commuter/allowances?month=2015/12")
        assert "2016年1月より前" in keiri.error_for("month")
        await keiri.visit("/commuter/allowances?month=7月")
        assert keiri.error_for("month")
        answer = await keiri.browser.http.get("/commuter/allowances/payroll.csv?month=2026-07")
        assert len(answer.content.decode("utf-8-sig").splitlines()) == 3


@pytest.mark.rule("R114")
async def test_a_car_is_changed_and_removed(expenses: CommuterStack) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit(CARS)
        await keiri.send(CARS, **CAR)
        found = re.search(rf'href="({CARS}/[0-9a-f-]{{36}})"', keiri.html)
        assert found
        await keiri.visit(found[1])
        assert keiri.form(found[1])["km"] == ["12.3"]
        await keiri.send(found[1], last_month="2026/6")
        assert "2026年4月～2026年6月" in keiri.text
        await keiri.visit(found[1])
        await keiri.send(f"{found[1]}/removal")
        assert "削除します" in keiri.text
        await keiri.send(f"{found[1]}/removal")
        assert "マイカー等通勤の登録はまだありません。" in keiri.text
    async with expenses.signed_in(SUZUKI) as suzuki:
        assert (await suzuki.browser.http.get("/commuter/allowances")).status_code == 403


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_pages_fit_and_are_accessible(
    chromium: Browser, expenses: CommuterStack, axe: str, width: int
) -> None:
    async with expenses.signed_in(KEIRI) as keiri:
        detail = await register_for_suzuki(
            keiri, one_month_yen="14,280", six_months_yen="68,540", paid_every="6"
        )
        await keiri.visit(CARS)
        await keiri.send(CARS, **CAR)
    pages = {
        "pass": f"{detail}?ended_on=2026/7/31", "pass-form": f"{detail}/edit",
        "passes": "/commuter/passes", "my-passes": "/commuter/my-passes",
        "allowances": "/commuter/allowances?month=2026/4", "cars": CARS,
    }  # fmt: skip
    async with browsing(chromium, expenses, width, who=KEIRI) as page:
        for name, path in pages.items():
            await page.goto(path)
            await page.evaluate(axe)
            assert await page.evaluate(SERIOUS) == [], name
            assert await fits(page), name
            if folder := os.environ.get("SCREENSHOTS"):
                picture = f"pay-{name}-{width}.png"
                await page.screenshot(path=Path(folder) / picture, full_page=True)


@pytest.mark.rule("R122")
async def test_a_company_says_how_many_days_before_an_end(expenses: CommuterStack) -> None:
    settings = "/commuter/settings"
    async with expenses.signed_in(KEIRI) as keiri:
        await keiri.visit(settings)
        assert keiri.form(settings)["ending_notice_days"] == ["0"]
        await keiri.send(settings, ending_notice_days="61")
        assert "60日前まで" in keiri.error_for("ending_notice_days")
        await keiri.send(settings, ending_notice_days="二週間")
        assert "数字で入力" in keiri.error_for("ending_notice_days")
        await keiri.send(settings, ending_notice_days="１４")
        assert "システム設定を保存しました。" in keiri.text
        assert keiri.form(settings)["ending_notice_days"] == ["14"]
        await keiri.visit("/commuter/my-mails")
        assert "定期区間の終了日が近いとき" in keiri.text
