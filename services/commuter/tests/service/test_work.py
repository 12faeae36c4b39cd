"""Work among slips and passes: every number is the length of the list behind it."""

from typing import Any

from shared.auth import Principal

from .conftest import ADMIN, CHIEF, EVERYBODY, HANAKO, HEAD, OTHER_ADMIN, STRANGER, TARO, Bureau

TAXI = {"item_on": "2022/07/04", "words": "タクシー", "amount_yen": 1200}
LISTS = {
    "slips_to_approve": ("/slips/to-approve", {}),
    "slips_remanded": ("/slips", {"status": "remanded"}),
    "passes": ("/passes", {"status": "applied"}),
    "slips_to_settle": ("/slips/of-company", {"status": "approved"}),
}
"""What the portal's list asks for, by the key of the count that leads to it."""


async def counts(bureau: Bureau, who: Principal) -> dict[str, int]:
    """The counts of a person, each checked against the list behind it."""
    answer = await bureau.get(who, "/work")
    for count in answer["counts"]:
        path, query = LISTS[count["key"]]
        rows = (await bureau.get(who, path, params=query))["items"]
        assert len(rows) == count["count"], (who.name, count)
    return {count["key"]: count["count"] for count in answer["counts"]}


async def handed_in(bureau: Bureau, who: Principal = TARO) -> Any:
    return await bureau.step(who, await bureau.slip(TAXI, who=who, kind="expense"), "submit")


async def test_slips_wait_for_the_next_of_the_chain_alone(bureau: Bureau) -> None:
    await bureau.setting(approvers=[CHIEF.person_id, HEAD.person_id])
    first, second = await handed_in(bureau), await handed_in(bureau, HANAKO)
    assert await counts(bureau, CHIEF) == {"slips_to_approve": 2, "slips_remanded": 0}
    assert await counts(bureau, HEAD) == {"slips_to_approve": 0, "slips_remanded": 0}
    await bureau.step(CHIEF, first, "approve")
    assert await counts(bureau, CHIEF) == {"slips_to_approve": 1, "slips_remanded": 0}
    assert await counts(bureau, HEAD) == {"slips_to_approve": 1, "slips_remanded": 0}
    await bureau.step(CHIEF, second, "remand", "領収書を添付してください")
    assert await counts(bureau, TARO) == {"slips_remanded": 0}
    assert await counts(bureau, HANAKO) == {"slips_remanded": 1}
    [back] = (await bureau.get(HANAKO, "/work"))["remanded"]
    assert (back["title"], back["said"]) == ("7月の交通費", "領収書を添付してください")
    assert back["by"] == CHIEF.name


async def test_who_is_no_approver_any_more_keeps_their_slips(bureau: Bureau) -> None:
    await bureau.setting(approvers=[CHIEF.person_id])
    await handed_in(bureau)
    await bureau.setting(approvers=[HEAD.person_id])
    assert (await counts(bureau, CHIEF))["slips_to_approve"] == 1
    assert (await counts(bureau, HEAD))["slips_to_approve"] == 0


async def test_accounting_settles_and_confirms(bureau: Bureau) -> None:
    await bureau.setting(approvers=[CHIEF.person_id], applications_allowed=True)
    await bureau.allow(ADMIN, pass_master=True)
    await bureau.approved(await bureau.slip(TAXI, kind="expense"))
    await bureau.apply()
    found = await counts(bureau, ADMIN)
    assert found == {"slips_remanded": 0, "passes": 1, "slips_to_settle": 1}


async def test_without_the_right_no_passes_are_counted(bureau: Bureau) -> None:
    await bureau.setting(applications_allowed=True)
    await bureau.apply()
    await bureau.allow(ADMIN, pass_master=False)
    assert "passes" not in await counts(bureau, ADMIN)
    assert "passes" not in await counts(bureau, TARO)


async def test_another_company_has_nothing_of_it(bureau: Bureau) -> None:
    await bureau.setting(approvers=[CHIEF.person_id])
    await handed_in(bureau)
    for who in EVERYBODY:
        await counts(bureau, who)
    assert await counts(bureau, STRANGER) == {"slips_remanded": 0}
    assert (await counts(bureau, OTHER_ADMIN))["slips_to_settle"] == 0
