"""The employees of 定期区間マスタ, those without a pass too: search by name, number or reading."""

import unicodedata
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from commuter_service.models import Employee
from commuter_service.queries import Conditions

HIRAGANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
READ_FIRST = func.coalesce(Employee.name_kana, func.concat("\uffff", Employee.name)).collate("C")
"""By reading; who has none comes behind, by name."""


def folded(text: str) -> str:
    """Full width, katakana for hiragana, no blanks: ﾔﾏﾀﾞ and やまだ are ヤマダ."""
    wide = unicodedata.normalize("NFKC", text).translate(HIRAGANA)
    return "".join(wide.split())


def employees_named(dealer_id: str, text: str) -> Conditions:
    """The present employees of a company whose name, number or reading has the text in it."""
    present: Conditions = (Employee.dealer_id == dealer_id, Employee.active.is_(True))
    words = folded(text)
    if not words:
        return present
    number = func.substr(Employee.employee_id, len(dealer_id) + 2)
    named = _without_blanks(Employee.name).icontains(words, autoescape=True)
    read = _without_blanks(Employee.name_kana).icontains(words, autoescape=True)
    raw = "".join(unicodedata.normalize("NFKC", text).split())
    kana_name = _without_blanks(Employee.name).icontains(raw, autoescape=True)
    numbered = number.icontains(words, autoescape=True)
    return (*present, named | kana_name | read | numbered)


async def page_of_employees(
    tx: AsyncSession, wanted: Conditions, after: str | None, size: int
) -> Sequence[Employee]:
    """At most `size` employees by their reading, from behind one on."""
    asked = select(Employee).where(*wanted)
    if after is not None:
        key = select(READ_FIRST).where(Employee.employee_id == after).scalar_subquery()
        asked = asked.where(tuple_(READ_FIRST, Employee.employee_id) > tuple_(key, after))
    rows = await tx.execute(asked.order_by(READ_FIRST, Employee.employee_id).limit(size))
    return rows.scalars().all()


def _without_blanks(column: object) -> ColumnElement[str]:
    return func.replace(func.replace(column, " ", ""), "\u3000", "")
