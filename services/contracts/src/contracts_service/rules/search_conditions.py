"""Search conditions of the customer list (D6-D14).

Three panels, one at a time: individual (plate, name, number), general (last day, model, status,
product) and by inspection. Input becomes folded text, inclusive bounds of days and months, and
known codes.
"""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts_service.rules.calendar_days import last_of_month
from contracts_service.rules.inspection import Inspection, registration_months
from contracts_service.rules.japanese_dates import read_month
from contracts_service.rules.row_colour import Colour
from contracts_service.rules.search_text import (
    folded_contract_no,
    folded_name,
    folded_registration,
)
from shared.errors import FieldError, FormErrors

LEFT = "true"
LEFT_UNKNOWN = "担当者の退職の指定が正しくありません"
CONDITION_MISSING = FieldError("mode", "CONDITION_MISSING", "検索条件を入力してください")


class SearchMode(StrEnum):
    """The three panels (D6)."""

    INDIVIDUAL = "individual"
    GENERAL = "general"
    INSPECTION = "inspection"


KEYS: dict[SearchMode, tuple[str, ...]] = {
    SearchMode.INDIVIDUAL: ("registration_no", "customer_name", "contract_no"),
    SearchMode.GENERAL: (
        *("final_from", "final_to", "model_code", "status", "product", "colour", "staff_code"),
        *("staff_left", "store_code", "due"),
    ),
    SearchMode.INSPECTION: ("inspection_type", "months_from", "months_to"),
}


class StatusCondition(StrEnum):
    """対応状況: a selection, or whether the contract is complete (D11)."""

    BLANK = "blank"
    EARLY_PAYOFF = "early_payoff"
    CASH_SETTLEMENT = "cash_settlement"
    RE_SPLIT = "re_split"
    VEHICLE_RETURN = "vehicle_return"
    COMPLETED = "completed"
    OPEN = "open"


class DueState(StrEnum):
    """期限の状況 of incomplete contracts, as the dashboard counts them."""

    URGENT_RED = "urgent_red"
    URGENT_YELLOW = "urgent_yellow"
    OVERDUE_OPEN = "overdue_open"
    OVERDUE_TO_30 = "overdue_to_30"
    OVERDUE_TO_60 = "overdue_to_60"
    OVERDUE_TO_90 = "overdue_to_90"
    OVERDUE_LONGER = "overdue_longer"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndividualSearch:
    """Folded text; the number matches as a whole, plate and name in part (D7). None: not given."""

    registration_no: str | None = None
    customer_name: str | None = None
    contract_no: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralSearch:
    """Inclusive bounds of the last day (D10) and whole codes (D9). None: not given.

    `staff_left`: open contracts whose person in charge has left (D157).
    """

    final_from: date | None = None
    final_to: date | None = None
    model_code: str | None = None
    status: StatusCondition | None = None
    product: str | None = None
    colour: Colour | None = None
    staff_code: str | None = None
    staff_left: bool = False
    store_code: str | None = None
    due: DueState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionSearch:
    """Inclusive months (first days) of registration, and the range as entered (D13)."""

    inspection: Inspection
    months_from: int
    months_to: int
    registered_from: date
    registered_to: date


Search = IndividualSearch | GeneralSearch | InspectionSearch


def read_search(
    mode: str, fields: Mapping[str, str], *, today: date, product_codes: Collection[str]
) -> Search:
    """The search conditions. Blank values count as not given.

    Raises:
        FormErrors: an unknown mode, fields of another panel, no condition, invalid or reversed
            values.
    """
    if mode not in set(SearchMode):
        raise FormErrors(FieldError("mode", "MODE_UNKNOWN", "検索方法を選択してください"))
    asked = SearchMode(mode)
    given = {key: value.strip() for key, value in fields.items() if value.strip()}
    _refuse_other_panels(asked, given)
    if not given:
        raise FormErrors(CONDITION_MISSING)
    match asked:
        case SearchMode.INDIVIDUAL:
            return _individual(given)
        case SearchMode.GENERAL:
            return _general(given, product_codes)
        case SearchMode.INSPECTION:
            return _inspection(given, today)


def _refuse_other_panels(asked: SearchMode, given: Mapping[str, str]) -> None:
    message = "個別契約検索・汎用検索・車検軸検索は、同時に指定できません"
    other_panels = [
        FieldError(key, "KEY_OF_OTHER_PANEL", message) for key in given if key not in KEYS[asked]
    ]
    if other_panels:
        raise FormErrors(*other_panels)


def _individual(given: Mapping[str, str]) -> IndividualSearch:
    search = IndividualSearch(
        registration_no=folded_registration(given.get("registration_no", "")) or None,
        customer_name=folded_name(given.get("customer_name", "")) or None,
        contract_no=folded_contract_no(given.get("contract_no", "")) or None,
    )
    if search == IndividualSearch():  # the input was hyphens only
        raise FormErrors(CONDITION_MISSING)
    return search


def _general(given: Mapping[str, str], product_codes: Collection[str]) -> GeneralSearch:
    errors: list[FieldError] = []
    final_from = _month(given, "final_from", errors)
    month_to = _month(given, "final_to", errors)
    if final_from and month_to and final_from > month_to:
        message = "最終回期日の範囲が逆になっています"
        errors.append(FieldError("final_to", "RANGE_REVERSED", message))
    status, product = given.get("status"), given.get("product")
    if status is not None and status not in set(StatusCondition):
        errors.append(FieldError("status", "STATUS_UNKNOWN", "対応状況の指定が正しくありません"))
    if product is not None and product not in product_codes:
        errors.append(FieldError("product", "PRODUCT_UNKNOWN", "制度の指定が正しくありません"))
    colour = given.get("colour")
    if colour is not None and colour not in set(Colour):
        errors.append(FieldError("colour", "COLOUR_UNKNOWN", "色の指定が正しくありません"))
    if given.get("staff_left", LEFT) != LEFT:
        errors.append(FieldError("staff_left", "STAFF_LEFT_UNKNOWN", LEFT_UNKNOWN))
    due = given.get("due")
    if due is not None and due not in set(DueState):
        errors.append(FieldError("due", "DUE_UNKNOWN", "期限の状況の指定が正しくありません"))
    if errors:
        raise FormErrors(*errors)
    return GeneralSearch(
        final_from=final_from,
        final_to=last_of_month(month_to) if month_to else None,
        model_code=given.get("model_code"),
        status=StatusCondition(status) if status else None,
        product=product,
        colour=Colour(colour) if colour else None,
        staff_code=_folded_code(given.get("staff_code", "")),
        staff_left=given.get("staff_left") == LEFT,
        store_code=_folded_code(given.get("store_code", "")),
        due=DueState(due) if due else None,
    )


def _folded_code(text: str) -> str | None:
    return unicodedata.normalize("NFKC", text).strip().upper() or None


def _inspection(given: Mapping[str, str], today: date) -> InspectionSearch:
    kind = given.get("inspection_type", "")
    if kind not in set(Inspection):
        message = "車検の種類を選択してください"
        raise FormErrors(FieldError("inspection_type", "INSPECTION_MISSING", message))
    inspection = Inspection(kind)
    # A single value is a range of one: "車検前 3ヶ月" is the range 3 to 3.
    typed_from = given.get("months_from", given.get("months_to", ""))
    typed_to = given.get("months_to", typed_from)
    errors: list[FieldError] = []
    months_from = _months_ahead(typed_from, "months_from", inspection, errors)
    months_to = _months_ahead(typed_to, "months_to", inspection, errors)
    if not errors and months_from > months_to:
        message = "車検前の月数の範囲が逆になっています"
        errors.append(FieldError("months_to", "RANGE_REVERSED", message))
    if errors:
        raise FormErrors(*errors)
    registered_from, registered_to = registration_months(
        inspection, months_from=months_from, months_to=months_to, today=today
    )
    return InspectionSearch(
        inspection=inspection,
        months_from=months_from,
        months_to=months_to,
        registered_from=registered_from,
        registered_to=registered_to,
    )


def _month(given: Mapping[str, str], key: str, errors: list[FieldError]) -> date | None:
    if key not in given:
        return None
    month = read_month(given[key])
    if month is None:
        message = "年月は 2022-03 の形で入力してください"
        errors.append(FieldError(key, "MONTH_UNREADABLE", message))
    return month


def _months_ahead(text: str, key: str, inspection: Inspection, errors: list[FieldError]) -> int:
    furthest = inspection.furthest_months_before
    try:
        months = int(unicodedata.normalize("NFKC", text).replace("−", "-"))
    except ValueError:
        months = -1
    if not 0 <= months <= furthest:
        message = f"{inspection.label}の場合、車検前は0～{furthest}ヶ月で入力してください"
        errors.append(FieldError(key, "MONTHS_OUT_OF_RANGE", message))
    return months
