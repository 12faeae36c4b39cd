"""Search limit: rows shown, and the advice when there are more hits (D17, D18, D134, A-05)."""

from dataclasses import dataclass
from enum import StrEnum

from contracts_service.rules.contract_access import Action, role_refusal
from shared.errors import Refusal
from shared.roles import Role

ROWS_SHOWN = 100
ROWS_AT_ONCE = 300
"""Rows of the bulk screen when the whole result is wanted."""
ROWS_IN_EXCEL = 20_000


class TooManyForExcel(Refusal):
    """More hits than the Excel file takes; the CSV has no limit (D19)."""

    code = "TOO_MANY_FOR_EXCEL"
    message = (
        f"Excel形式で出力できる件数は{ROWS_IN_EXCEL:,}件までです。"
        "検索条件を絞るか、顧客リスト（csv）出力をご利用ください"
    )


class SearchScreen(StrEnum):
    """The two screens with a limit; only the customer list offers the CSV instead."""

    CUSTOMER_LIST = "customer_list"
    BULK_CHANGE = "bulk_change"


ADVICE = {
    SearchScreen.CUSTOMER_LIST: (
        f"表示できる件数は{ROWS_SHOWN}件までですので、{ROWS_SHOWN}件をオーバーした場合は、"
        "検索条件を絞るか、本部または店長機にて顧客リスト（csv）出力のうえ、ご確認ください"
    ),
    SearchScreen.BULK_CHANGE: (
        f"表示できる件数は{ROWS_SHOWN}件までです。{ROWS_SHOWN}件をオーバーした場合は、"
        "検索条件を絞ったうえで、再検索ください"
    ),
}
ADVICE_AT_ONCE = (
    f"一度に選択できる件数は{ROWS_AT_ONCE}件までです。"
    "残りの契約は、変更を登録したあとに、もう一度検索してください"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimit:
    """How many of `total` hits are shown, the advice if not all, and whether CSV is offered."""

    total: int
    shown: int
    truncated: bool
    advice: str | None
    csv_offered: bool


def refuse_too_many_for_excel(rows: int) -> None:
    """Raises TooManyForExcel."""
    if rows > ROWS_IN_EXCEL:
        raise TooManyForExcel


def search_limit(
    total: int, *, role: Role, screen: SearchScreen, at_most: int = ROWS_SHOWN
) -> SearchLimit:
    """The limit applied to `total` hits: one sentence for everyone, the button by role (D18)."""
    truncated = total > at_most
    advice = ADVICE[screen] if at_most == ROWS_SHOWN else ADVICE_AT_ONCE
    may_export = role_refusal(role, Action.EXPORT_LIST) is None
    return SearchLimit(
        total=total,
        shown=min(total, at_most),
        truncated=truncated,
        advice=advice if truncated else None,
        csv_offered=may_export and screen is SearchScreen.CUSTOMER_LIST,
    )
