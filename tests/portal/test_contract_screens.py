"""The screens about contracts, with the real services behind them, on 2025-07-15."""

import re

import pytest
from sqlalchemy import text

from .counter import SATO, SUZUKI, TANAKA, YAMADA, Counter

ALL = "/contracts?mode=general&final_from=2020/1"


@pytest.mark.rule("D5", "D21")
async def test_the_list_is_empty_until_something_is_searched(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts")
        assert "検索条件を入力のうえ、「検索」を押してください。" in yamada.words
        assert "C1001" not in yamada.words
        await yamada.go(ALL)
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
async def test_each_colour_has_its_words(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go(ALL)
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
async def test_a_wrong_search_is_told_beside_its_field(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts?mode=individual")
        assert "検索条件を入力してください" in yamada.words
        await yamada.go("/contracts?mode=general&final_from=2025/5&final_to=2025/4")
        assert "範囲が逆" in yamada.beside("final_to")
        await yamada.go("/contracts?mode=general&final_from=いつか")
        assert "年月は" in yamada.beside("final_from")


@pytest.mark.rule("D4", "D18")
async def test_the_csv_is_for_managers_and_headquarters(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada, counter.of(SATO) as sato:
        assert "csv）出力" not in (await yamada.go(ALL)).words
        assert (await yamada.go("/contracts.csv?mode=general&final_from=2020/1")).status == 403
        assert "csv）出力" in (await sato.go(ALL)).words
        reply = await sato.browser.http.get("/contracts.csv?mode=general&final_from=2020/1")
        assert reply.headers["content-type"].startswith("text/csv")
        assert "C1001" in reply.content.decode("utf-8-sig")


@pytest.mark.rule("D35")
async def test_without_a_chosen_row_the_list_stays(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts/detail?back=mode%3Dgeneral%26final_from%3D2020%2F1")
        assert yamada.path.startswith("/contracts?mode=general")
        assert "対象の契約を選んでから" in yamada.words


@pytest.mark.rule("D2")
async def test_a_contract_of_another_store_is_not_found(counter: Counter) -> None:
    async with counter.of(SUZUKI) as suzuki:
        for path in ("/contracts/C1001", "/contracts/C1001/result", "/contracts/C1001/resplit"):
            assert (await suzuki.go(path)).status == 404
            assert "見つかりません" in suzuki.words


@pytest.mark.rule("D47")
async def test_two_people_write_the_memo(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada, counter.of(SATO) as sato:
        await yamada.go("/contracts/C1004")
        await sato.go("/contracts/C1004")
        await yamada.send("/memo", note="査定120万円")
        assert "自由記入欄を保存しました。" in yamada.words
        await sato.send("/memo", note="来週ご来店")
        assert sato.status == 409
        assert "査定120万円" in sato.words
        assert sato.form("/memo")["note"] == ["来週ご来店"]
        await sato.send("/memo", note="査定120万円、来週ご来店")
        assert "自由記入欄を保存しました。" in sato.words


@pytest.mark.rule("D52", "D54", "D55", "D68", "D69")
async def test_early_payoff_from_the_form_to_both_exits(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts/C1004/result")
        assert "category" not in yamada.form("/result")
        await yamada.send("/result")
        assert "選択区分を選択してください" in yamada.beside("category")
        assert "自社代替の有無を選択してください" in yamada.beside("own_replacement")
        await yamada.send("/result", category="early_payoff", own_replacement="yes")
        assert "代替車両を選択してください" in yamada.beside("vehicle_code")
        await yamada.send(
            "/result", category="early_payoff", own_replacement="yes", vehicle_code="PRIUS"
        )
        assert yamada.path == "/contracts/C1004/payoff"
        assert "早期完済受付へ" in yamada.words
        assert "最終回対象顧客一覧へ" in yamada.words
        await yamada.send("/payoff")
        assert "早期完済の受付へ進みました。" in yamada.words


@pytest.mark.rule("D61")
async def test_what_cannot_be_changed_any_more_is_asked_first(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts/C1006/result")
        await yamada.send(
            "/result", category="cash_settlement", own_replacement="no", confirmation_received="yes"
        )
        assert "選択区分を変更できなくなります" in yamada.words
        await yamada.send("/result")
        assert "「現金決済」で決定しました。結果入力期限を過ぎた入力として" in yamada.words


@pytest.mark.rule("D49", "D50")
async def test_a_trial_shows_its_balance_and_applying_is_asked(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts/C1005/resplit?instalments=36")
        assert "36回の試算" in yamada.words
        assert 'role="img" aria-label="残高の推移' in yamada.html
        await yamada.send("/resplit")
        assert "36回の再分割で、TFCへ審査を申し込みます。" in yamada.words
        await yamada.send("/resplit")
        assert "再分割の審査を申し込みました。" in yamada.words


@pytest.mark.rule("D51")
async def test_the_payment_confirmation_is_a_pdf(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada:
        reply = await yamada.browser.http.get("/contracts/C1001/payment-confirmation")
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.content.startswith(b"%PDF")


@pytest.mark.rule("D125", "D126", "D130")
async def test_a_store_move_is_asked_and_registered(counter: Counter) -> None:
    async with counter.of(SATO) as sato, counter.of(YAMADA) as yamada:
        assert (await yamada.go("/contracts/C1002/assignment")).status == 403
        await sato.go("/contracts/C1002/assignment")
        assert "(旧東店)" not in sato.words
        await sato.send("/assignment/store", to_store="S20")
        assert "異動先店舗を「S20 西店」として登録します。" in sato.words
        await sato.send("/assignment/store")
        assert "登録しました。" in sato.words
        assert "変更中" in sato.words
        await sato.go("/contracts/C1002/assignment")
        await sato.send("/assignment/store")
        await sato.send("/assignment/store")
        assert "異動先店舗または変更後スタッフを入力してください" in sato.words


@pytest.mark.rule("D131", "D135", "D136")
async def test_bulk_change_copies_first_and_saves_later(counter: Counter) -> None:
    async with counter.of(TANAKA) as tanaka, counter.of(YAMADA) as yamada:
        assert (await yamada.go("/transfers")).status == 403
        await tanaka.go("/transfers?from_store=S10")
        await tanaka.send("/transfers")
        assert "変更する契約を選択してください" in tanaka.words
        checked = ["C1003", "C1004"]
        await tanaka.send("/transfers", checked=checked, all_to_store="S20", copy_store="yes")
        form = tanaka.form("/transfers")
        assert form["to_store-C1003"] == ["S20"]
        assert form["to_store-C1001"] == [""]
        assert form["checked"] == checked
        form_fields = {name: value for name, value in form.items() if name != "copy_store"}
        await tanaka.send("/transfers", **form_fields)
        assert "選択した2件の店舗・スタッフの変更を登録します。" in tanaka.words
        await tanaka.send("/transfers")
        assert "1件を登録しました。1件は登録できませんでした。" in tanaka.words
        assert "レクサス手続担当店移管制度" in tanaka.words


async def test_the_dashboard_draws_what_is_due(counter: Counter) -> None:
    async with counter.of(SATO) as sato:
        await sato.go("/dashboard")
        assert "期限の近い契約" in sato.words
        assert 'class="bar-red"' in sato.html


async def test_the_bar_names_dealer_and_store(counter: Counter) -> None:
    async with counter.of(YAMADA) as yamada, counter.of(TANAKA) as tanaka:
        assert "販売店と店舗： みなと自動車販売 本店" in (await yamada.go("/help")).words
        assert "販売店と店舗： みなと自動車販売 " in (await tanaka.go("/help")).words


async def test_a_search_without_a_condition_is_refused_as_a_whole(counter: Counter) -> None:
    """What belongs to no field stands above the form, without a link that leads nowhere."""
    async with counter.of(YAMADA) as yamada:
        await yamada.go("/contracts?mode=individual")
        assert "検索条件を入力してください" in yamada.words
        assert 'href="#field-' not in yamada.html


async def test_a_closed_store_leads_to_its_contracts_and_names_its_successor(
    counter: Counter,
) -> None:
    closed = text("UPDATE store SET unused = true, successor = 'S10' WHERE store_code = 'S20'")
    async with counter.contracts.transaction("D01") as tx:
        await tx.execute(closed)
        await tx.execute(text("UPDATE contract SET store_code = 'S20' WHERE contract_no = 'C1006'"))
    async with counter.of(TANAKA) as tanaka:
        await tanaka.go("/transfers")
        [number] = re.findall(r"店舗 S20 西店 に、契約が(\d+)件残っています。", tanaka.words)
        assert "引継先は S10 本店 です。" in tanaka.words
        [link] = re.findall(r'<a href="(/transfers[^"]*)">この店舗の契約を表示する', tanaka.html)
        await tanaka.go(link)
        assert f"{number}件あります。" in tanaka.words
        form = tanaka.form("/transfers")
        assert form["all_to_store"] == ["S10"]
        checked = re.findall(r'name="checked" value="(C\d+)"', tanaka.html)
        await tanaka.send("/transfers", checked=checked, copy_store="yes")
        assert tanaka.html.count('<option value="S10" selected>') == 1 + int(number)
