"""Finance products (制度) and what each allows (D12, D76-D79, D124).

Eleven products of the manual, plus leases and all others. The finance company can publish other
flags; this table is the default.
"""

import unicodedata
from dataclasses import dataclass

from shared.errors import Kind, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A finance product and what it allows: reporting a return, changing store or staff."""

    code: str
    name: str
    return_allowed: bool = True
    separate_procedure: bool = False
    transferable: bool = True
    is_lease: bool = False


PRODUCTS: tuple[Product, ...] = (
    Product(code="GAMMA", name="ガンマファイナンス"),
    Product(code="MVP_A", name="マックスバリュープランA（エース）", separate_procedure=True),
    Product(code="MVP_R", name="マックスバリュープランR（アール）"),
    Product(code="DEFERRED_DEALER", name="残額据置き払い（販売店保証）"),
    Product(code="DEFERRED_TFC", name="残額据置き払い（TFC保証）", separate_procedure=True),
    Product(
        code="SVP_A",
        name="スマートバリュープランA（エース）",
        separate_procedure=True,
        transferable=False,
    ),
    Product(code="SVP_R", name="スマートバリュープランR（アール）"),
    Product(
        code="SVT_A",
        name="スマートバリュートゥワイスA（エース）",
        separate_procedure=True,
        transferable=False,
    ),
    Product(code="SVT_R", name="スマートバリュートゥワイスR（アール）"),
    Product(
        code="SVP_OPEN",
        name="スマートバリュープラン（オープンエンド型）",
        return_allowed=False,
        transferable=False,
    ),
    Product(
        code="SVT_OPEN",
        name="スマートバリュートゥワイス（オープンエンド型）",
        return_allowed=False,
        transferable=False,
    ),
    Product(code="LEASE", name="リース", return_allowed=False, is_lease=True),
    Product(code="OTHER", name="その他", return_allowed=False),
)

PRODUCT_BY_CODE = {product.code: product for product in PRODUCTS}


class ProductNotEligible(Refusal):
    """Returns are not reported here for this product; documents go to the finance company (D77)."""

    code = "PRODUCT_NOT_ELIGIBLE"
    kind = Kind.INVALID
    message = "弊社へ必要書類の送付をお願いいたします"


class ProductNotTransferable(Refusal):
    """Store and staff of this product are changed under the Lexus scheme (D79, D124)."""

    code = "PRODUCT_NOT_TRANSFERABLE"
    kind = Kind.CONFLICT
    message = (
        "レクサス手続担当店移管制度よりご変更のお手続きをお願いします。"
        "詳細は対象商品の事務取扱要領をご確認ください。"
    )


def needs_separate_procedure(product: Product, *, receivable_purchased: bool) -> bool:
    """Whether a completed return still waits for the finance company's separate procedure (D78)."""
    return product.separate_procedure or receivable_purchased


def return_refusal(product: Product) -> Refusal | None:
    """Why a return cannot be reported for this product, or None (D76, D77)."""
    return None if product.return_allowed else ProductNotEligible()


def transfer_refusal(product: Product) -> Refusal | None:
    """Why store and staff cannot be changed for this product, or None (D79, D124)."""
    return None if product.transferable else ProductNotTransferable()


def product_called(text: str) -> Product | None:
    """The product with this code or name; width, brackets and エース/アール/型 do not matter."""
    return _BY_SPELLING.get(_spelling(text))


def _spelling(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).upper().replace(" ", "")
    return (
        folded.replace("(エース)", "").replace("(アール)", "").removesuffix("型)").removesuffix(")")
    )


_BY_SPELLING = {_spelling(word): p for p in PRODUCTS for word in (p.code, p.name)}
