"""For which contracts a return is reported here; the table of the manual, product by product."""

import pytest

from returns_service.rules.return_eligibility import (
    DEFAULT_PRODUCTS,
    SEPARATE_PROCEDURE_NOTICE,
    CarAlreadyReturned,
    ContractFacts,
    ContractHandledByTfc,
    EarlierReturn,
    Product,
    ProductNotEligible,
    ReturnAlreadyUnderWay,
    Selection,
    SelectionContradicts,
    check_eligibility,
    needs_separate_procedure,
    product_of,
)
from returns_service.rules.return_form import ResultKind
from returns_service.rules.return_status import Status
from shared.errors import Kind

PRODUCTS = """
GAMMA           ガンマファイナンス                          return -        move
MVP_A           マックスバリュープランA（エース）              return separate move
MVP_R           マックスバリュープランR（アール）              return -        move
DEFERRED_DEALER 残額据置き払い（販売店保証）                  return -        move
DEFERRED_TFC    残額据置き払い（TFC保証）                    return separate move
SVP_A           スマートバリュープランA（エース）              return separate -
SVP_R           スマートバリュープランR（アール）              return -        move
SVT_A           スマートバリュートゥワイスA（エース）           return separate -
SVT_R           スマートバリュートゥワイスR（アール）           return -        move
SVP_OPEN        スマートバリュープラン（オープンエンド型）       -      -        -
SVT_OPEN        スマートバリュートゥワイス（オープンエンド型）    -      -        -
LEASE           リース                                     -      -        move
OTHER           その他                                     -      -        move
"""
LINES = [line.split() for line in PRODUCTS.strip().splitlines()]


def contract(code: str, **facts: object) -> ContractFacts:
    return ContractFacts(product_of(code), **facts)  # type: ignore[arg-type]


def test_the_table_has_the_thirteen_products() -> None:
    assert list(DEFAULT_PRODUCTS) == [line[0] for line in LINES]


@pytest.mark.rule("D76", "D77", "D78", "D79")
@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_product(line: list[str]) -> None:
    code, name, may_return, separate, move = line
    expected = Product(code, name, may_return != "-", separate != "-", move != "-")
    assert product_of(code) == expected
    if expected.return_allowed:
        eligible = check_eligibility(contract(code, selection=Selection.RETURN), [])
        assert eligible.separate_procedure is expected.separate_procedure
    else:
        with pytest.raises(ProductNotEligible):
            check_eligibility(contract(code, selection=Selection.RETURN), [])


@pytest.mark.rule("D77")
@pytest.mark.parametrize("code", ["SVP_OPEN", "SVT_OPEN", "LEASE", "OTHER", "NEVER_HEARD_OF"])
def test_not_eligible_says_to_send_the_papers(code: str) -> None:
    with pytest.raises(ProductNotEligible) as refused:
        check_eligibility(contract(code), [])
    assert refused.value.code == "PRODUCT_NOT_ELIGIBLE"
    assert refused.value.kind is Kind.INVALID
    assert refused.value.message == "弊社へ必要書類の送付をお願いいたします"


@pytest.mark.rule("D78")
@pytest.mark.parametrize(
    ("code", "purchased", "separate"),
    [
        ("SVP_A", False, True),
        ("SVP_R", True, True),
        ("SVP_R", False, False),
        ("GAMMA", True, True),
        ("MVP_A", True, True),
    ],
)
def test_separate_procedure(code: str, purchased: bool, separate: bool) -> None:
    facts = contract(code, receivable_purchased=purchased)
    assert check_eligibility(facts, []).separate_procedure is separate
    assert needs_separate_procedure(product_of(code), receivable_purchased=purchased) is separate
    assert "弊社から別途ご案内" in SEPARATE_PROCEDURE_NOTICE


@pytest.mark.rule("D38")
def test_a_contract_that_tfc_handles_is_refused() -> None:
    with pytest.raises(ContractHandledByTfc) as refused:
        check_eligibility(contract("SVP_R", tfc_handled=True), [])
    assert (refused.value.kind, refused.value.message) == (Kind.CONFLICT, "TFCにて対応中です")
    assert check_eligibility(contract("SVP_R"), [])


@pytest.mark.rule("D80")
def test_selection_return_or_none_is_accepted_the_latter_with_a_warning() -> None:
    chosen = check_eligibility(contract("SVP_R", selection=Selection.RETURN), [])
    assert not chosen.selection_missing
    assert check_eligibility(contract("SVP_R"), []).selection_missing


@pytest.mark.rule("D80")
@pytest.mark.parametrize("selection", [Selection.CASH, Selection.EARLY_PAYOFF, Selection.RESPLIT])
def test_another_selection_contradicts(selection: Selection) -> None:
    with pytest.raises(SelectionContradicts) as refused:
        check_eligibility(contract("SVP_R", selection=selection), [])
    assert refused.value.kind is Kind.CONFLICT
    assert selection.label_ja in refused.value.message
    assert ("TFCへご連絡ください" in refused.value.message) is (selection is Selection.RESPLIT)


@pytest.mark.rule("D81")
@pytest.mark.parametrize("status", Status)
def test_one_open_application_per_contract(status: Status) -> None:
    earlier = [EarlierReturn(status, ResultKind.UNRETURNED)]
    if status in {Status.COMPLETED, Status.WITHDRAWN}:
        reopens = status is Status.COMPLETED
        assert check_eligibility(contract("SVP_R"), earlier).reopens is reopens
    else:
        with pytest.raises(ReturnAlreadyUnderWay) as refused:
            check_eligibility(contract("SVP_R"), earlier)
        assert refused.value.message == "既に手続中の申込があります"


@pytest.mark.rule("D81")
def test_a_returned_car_is_returned_once() -> None:
    returned = EarlierReturn(Status.COMPLETED, ResultKind.RETURNED)
    unreturned = EarlierReturn(Status.COMPLETED, ResultKind.UNRETURNED)
    withdrawn = EarlierReturn(Status.WITHDRAWN, ResultKind.RETURNED)
    assert not check_eligibility(contract("SVP_R"), [withdrawn]).reopens
    assert check_eligibility(contract("SVP_R"), [withdrawn, unreturned]).reopens
    for earlier in ([returned], [unreturned, returned]):
        with pytest.raises(CarAlreadyReturned):
            check_eligibility(contract("SVP_R"), earlier)


def test_a_master_may_feed_other_products() -> None:
    master = {"NEW": Product("NEW", "新制度", True, False, True)}  # noqa: FBT003 - a row of a table
    assert check_eligibility(ContractFacts(product_of("NEW", master)), []).selection_missing
    assert not product_of("GAMMA", master).return_allowed
