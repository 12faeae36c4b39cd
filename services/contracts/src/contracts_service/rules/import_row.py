"""Import rows: validates one line of a contract file and names each wrong cell (C5).

The columns and their order are agreed with the sender of the file. Every wrong cell of a line is
reported at once, with its column, a stable code and a sentence in Japanese.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from contracts_service.rules import import_cell as cell
from contracts_service.rules.calendar_days import first_of_month
from contracts_service.rules.products import PRODUCT_BY_CODE, product_called
from shared.errors import FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCodes:
    """Known products, stores as (dealer, store) and staff as (dealer, store, staff)."""

    product_codes: Collection[str]
    stores: Collection[tuple[str, str]]
    staff: Collection[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRow:
    """One contract as stated in the file.

    `final_on` is the last day: 最終回年月日, for a lease リース満了年月日. A first registration
    known only by its month has no `first_registered_on`. Amounts and rate (percent per year) may be
    missing for a lease.
    """

    dealer_code: str
    contract_no: str
    product_code: str
    final_on: date
    is_lease: bool
    last_instalment_yen: int | None
    balance_yen: int | None
    instalments: int | None
    monthly_yen: int | None
    yearly_rate_percent: Decimal | None
    model_code: str | None
    model: str
    registration_no: str
    first_registered_month: date
    first_registered_on: date | None
    commercial: bool
    customer_name: str
    customer_name_kana: str | None
    postal_code: str | None
    address: str
    phone: str | None
    store_code: str
    staff_code: str | None
    receivable_purchased: bool
    tfc_handled: bool
    customer_change_pending: bool


FINAL_ON = "最終回年月日"
LEASE_ENDS_ON = "リース満了年月日"
PRODUCT = "制度"
FIRST_REGISTERED = "初度登録年月日"
DEALER = "販売店コード"
STORE = "店舗コード"
STAFF = "スタッフコード"

# Column -> its field and reader, in the agreed order; the five that are read separately
# have None.
COLUMNS: dict[str, tuple[str, cell.Reader] | None] = {
    DEALER: ("dealer_code", cell.required(cell.code)),
    "契約番号": ("contract_no", cell.required(cell.contract_no)),
    PRODUCT: None,
    FINAL_ON: None,
    LEASE_ENDS_ON: None,
    "最終回支払額": ("last_instalment_yen", cell.yen),
    "残高": ("balance_yen", cell.yen),
    "分割回数": ("instalments", cell.instalments),
    "月額": ("monthly_yen", cell.yen),
    "年率": ("yearly_rate_percent", cell.percent),
    "車種コード": ("model_code", cell.code),
    "車種": ("model", cell.required(cell.text)),
    "登録番号": ("registration_no", cell.required(cell.registration_no)),
    FIRST_REGISTERED: None,
    "商用車": ("commercial", cell.flag),
    "契約者名": ("customer_name", cell.required(cell.text)),
    "契約者名カナ": ("customer_name_kana", cell.kana),
    "郵便番号": ("postal_code", cell.postal_code),
    "住所": ("address", cell.required(cell.text)),
    "電話番号": ("phone", cell.phone),
    STORE: ("store_code", cell.required(cell.code)),
    STAFF: ("staff_code", cell.code),
    "債権買取": ("receivable_purchased", cell.flag),
    "TFC対応": ("tfc_handled", cell.flag),
    "届出変更中": ("customer_change_pending", cell.flag),
}
_PLAIN = tuple((column, *target) for column, target in COLUMNS.items() if target)
# Every contract but a lease has a loan.
_LOAN = {
    "最終回支払額": "last_instalment_yen",
    "残高": "balance_yen",
    "分割回数": "instalments",
    "月額": "monthly_yen",
    "年率": "yearly_rate_percent",
}


def read_contract_row(
    cells: Mapping[str, str], known: KnownCodes
) -> ContractRow | tuple[FieldError, ...]:
    """The contract of one line (column to text), or each wrong cell; `field` is its column."""
    wrong: list[FieldError] = []
    values: cell.Values = {}
    for column, name, read in _PLAIN:
        try:
            values[name] = read(cells[column])
        except cell.CellRefused as refused:
            wrong.append(FieldError(column, refused.code, refused.message))
    _read_product(cells, known, values, wrong)
    _read_last_day(cells, values, wrong)
    _read_first_registration(cells, values, wrong)
    if wrong:
        return tuple(wrong)
    wrong += _unknown_places(values, known)
    wrong += _missing_loan(values)
    return tuple(wrong) if wrong else ContractRow(**values)


def _read_product(
    cells: Mapping[str, str], known: KnownCodes, values: cell.Values, wrong: list[FieldError]
) -> None:
    written = cells[PRODUCT].strip()
    code = _product_code(written)
    if not written:
        wrong.append(FieldError(PRODUCT, "MISSING", "値がありません"))
    elif code not in known.product_codes:
        wrong.append(
            FieldError(PRODUCT, "PRODUCT_UNKNOWN", f"制度「{written}」は登録されていません")
        )
    else:
        product = PRODUCT_BY_CODE.get(code)
        values["product_code"] = code
        values["is_lease"] = product is not None and product.is_lease


@lru_cache(maxsize=256)
def _product_code(written: str) -> str:
    product = product_called(written)
    return product.code if product else written


def _read_last_day(cells: Mapping[str, str], values: cell.Values, wrong: list[FieldError]) -> None:
    """Exactly one of the two columns, the one that fits the product (D22)."""
    if "is_lease" not in values:
        return
    mine, other = (LEASE_ENDS_ON, FINAL_ON) if values["is_lease"] else (FINAL_ON, LEASE_ENDS_ON)
    if cells[other].strip():
        message = f"この制度では{mine}だけを入力してください"
        wrong.append(FieldError(other, "NOT_OF_THIS_PRODUCT", message))
    try:
        values["final_on"] = cell.required(cell.day)(cells[mine])
    except cell.CellRefused as refused:
        wrong.append(FieldError(mine, refused.code, refused.message))


def _read_first_registration(
    cells: Mapping[str, str], values: cell.Values, wrong: list[FieldError]
) -> None:
    try:
        day, whole_month = cell.required(cell.day_or_month)(cells[FIRST_REGISTERED])
    except cell.CellRefused as refused:
        wrong.append(FieldError(FIRST_REGISTERED, refused.code, refused.message))
        return
    values["first_registered_month"] = first_of_month(day)
    values["first_registered_on"] = None if whole_month else day


def _unknown_places(values: Mapping[str, object], known: KnownCodes) -> list[FieldError]:
    dealer, store, staff = values["dealer_code"], values["store_code"], values["staff_code"]
    if (dealer, store) not in known.stores:
        message = f"店舗「{store}」は販売店「{dealer}」に登録されていません"
        return [FieldError(STORE, "STORE_UNKNOWN", message)]
    if staff is not None and (dealer, store, staff) not in known.staff:
        message = f"スタッフ「{staff}」は店舗「{store}」に登録されていません"
        return [FieldError(STAFF, "STAFF_UNKNOWN", message)]
    return []


def _missing_loan(values: Mapping[str, object]) -> list[FieldError]:
    if values["is_lease"]:
        return []
    return [
        FieldError(column, "MISSING", "値がありません")
        for column, name in _LOAN.items()
        if values[name] is None
    ]
