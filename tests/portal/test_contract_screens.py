"""Contract screens with the real services behind them, on 2025-07-15."""

import io
import re
from html import unescape

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from shared.testing.people import SATO, SUZUKI, TANAKA, YAMADA

from .portal_stack import PortalStack

ALL = "/contracts?mode=general&final_from=2020/1"


@pytest.mark.rule("D5", "D21")
async def test_the_list_is_empty_until_something_is_searched(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts")
        assert "検索条件を入力のうえ、「検索」を押してください。" in yamada.text
        assert "C1001" not in yamada.text
        await yamada.visit(ALL)
        head = yamada.html.split("<thead>")[1].split("</thead>")[0]
        for column in (
            "結果入力期限",
            "ステータス",
            "代替",
            "完了",
            "ご契約者名",
            "車検年月",
            "店舗名",
        ):
            assert column in head


@pytest.mark.rule("D45")
async def test_each_colour_has_its_label(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit(ALL)
        rows = {
            row.split("/contracts/")[1][:5]: row
            for row in yamada.html.split("<tr ")[1:]
            if "/contracts/" in row
        }
    for number, colour, words in (
        ("C1001", "row-red", "2か月未満・未完了"),
        ("C1002", "row-yellow", "4か月未満・未完了"),
        ("C1003", "row-grey", "期日経過"),
    ):
        assert colour in rows[number]
        assert words in rows[number]


@pytest.mark.rule("D8", "D10")
async def test_an_invalid_search_marks_its_field(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts?mode=individual")
        assert "検索条件を入力してください" in yamada.text
        await yamada.visit("/contracts?mode=general&final_from=2025/5&final_to=2025/4")
        assert "範囲が逆" in yamada.error_for("final_to")
        await yamada.visit("/contracts?mode=general&final_from=いつか")
        assert "年月は" in yamada.error_for("final_from")


@pytest.mark.rule("D4", "D18")
async def test_the_csv_is_for_managers_and_headquarters(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(SATO) as sato:
        assert "csv）出力" not in (await yamada.visit(ALL)).text
        assert (await yamada.visit("/contracts.csv?mode=general&final_from=2020/1")).status == 403
        assert "csv）出力" in (await sato.visit(ALL)).text
        reply = await sato.browser.http.get("/contracts.csv?mode=general&final_from=2020/1")
        assert reply.headers["content-type"].startswith("text/csv")
        assert "C1001" in reply.content.decode("utf-8-sig")


@pytest.mark.rule("D35")
async def test_without_a_chosen_row_the_list_stays(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/detail?back=mode%3Dgeneral%26final_from%3D2020%2F1")
        assert yamada.path.startswith("/contracts?mode=general")
        assert "対象の契約を選んでから" in yamada.text


@pytest.mark.rule("D2")
async def test_a_contract_of_another_store_is_not_found(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(SUZUKI) as suzuki:
        for path in ("/contracts/C1001", "/contracts/C1001/result", "/contracts/C1003/resplit"):
            assert (await suzuki.visit(path)).status == 404
            assert "見つかりません" in suzuki.text


@pytest.mark.rule("D47")
async def test_concurrent_memo_edits_conflict(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(SATO) as sato:
        await yamada.visit("/contracts/C1004")
        await sato.visit("/contracts/C1004")
        await yamada.send("/memo", note="査定120万円")
        assert "自由記入欄を保存しました。" in yamada.text
        await sato.send("/memo", note="来週ご来店")
        assert sato.status == 409
        assert "査定120万円" in sato.text
        assert sato.form("/memo")["note"] == ["来週ご来店"]
        await sato.send("/memo", note="査定120万円、来週ご来店")
        assert "自由記入欄を保存しました。" in sato.text


@pytest.mark.rule("D47")
async def test_a_memo_that_is_too_long_is_kept_and_refused(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1004")
        assert "maxlength" not in yamada.html
        await yamada.send("/memo", note="あ" * 2100)
        assert "2000文字以内" in yamada.error_for("note")
        assert yamada.form("/memo")["note"] == ["あ" * 2100]


async def test_every_error_of_a_result_is_shown_at_once(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1006/result")
        await yamada.send("/result", category="cash_settlement", own_replacement="yes")
        assert "お支払方法確認書" in yamada.error_for("confirmation_received")
        assert "代替車両を選択してください" in yamada.error_for("vehicle_code")
        assert "よろしいですか" not in yamada.text
        await yamada.send(
            "/result",
            category="cash_settlement",
            own_replacement="no",
            confirmation_received="yes",
            confirmation_received_on="2001/7/1",
        )
        assert "年をご確認ください" in yamada.error_for("confirmation_received_on")
        await yamada.send("/result", confirmation_received_on="2024/7/15")
        assert "選択区分を変更できなくなります。よろしいですか。" in yamada.text
        assert "受領日が365日前の日付です。年月日をご確認ください。" in yamada.text


@pytest.mark.rule("D52", "D54", "D55", "D68", "D69")
async def test_early_payoff_from_the_form_to_both_results(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1004/result")
        assert "category" not in yamada.form("/result")
        await yamada.send("/result")
        assert "選択区分を選択してください" in yamada.error_for("category")
        assert "自社代替の有無を選択してください" in yamada.error_for("own_replacement")
        await yamada.send("/result", category="early_payoff", own_replacement="yes")
        assert "代替車両を選択してください" in yamada.error_for("vehicle_code")
        await yamada.send(
            "/result", category="early_payoff", own_replacement="yes", vehicle_code="PRIUS"
        )
        assert yamada.path == "/contracts/C1004/payoff"
        assert "早期完済受付へ" in yamada.text
        assert "最終回対象顧客一覧へ" in yamada.text
        await yamada.send("/payoff")
        assert "早期完済の受付へ進みました。" in yamada.text
        assert yamada.path == "/contracts/C1004/payoff"
        assert "精算金の目安" in yamada.text
        assert "販売店での操作はありません。" in yamada.text
        assert "早期完済受付へ" not in yamada.text
        await yamada.visit("/contracts/C1004")
        assert "早期完済の受付（2025/07/15(火)" in yamada.text
        assert "代替車両 プリウス" in yamada.text


@pytest.mark.rule("D61")
async def test_an_irreversible_change_is_confirmed_first(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1006/result")
        await yamada.send(
            "/result", category="cash_settlement", own_replacement="no", confirmation_received="yes"
        )
        assert "選択区分を変更できなくなります" in yamada.text
        await yamada.send("/result")
        assert "「現金決済」で決定しました。結果入力期限を過ぎた入力として" in yamada.text


@pytest.mark.rule("D49", "D50")
async def test_a_trial_shows_its_balance_and_applying_is_confirmed(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1005/resplit?instalments=36")
        assert "36回の試算" in yamada.text
        assert 'role="img" aria-label="残高の推移' in yamada.html
        await yamada.send("/resplit")
        assert "36回の再分割で、TFCへ審査を申し込みます。" in yamada.text
        await yamada.send("/resplit")
        assert "再分割の審査を申し込みました。" in yamada.text


@pytest.mark.rule("D51")
async def test_the_payment_confirmation_is_a_pdf(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        reply = await yamada.browser.http.get("/contracts/C1001/payment-confirmation")
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.content.startswith(b"%PDF")


@pytest.mark.rule("D125", "D126", "D130")
async def test_a_store_move_is_confirmed_and_registered(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(SATO) as sato, portal_stack.signed_in(YAMADA) as yamada:
        assert (await yamada.visit("/contracts/C1002/assignment")).status == 403
        await sato.visit("/contracts/C1002/assignment")
        assert "(旧東店)" not in sato.text
        await sato.send("/assignment/store", to_store="S20")
        assert "異動先店舗を「S20 西店」として登録します。" in sato.text
        await sato.send("/assignment/store")
        assert "登録しました。" in sato.text
        assert "変更中" in sato.text
        await sato.visit("/contracts/C1002/assignment")
        await sato.send("/assignment/store")
        assert "異動先店舗を選択してください。" in sato.error_for("to_store")
        await sato.send("/assignment/staff")
        assert "変更後スタッフを選択してください。" in sato.error_for("to_staff")
        await sato.send("/assignment/staff", to_staff="E101")
        assert "所属していません" in sato.error_for("to_staff")
        assert "よろしいですか" not in sato.text


@pytest.mark.rule("D131", "D135", "D136")
async def test_bulk_change_copies_first_and_saves_later(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka, portal_stack.signed_in(YAMADA) as yamada:
        assert (await yamada.visit("/transfers")).status == 403
        await tanaka.visit("/transfers?from_store=S10")
        await tanaka.send("/transfers")
        assert "変更する契約を選択してください" in tanaka.text
        checked = ["C1003", "C1004"]
        await tanaka.send("/transfers", checked=checked, all_to_store="S20", copy_store="yes")
        form = tanaka.form("/transfers")
        assert form["to_store-C1003"] == ["S20"]
        assert form["to_store-C1001"] == [""]
        assert form["checked"] == ["C1003"]  # C1004 cannot be chosen
        sent = {"to_store-C1003": "S20", "to_store-C1004": "S20", "copy_store": ""}
        await tanaka.send("/transfers", checked=checked, **sent)
        assert "よろしいですか" not in tanaka.text
        refused = re.search(r'<a href="#field-row-C100\d">([^<]*)', tanaka.html)
        assert refused
        assert "レクサス手続担当店移管制度" in refused[1]
        assert "C1004" in refused[1]
        await tanaka.send("/transfers", checked="C1003")
        assert "選択した1件の店舗・スタッフの変更を登録します。" in tanaka.text
        assert "異動先店舗 S20 西店（1件） 変更後スタッフ 変更なし（1件）" in tanaka.text
        await tanaka.send("/transfers")
        assert "1件の変更を登録しました。" in tanaka.text
        await tanaka.visit("/transfers?from_store=S10")
        assert "変更中 → S20 西店" in tanaka.text  # by name, not by code


async def test_a_trial_that_is_not_possible_says_why(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit("/contracts/C1003/resplit")
        assert "この操作はできませんでした" not in yamada.text
        reason = re.search(r'notice-warning"><p>([^<]+)</p>', yamada.html)
        assert reason
        assert reason[1].endswith("。")


async def test_the_dashboard_charts_due_contracts(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(SATO) as sato:
        await sato.visit("/dashboard")
        assert "期限の近い契約" in sato.text
        assert 'class="bar-red"' in sato.html


async def test_each_figure_of_the_dashboard_leads_to_as_many_rows(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/dashboard")
        figures = re.findall(
            r'<a href="(/contracts\?[^"]*)"(?: tabindex="-1"><title>|>)([^<]*?)(\d+)件', tanaka.html
        )
        assert {"2か月未満・未完了　", "30日まで　", ""} <= {words for _, words, _ in figures}
        for path, words, number in figures:
            await tanaka.visit(unescape(path))
            expected = f"{number}件あります。" if int(number) else "条件に合う契約はありません。"
            assert expected in tanaka.text, (path, words)
            assert "店舗" in tanaka.text


async def test_a_lease_ends_on_its_own_day(portal_stack: PortalStack) -> None:
    leased = text("UPDATE contract_view SET product_code = 'LEASE' WHERE contract_no = 'C1004'")
    async with portal_stack.signed_in(YAMADA) as yamada:
        assert "最終回年月日" in (await yamada.visit("/contracts/C1004/return")).text
        async with portal_stack.returns.transaction("D01") as tx:
            await tx.execute(leased)
        await yamada.visit("/contracts/C1004/return")
        assert "リース満了年月日" in yamada.text
        assert "最終回年月日" not in yamada.text


async def test_the_list_is_saved_as_an_excel_file(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(SATO) as sato:
        await sato.visit(ALL)
        [path] = re.findall(r'href="(/contracts\.xlsx[^"]*)"', sato.html)
        reply = await sato.browser.http.get(unescape(path))
        assert "UTF-8''%E9%A1%A7%E5%AE%A2" in reply.headers["content-disposition"]
        rows = list(load_workbook(io.BytesIO(reply.content))["顧客リスト"].values)
        assert "C1001" in {row[10] for row in rows}


async def test_the_bar_names_dealer_and_store(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada, portal_stack.signed_in(TANAKA) as tanaka:
        assert "販売店と店舗： みなと自動車販売 本店" in (await yamada.visit("/help")).text
        assert "販売店と店舗： みなと自動車販売 " in (await tanaka.visit("/help")).text


async def test_a_search_without_a_condition_is_refused_beside_its_first_field(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/contracts?mode=individual")
        assert "検索条件を入力してください" in tanaka.error_for("registration_no")
        await tanaka.visit("/contracts?mode=general")
        assert "検索条件を入力してください" in tanaka.error_for("final_from")
        await tanaka.visit("/transfers?customer_name=")
        assert "検索条件を入力してください" in tanaka.error_for("customer_name")
        assert "この操作はできませんでした" not in tanaka.text


async def test_a_closed_store_links_to_its_contracts_and_names_its_successor(
    portal_stack: PortalStack,
) -> None:
    closed = text("UPDATE store SET unused = true, successor = 'S10' WHERE store_code = 'S20'")
    async with portal_stack.contracts.transaction("D01") as tx:
        await tx.execute(closed)
        await tx.execute(text("UPDATE contract SET store_code = 'S20' WHERE contract_no = 'C1006'"))
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/transfers")
        [number] = re.findall(r"店舗 S20 西店 に、契約が(\d+)件残っています。", tanaka.text)
        assert "引継先は S10 本店 です。" in tanaka.text
        [link] = re.findall(r'<a href="(/transfers[^"]*)">この店舗の契約を表示する', tanaka.html)
        await tanaka.visit(link)
        assert f"{number}件あります。" in tanaka.text
        form = tanaka.form("/transfers")
        assert form["all_to_store"] == ["S10"]
        checked = re.findall(r'name="checked" value="(C\d+)"', tanaka.html)
        await tanaka.send("/transfers", checked=checked, copy_store="yes")
        assert tanaka.html.count('<option value="S10" selected>') == 1 + int(number)
