"""Customers are found by any usual spelling of their name, also those stored before (D7)."""

from pathlib import Path

import pytest
from sqlalchemy import text

from contracts_service.rules import search_text
from contracts_service.rules.search_text import folded_name
from shared.db import EVERY_DEALER

from .conftest import ContractsApi

MIGRATION = "20261129_name_variants.py"


@pytest.mark.rule("D7")
@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("髙﨑 一郎", "高崎"),
        ("高崎 一郎", "髙﨑"),
        ("斎藤 花", "斉藤"),
        ("齋藤 花", "齊藤"),
        ("有限会社岡本商店", "㈲岡本"),
        ("(有)岡本商店", "有限会社岡本"),
        ("（株）港", "株式会社港"),
        ("霞ヶ関 次郎", "霞ケ関"),
        ("渡邉 愛", "渡辺"),
    ],
)
async def test_variants_are_one_name(contracts_api: ContractsApi, stored: str, typed: str) -> None:
    await contracts_api.contract("C1", 契約者名=stored)
    await contracts_api.contract("C2", 契約者名="山本 太郎")
    assert await contracts_api.search("E101", mode="individual", customer_name=typed) == ["C1"]


def test_each_variant_leads_to_one_usual_character() -> None:
    assert len(search_text.VARIANTS) == len(search_text.USUAL) == len(set(search_text.VARIANTS))
    assert not set(search_text.VARIANTS) & set(search_text.USUAL)
    assert folded_name(folded_name(search_text.VARIANTS)) == folded_name(search_text.VARIANTS)


async def test_stored_keys_fold_in_sql_as_typed_names_do(contracts_api: ContractsApi) -> None:
    """The migration cannot import the rule, so its copy of the tables must agree."""
    written = Path(search_text.__file__).parents[1] / "migrations" / "versions" / MIGRATION
    copied: dict[str, object] = {}
    exec(written.read_text().replace("from alembic import op", ""), copied)
    assert (copied["VARIANTS"], copied["USUAL"]) == (search_text.VARIANTS, search_text.USUAL)
    assert copied["COMPANIES"] == tuple(search_text.COMPANIES.items())
    async with contracts_api.database.transaction(EVERY_DEALER) as tx:
        folded = await tx.scalar(
            text("SELECT translate(:names, :variants, :usual)"),
            {
                "names": search_text.VARIANTS,
                "variants": search_text.VARIANTS,
                "usual": search_text.USUAL,
            },
        )
    assert folded == search_text.USUAL
