"""Product table of the manual, line by line."""

import pytest

from contracts_service.rules.products import (
    PRODUCT_BY_CODE,
    PRODUCTS,
    product_called,
    return_refusal,
    transfer_refusal,
)

TABLE = [
    # product, returned car reported here, separate procedure, store/staff change
    ("ガンマファイナンス", True, False, True),
    ("マックスバリュープランA（エース）", True, True, True),
    ("マックスバリュープランR（アール）", True, False, True),
    ("残額据置き払い（販売店保証）", True, False, True),
    ("残額据置き払い（TFC保証）", True, True, True),
    ("スマートバリュープランA（エース）", True, True, False),
    ("スマートバリュープランR（アール）", True, False, True),
    ("スマートバリュートゥワイスA（エース）", True, True, False),
    ("スマートバリュートゥワイスR（アール）", True, False, True),
    ("スマートバリュープラン（オープンエンド型）", False, False, False),
    ("スマートバリュートゥワイス（オープンエンド型）", False, False, False),
    ("リース", False, False, True),
    ("その他", False, False, True),
]


@pytest.mark.rule("D76", "D77", "D78", "D79", "D124")
@pytest.mark.parametrize(("name", "returned", "separate", "transferable"), TABLE)
def test_what_each_product_allows(
    name: str, returned: bool, separate: bool, transferable: bool
) -> None:
    product = product_called(name)
    assert product is not None
    assert product.name == name
    assert (return_refusal(product) is None) is returned
    assert product.separate_procedure is separate
    assert (transfer_refusal(product) is None) is transferable


def test_the_table_is_complete_and_only_the_lease_is_one() -> None:
    assert len(PRODUCTS) == len(PRODUCT_BY_CODE) == len(TABLE)
    assert [product.code for product in PRODUCTS if product.is_lease] == ["LEASE"]


@pytest.mark.rule("D77")
def test_open_end_products_send_papers_instead() -> None:
    refusal = return_refusal(PRODUCT_BY_CODE["SVP_OPEN"])
    assert refusal is not None
    assert refusal.code == "PRODUCT_NOT_ELIGIBLE"
    assert "必要書類の送付" in refusal.message


@pytest.mark.rule("D124")
def test_lexus_products_move_by_their_own_scheme() -> None:
    refusal = transfer_refusal(PRODUCT_BY_CODE["SVP_A"])
    assert refusal is not None
    assert refusal.message == (
        "レクサス手続担当店移管制度よりご変更のお手続きをお願いします。"
        "詳細は対象商品の事務取扱要領をご確認ください。"
    )


@pytest.mark.rule("D12")
@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("SVP_A", "SVP_A"),
        ("svp_a", "SVP_A"),
        ("スマートバリュープランA", "SVP_A"),
        ("スマートバリュープランＡ(エース)", "SVP_A"),
        ("ｽﾏｰﾄﾊﾞﾘｭｰﾌﾟﾗﾝR", "SVP_R"),
        ("スマートバリュープラン(オープンエンド)", "SVP_OPEN"),
        ("残額据置き払い(TFC保証)", "DEFERRED_TFC"),
        ("スマートバリュープラン", None),
        ("", None),
    ],
)
def test_a_product_is_known_by_code_and_by_name(written: str, code: str | None) -> None:
    product = product_called(written)
    assert (product.code if product else None) == code
