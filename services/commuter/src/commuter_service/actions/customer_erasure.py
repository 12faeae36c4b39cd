"""Customer erasure in expenses: a customer's name, address and phone in the texts of a company.

Employees write whom they visited into titles, purposes and comments. Only the words are replaced:
the slip stays evidence of its amounts.
"""

import json
import re
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from event_contracts.event import ERASED
from shared.personal_data import erase_personal_data

TEXTS = {
    "slip": ("title", "purpose"),
    "slip_item": ("purpose", "words", "payee", "without_pass_reason", "no_invoice_reason"),
    "commuter_pass": ("reason",),
    "month_closing": ("reason",),
    "journal_export": ("reason",),
    "trail": ("said",),
}
JSON = {"trail": ("before", "after")}


async def erase_customer(
    tx: AsyncSession, dealer_id: str, contract_no: str, words: Iterable[str]
) -> None:
    """Replace these words in every free text of a company; repeated calls change nothing."""
    known = tuple(words)
    if known:
        for table, columns in TEXTS.items():
            for column in columns:
                await _replace(tx, table, column, dealer_id, _pattern(known))
        for table, columns in JSON.items():
            for column in columns:
                escaped = [json.dumps(word, ensure_ascii=False)[1:-1] for word in known]
                await _replace(tx, table, column, dealer_id, _pattern(escaped), "::jsonb")
    await erase_personal_data(tx, contract_no, "slip", (), known)


def _pattern(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in words)


async def _replace(  # noqa: PLR0913, PLR0917 - where, what, and as which type
    tx: AsyncSession, table: str, column: str, dealer_id: str, pattern: str, cast: str = ""
) -> None:
    replaced = f"regexp_replace({column}::text, :pattern, :erased, 'g'){cast}"
    statement = text(
        f"UPDATE {table} SET {column} = {replaced}"  # noqa: S608 - names of our own columns
        f" WHERE dealer_id = :dealer AND {column}::text ~ :pattern"
    )
    await tx.execute(statement, {"dealer": dealer_id, "pattern": pattern, "erased": ERASED})
