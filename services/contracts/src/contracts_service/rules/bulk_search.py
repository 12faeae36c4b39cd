"""Bulk search: the conditions of 店舗・スタッフ一括変更 (D132).

Six fields, and open contracts of staff who have left (D157), joined by AND; at least one is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts_service.rules.japanese_dates import read_month
from contracts_service.rules.search_conditions import CONDITION_MISSING, LEFT, LEFT_UNKNOWN
from contracts_service.rules.search_text import folded_name, folded_registration
from shared.errors import FieldError, FormErrors


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSearch:
    """Folded text, whole codes, and 車検年月 as the first day of the month. None: not given."""

    customer_name: str | None = None
    inspection_month: date | None = None
    registration_no: str | None = None
    model_code: str | None = None
    from_staff: str | None = None
    from_store: str | None = None
    staff_left: bool = False


def read_bulk_search(fields: Mapping[str, str]) -> BulkSearch:
    """The search conditions; blank values count as not given.

    Raises:
        FormErrors: no condition, or an invalid month.
    """
    given = {key: value.strip() for key, value in fields.items() if value.strip()}
    month = read_month(given.get("inspection_month", ""))
    if "inspection_month" in given and month is None:
        message = "年月は 2022-03 の形で入力してください"
        raise FormErrors(FieldError("inspection_month", "MONTH_UNREADABLE", message))
    if given.get("staff_left", LEFT) != LEFT:
        raise FormErrors(FieldError("staff_left", "STAFF_LEFT_UNKNOWN", LEFT_UNKNOWN))
    search = BulkSearch(
        customer_name=folded_name(given.get("customer_name", "")) or None,
        inspection_month=month,
        registration_no=folded_registration(given.get("registration_no", "")) or None,
        model_code=given.get("model_code"),
        from_staff=given.get("from_staff"),
        from_store=given.get("from_store"),
        staff_left=given.get("staff_left") == LEFT,
    )
    if search == BulkSearch():
        raise FormErrors(CONDITION_MISSING)
    return search
