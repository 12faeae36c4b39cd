"""The allowances of a month as CSV for payroll (R116)."""

import csv
import io
from collections.abc import Sequence
from datetime import date

from commuter_service.passes.allowances import Allowance
from commuter_service.rules.commute_allowance import Taxed
from shared.text_safety import defused_cell

COLUMNS = (
    *("対象月", "社員番号", "氏名", "店舗", "定期代", "マイカー等", "支給額", "非課税額", "課税額"),
    "内訳",
)


def payroll_csv(month: date, dealer_id: str, allowances: Sequence[Allowance]) -> bytes:
    """A line for each person, in UTF-8 with the mark that Excel looks for."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for one in allowances:
        cells = (
            f"{month:%Y/%m}",
            one.employee.employee_id.removeprefix(f"{dealer_id}-"),
            one.employee.name,
            one.employee.store_code or "",
            str(one.pass_yen),
            str(one.car_yen),
            str(one.pass_yen + one.car_yen),
            str(one.free_yen),
            str(one.taxable_yen),
            "、".join(map(payment_words, one.payments)),
        )
        writer.writerow(map(defused_cell, cells))
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def payment_words(one: Taxed) -> str:
    """東京―新宿 6か月 2026/04/01から, マイカー等 片道12.3km."""
    payment = one.payment
    if payment.by_car:
        return f"マイカー等 {payment.what}"
    return f"{payment.what} {payment.months}か月 {payment.on:%Y/%m/%d}から"
