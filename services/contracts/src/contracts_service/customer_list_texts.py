"""Texts of a row in the exported customer list, the same in CSV and Excel (D19, D20)."""

from collections.abc import Mapping

from contracts_service.customer_list import ListedContract, ListRow
from contracts_service.rules.selection import OTHER_VEHICLE, OTHER_VEHICLE_LABEL


def csv_row(shown: ListRow, row: ListedContract, vehicle_names: Mapping[str, str]) -> list[str]:
    """The fourteen texts of a row in the exported list (D19, D20)."""
    code = row.replacement_vehicle_code
    own = {True: "有", False: "無", None: ""}[row.own_replacement]
    names = {OTHER_VEHICLE: OTHER_VEHICLE_LABEL, **vehicle_names}
    return [
        shown.final_on.isoformat(),
        shown.result_due_on.isoformat(),
        shown.selection_label,
        shown.replacement_mark,
        shown.completed_mark,
        shown.customer_name,
        _month_words(shown.inspection_month),
        f"{shown.model} {shown.registration_no}",
        shown.staff_code or "",
        shown.store_name,
        shown.contract_no,
        own,
        names.get(code, code) if code else "",
        row.replacement_other_text or "",
    ]


def _month_words(month: str) -> str:
    """2028年10月: a spreadsheet would turn 2028-10 into a day."""
    year, number = month.split("-")
    return f"{year}年{int(number)}月"
