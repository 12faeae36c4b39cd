"""Going back keeps the input: 戻る on a confirmation, buttons without a choice, 一括反映."""

from urllib.parse import urlencode

import pytest

from shared.testing.people import SATO, TANAKA, YAMADA

from .portal_stack import PortalStack

LIST = "/contracts?mode=general&final_from=2020%2F1"


@pytest.mark.rule("D35")
async def test_detail_without_a_selected_row_stays_on_the_list_with_an_error(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(YAMADA) as yamada:
        await yamada.visit(LIST)
        found = yamada.text.count("C100")
        assert found >= 5
        back = LIST.removeprefix("/contracts?")
        await yamada.visit("/contracts/detail?" + urlencode({"back": back}))
        assert yamada.path == LIST
        assert "対象の契約を選んでから「顧客詳細」を押してください。" in yamada.text
        assert yamada.text.count("C100") == found
        await yamada.visit("/contracts/detail?" + urlencode({"back": back, "contract": "C1002"}))
        assert yamada.path == "/contracts/C1002"


@pytest.mark.rule("D136")
@pytest.mark.parametrize(
    ("column", "value", "other"),
    [("to_store", "S20", "to_staff"), ("to_staff", "E102", "to_store")],
)
async def test_bulk_fill_changes_the_checked_rows_of_one_column_and_saves_nothing(
    portal_stack: PortalStack, column: str, value: str, other: str
) -> None:
    checked = ["C1001", "C1002", "C1003"]
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/transfers?from_store=S10")
        button = column.replace("to_", "copy_")
        await tanaka.send("/transfers", checked=checked, **{f"all_{column}": value, button: "yes"})
        form = tanaka.form("/transfers")
        filled = {name: given for name, given in form.items() if name.startswith(f"{column}-")}
        assert len(filled) > len(checked)
        for name, given in filled.items():
            assert given == [value if name.partition("-")[2] in checked else ""], name
        assert all(form[name] == [""] for name in form if name.startswith(f"{other}-"))
        await tanaka.visit("/transfers?from_store=S10")
        assert "変更中" not in tanaka.text
        assert all(
            given == [""]
            for name, given in tanaka.form("/transfers").items()
            if name.startswith(("to_store-", "to_staff-"))
        )


@pytest.mark.rule("D136")
async def test_bulk_fill_without_a_checked_row_shows_an_error(portal_stack: PortalStack) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/transfers?from_store=S10")
        await tanaka.send("/transfers", all_to_store="S20", copy_store="yes")
        assert (tanaka.status, "反映する契約を選択してください。" in tanaka.text) == (422, True)


async def test_going_back_from_a_bulk_change_keeps_search_rows_and_choices(
    portal_stack: PortalStack,
) -> None:
    async with portal_stack.signed_in(TANAKA) as tanaka:
        await tanaka.visit("/transfers?from_store=S10")
        choice: dict[str, str | list[str]] = {"checked": ["C1002"], "to_store-C1002": "S20"}
        await tanaka.send("/transfers", **choice)
        assert "選択した1件の店舗・スタッフの変更を登録します。" in tanaka.text
        await tanaka.send("/transfers", turned_back="yes")
        form = tanaka.form("/transfers")
        assert (form["checked"], form["to_store-C1002"]) == (["C1002"], ["S20"])
        assert form["from_store"] == ["S10"]
        assert "変更中" not in tanaka.text


async def test_going_back_from_every_confirmation_keeps_the_input(
    portal_stack: PortalStack,
) -> None:
    async with (
        portal_stack.signed_in(YAMADA) as yamada,
        portal_stack.signed_in(TANAKA) as tanaka,
        portal_stack.signed_in(SATO) as sato,
    ):
        await yamada.visit("/contracts/C1002/return/entry")
        await yamada.send("/return/entry", received_on="2025/7/1", contact_2="080-1111-2222")
        await yamada.send("/return/entry", turned_back="yes")
        form = yamada.form("/return/entry")
        assert (form["received_on"], form["contact_2"]) == (["2025/7/1"], ["080-1111-2222"])

        await yamada.visit("/contracts/C1006/result")
        await yamada.send("/result", category="early_payoff", own_replacement="no")
        assert "よろしいですか" in yamada.text
        await yamada.send("/result", turned_back="yes")
        assert yamada.form("/result")["category"] == ["early_payoff"]

        await tanaka.visit("/approval-flow")
        await tanaka.send("/approval-flow", hq_mails="other@d01.example.jp")
        await tanaka.send("/approval-flow", turned_back="yes")
        assert tanaka.form("/approval-flow")["hq_mails"] == ["other@d01.example.jp"]

        await sato.visit("/contracts/C1002/assignment")
        await sato.send("/assignment/store", to_store="S20")
        await sato.send("/assignment/store", turned_back="yes")
        assert sato.form("/assignment/store")["to_store"] == ["S20"]
        assert "変更中" not in sato.text


@pytest.mark.parametrize(
    "path",
    [
        "/contracts/C9999",
        "/contracts/C1001%3Fdealer=D02",
        "/contracts/C1001%00",
        "/contracts/%E5%B1%B1",
        "/contracts/" + "9" * 300,
        "/contracts/C9999/result",
        "/contracts/C9999/return/entry",
        "/contracts/C9999/assignment",
        "/returns/RA-99999999",
        "/returns/RA-1%20OR%201=1",
        "/returns/x%2F..%2Fy",
        "/returns/RA-99999999/approval",
        "/returns/RA-99999999/sent",
        "/substitutes/x/end",
        "/nowhere",
    ],
)
async def test_a_tampered_url_gets_an_error_page(portal_stack: PortalStack, path: str) -> None:
    async with portal_stack.signed_in(SATO) as sato:
        await sato.visit(path)
        assert sato.status in {404, 405}, sato.text
        assert "見つかりません" in sato.text
        assert "お問い合わせ番号" in sato.text
        assert "トップへ戻る" in sato.text
