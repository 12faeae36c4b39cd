"""Eligibility of a contract for a return report, and whether it finishes it (D76-D81, D38).

The table of products is a default; a master may feed another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from returns_service.rules.return_form import ResultKind
from returns_service.rules.return_status import FINAL, Status
from shared.errors import Kind, Refusal

SEPARATE_PROCEDURE_NOTICE = (
    "弊社から別途ご案内をお送りいたします。"
    "J-PASS WEB（車両返却機能）によるご連絡のみでは手続きは完了いたしません。"
)
SELECTION_MISSING_WARNING = "最終回選択が未入力です。車両返却の選択をご確認ください。"


@dataclass(frozen=True)
class Product:
    """One finance product (制度) and what can be done with its contracts here."""

    code: str
    name: str
    return_allowed: bool
    separate_procedure: bool
    transferable: bool


def _product(code: str, name: str, flags: str) -> Product:
    return Product(code, name, "R" in flags, "S" in flags, "T" in flags)


# R: return may be reported (D76, D77), S: needs a separate procedure (D78), T: transferable (D79).
DEFAULT_PRODUCTS: Mapping[str, Product] = {
    product.code: product
    for product in (
        _product("GAMMA", "ガンマファイナンス", "R-T"),
        _product("MVP_A", "マックスバリュープランA（エース）", "RST"),
        _product("MVP_R", "マックスバリュープランR（アール）", "R-T"),
        _product("DEFERRED_DEALER", "残額据置き払い（販売店保証）", "R-T"),
        _product("DEFERRED_TFC", "残額据置き払い（TFC保証）", "RST"),
        _product("SVP_A", "スマートバリュープランA（エース）", "RS-"),
        _product("SVP_R", "スマートバリュープランR（アール）", "R-T"),
        _product("SVT_A", "スマートバリュートゥワイスA（エース）", "RS-"),
        _product("SVT_R", "スマートバリュートゥワイスR（アール）", "R-T"),
        _product("SVP_OPEN", "スマートバリュープラン（オープンエンド型）", "---"),
        _product("SVT_OPEN", "スマートバリュートゥワイス（オープンエンド型）", "---"),
        _product("LEASE", "リース", "--T"),
        _product("OTHER", "その他", "--T"),
    )
}


def product_of(code: str, products: Mapping[str, Product] = DEFAULT_PRODUCTS) -> Product:
    """The product of this code; an unknown one counts as その他, so no return here (D77)."""
    return products.get(code) or DEFAULT_PRODUCTS["OTHER"]


class Selection(StrEnum):
    """最終回選択区分 as the contract has it."""

    EARLY_PAYOFF = "EARLY_PAYOFF"
    CASH = "CASH"
    RESPLIT = "RESPLIT"
    RETURN = "RETURN"

    @property
    def label_ja(self) -> str:
        """The name on the screen."""
        return {
            Selection.EARLY_PAYOFF: "早期完済",
            Selection.CASH: "現金決済",
            Selection.RESPLIT: "再分割",
            Selection.RETURN: "車両返却",
        }[self]


class ProductNotEligible(Refusal):
    """No return can be reported here for this product (D77)."""

    code = "PRODUCT_NOT_ELIGIBLE"
    kind = Kind.INVALID
    message = "弊社へ必要書類の送付をお願いいたします"


class ContractHandledByTfc(Refusal):
    """TFC handles the contract, after a total loss for instance (D38)."""

    code = "CONTRACT_HANDLED_BY_TFC"
    kind = Kind.CONFLICT
    message = "TFCにて対応中です"


class SelectionContradicts(Refusal):
    """The customer chose something else than the return of the car (D80)."""

    code = "SELECTION_CONTRADICTS"
    kind = Kind.CONFLICT

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        message = f"最終回選択が「{selection.label_ja}」のため、車両返却の結果を入力できません。"
        super().__init__(message + "TFCへご連絡ください" * (selection is Selection.RESPLIT))


class ReturnAlreadyUnderWay(Refusal):
    """The contract has an application that is neither 完了 nor 取下げ (D81)."""

    code = "RETURN_ALREADY_UNDER_WAY"
    kind = Kind.CONFLICT
    message = "既に手続中の申込があります"


class CarAlreadyReturned(Refusal):
    """An application 返却済み of the contract is 完了; there is nothing left to report (D81)."""

    code = "CAR_ALREADY_RETURNED"
    kind = Kind.CONFLICT
    message = "車両返却の手続きは既に完了しています"


@dataclass(frozen=True)
class ContractFacts:
    """What a return needs to know of its contract; no `selection`: none entered yet."""

    product: Product
    receivable_purchased: bool = False
    tfc_handled: bool = False
    selection: Selection | None = None


@dataclass(frozen=True)
class EarlierReturn:
    """An application that the contract already has."""

    status: Status
    kind: ResultKind


@dataclass(frozen=True)
class Eligibility:
    """The return may be reported.

    `separate_procedure`: 完了 of the application will not finish the contract and the notice is
    shown. `selection_missing`: the user is warned, not stopped. `reopens`: the contract was
    finished by an application 未返却確定 and is opened again.
    """

    separate_procedure: bool
    selection_missing: bool
    reopens: bool


def needs_separate_procedure(product: Product, *, receivable_purchased: bool) -> bool:
    """Whether TFC sends papers of its own afterwards (D78)."""
    return product.separate_procedure or receivable_purchased


def check_eligibility(contract: ContractFacts, earlier: Iterable[EarlierReturn]) -> Eligibility:
    """What holds for a new application on `contract`, or the first refusal, top to bottom.

    `earlier` are all applications that the contract ever had.
    """
    if not contract.product.return_allowed:
        raise ProductNotEligible
    if contract.tfc_handled:
        raise ContractHandledByTfc
    if contract.selection is not None and contract.selection is not Selection.RETURN:
        raise SelectionContradicts(contract.selection)
    earlier = tuple(earlier)
    if any(other.status not in FINAL for other in earlier):
        raise ReturnAlreadyUnderWay
    completed = {other.kind for other in earlier if other.status is Status.COMPLETED}
    if ResultKind.RETURNED in completed:
        raise CarAlreadyReturned
    return Eligibility(
        separate_procedure=needs_separate_procedure(
            contract.product, receivable_purchased=contract.receivable_purchased
        ),
        selection_missing=contract.selection is None,
        reopens=ResultKind.UNRETURNED in completed,
    )
