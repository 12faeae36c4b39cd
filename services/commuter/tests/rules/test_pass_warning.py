"""Pass warnings: when an item must be searched again R40-R58."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from commuter_service.rules.pass_validity import PassFacts, valid_passes
from commuter_service.rules.pass_warning import (
    DeductionWarning,
    ItemFacts,
    WarningBlocksSubmission,
    check_submission,
    date_warning,
    pass_change_notice,
    revision_notice,
    versions_changed,
)
from fare_engine.rules.period import Period

W1, W2 = DeductionWarning.W1, DeductionWarning.W2


def day(text: str) -> date:
    return date.fromisoformat(text.replace("/", "-"))


def valid(text: str, pass_id: str = "P", **facts: object) -> PassFacts:
    start, end = text.split("~")
    period = Period(day(start) if start else None, day(end) if end else None)
    return replace(PassFacts(pass_id, 1, "営業太郎", period), **facts)  # type: ignore[arg-type]


A = valid("2022/04/01~", "A")
B = valid("~2022/08/31", "B")
C = valid("2022/04/01~2022/08/31", "C")
D = valid("~", "D")
# An item of 2022/07/11 whose look-up ran for that day.
LOOKED_UP = ItemFacts("営業太郎", day("2022/07/11"), day("2022/07/11"), day("2022/07/11"))


def moved_to(on: str, item: ItemFacts = LOOKED_UP) -> ItemFacts:
    return replace(item, item_on=day(on))


@pytest.mark.rule("R40")
def test_date_changed_inside_the_search_gives_w1() -> None:
    item = replace(LOOKED_UP, searched_on=day("2022/03/31"))
    assert date_warning(item, [A]) is W1
    assert W1.message == (
        "明細の日付と乗換案内で実行された日付が異なるため、定期区間控除の判定ができませんでした。"
        "もう一度、乗換案内を呼び出してください。"
    )


@pytest.mark.rule("R41")
def test_date_changed_on_the_item_gives_w2() -> None:
    assert date_warning(moved_to("2022/03/31"), [A]) is W2
    assert W2.message == (
        "乗換案内の使用後に、明細の日付が変更されたため、定期区間控除の判定ができませんでした。"
        "もう一度、乗換案内を呼び出してください。"
    )


@pytest.mark.rule("R43")
def test_looking_up_again_cures_both() -> None:
    again = day("2022/03/31")
    cured = ItemFacts("営業太郎", item_on=again, searched_on=again, item_on_at_decision=again)
    assert date_warning(cured, [A]) is None


def pattern(number: str, one: PassFacts, on: str, warned: bool) -> object:
    return pytest.param(one, on, warned, marks=pytest.mark.rule(number), id=f"{number} {on}")


@pytest.mark.parametrize(
    ("one", "on", "warned"),
    [
        pattern("R44", A, "2022/03/31", warned=True),
        pattern("R44", A, "2022/04/01", warned=False),
        pattern("R44", A, "2030/01/01", warned=False),
        pattern("R45", B, "2022/09/01", warned=True),
        pattern("R45", B, "2022/08/31", warned=False),
        pattern("R45", B, "2000/01/01", warned=False),
        pattern("R46", C, "2022/03/31", warned=True),
        pattern("R46", C, "2022/04/01", warned=False),
        pattern("R46", C, "2022/08/31", warned=False),
        pattern("R46", C, "2022/09/01", warned=True),
        pattern("R47", D, "1990/01/01", warned=False),
        pattern("R47", D, "2090/12/31", warned=False),
    ],
)
def test_the_manuals_four_patterns(one: PassFacts, on: str, warned: bool) -> None:
    assert date_warning(moved_to(on), [one]) is (W2 if warned else None)


@pytest.mark.rule("R48")
@pytest.mark.parametrize(
    ("passes", "searched", "on", "warned"),
    [
        ([valid("~2022/07/31", "old"), valid("2022/08/01~", "new")], "2022/07/11", "2022/08/05",
         True),
        ([C], "2022/03/15", "2022/04/05", True),  # from outside to inside
        ([C], "2022/03/01", "2022/10/01", False),  # over the whole period: nothing on either day
        ([C], "2022/05/01", "2022/06/01", False),
        ([], "2022/05/01", "2022/06/01", False),
    ],
)  # fmt: skip
def test_warns_while_the_two_days_have_different_passes(
    passes: list[PassFacts], searched: str, on: str, warned: bool
) -> None:
    item = ItemFacts("営業太郎", day(on), day(searched), day(searched))
    assert (date_warning(item, passes) is not None) is warned


@pytest.mark.rule("R49")
def test_putting_the_date_back_removes_the_warning() -> None:
    moved = moved_to("2022/03/31")
    assert date_warning(moved, [A]) is W2
    assert date_warning(moved_to("2022/07/11", moved), [A]) is None


@pytest.mark.rule("R50")
def test_typed_item_never_warns() -> None:
    assert date_warning(ItemFacts("営業太郎", day("2022/03/31")), [A]) is None


@pytest.mark.rule("R51", "R34")
def test_imported_item_never_warns_and_is_never_deducted() -> None:
    assert date_warning(replace(moved_to("2022/03/31"), from_ic_card=True), [A]) is None
    assert valid_passes([D], "営業太郎", day("2022/07/11"), from_ic_card=True) == ()


@pytest.mark.rule("R52", "R21")
def test_unconfirmed_pass_neither_warns_nor_deducts() -> None:
    waiting = replace(A, confirmed=False)
    assert date_warning(moved_to("2022/03/31"), [waiting]) is None
    assert valid_passes([waiting], "営業太郎", day("2022/07/11")) == ()


@pytest.mark.rule("R53")
def test_empty_date_is_not_checked() -> None:
    assert date_warning(replace(LOOKED_UP, item_on=None), [A]) is None


@pytest.mark.rule("R54")
def test_warning_is_no_error_unless_the_company_says_so() -> None:
    check_submission([W2], company_blocks=False)
    check_submission([DeductionWarning.FARES_REVISED], company_blocks=True)
    with pytest.raises(WarningBlocksSubmission):
        check_submission([W2], company_blocks=True)


@pytest.mark.rule("R55")
@pytest.mark.parametrize(
    ("searched", "on", "noticed"),
    [
        ("2026/03/13", "2026/03/14", True),
        ("2026/03/14", "2026/03/13", True),
        ("2026/03/12", "2026/03/13", False),
        ("2026/03/14", "2026/03/15", False),
    ],
)
def test_revision_of_fares_between_the_days_is_another_notice(
    searched: str, on: str, noticed: bool
) -> None:
    item = ItemFacts("営業太郎", day(on), day(searched), day(searched))
    notice = revision_notice(item, [day("2026/03/14")])
    assert notice is (DeductionWarning.FARES_REVISED if noticed else None)
    assert date_warning(item, [D]) is None


@pytest.mark.rule("R56", "R17")
@pytest.mark.parametrize(
    ("now", "noticed"),
    [
        ([A], False),
        ([replace(A, version=2, period=valid("2022/04/01~2022/07/31").period)], True),
        ([], True),  # purged meanwhile
        ([A, D], True),
        ([A, replace(D, employee_id="他人")], False),
        ([A, valid("2022/08/01~", "later")], False),
    ],
)
def test_changed_passes_are_noticed_by_their_versions(
    now: Iterable[PassFacts], noticed: bool
) -> None:
    assert versions_changed(LOOKED_UP, frozenset({("A", 1)}), now) is noticed


@pytest.mark.rule("R56")
def test_a_change_of_passes_is_mentioned_only_where_it_charges_otherwise() -> None:
    assert pass_change_notice(charge_changed=False) is None
    assert pass_change_notice(charge_changed=True) is DeductionWarning.PASS_CHANGED


@pytest.mark.rule("R57")
def test_copied_item_on_another_day_warns() -> None:
    copied = replace(LOOKED_UP, item_on=day("2022/09/05"))
    assert date_warning(copied, [C]) is W2


@pytest.mark.rule("R36", "R37", "R16")
@pytest.mark.parametrize(
    ("passes", "on", "deducted"),
    [
        ([C], "2022/08/20", ["C"]),  # whatever today is
        ([valid("~2022/07/31", "ended")], "2022/08/01", []),
        ([valid("~2022/07/31", "ended")], "2022/07/31", ["ended"]),
        ([replace(D, employee_id="他人"), A], "2022/07/11", ["A"]),
    ],
)
def test_own_passes_of_the_items_day_deduct(
    passes: list[PassFacts], on: str, deducted: list[str]
) -> None:
    assert [one.pass_id for one in valid_passes(passes, "営業太郎", day(on))] == deducted
