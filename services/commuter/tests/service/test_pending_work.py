"""Work among slips and passes: every number is the length of the list behind it."""

from typing import Any

from shared.auth import Principal

from .conftest import (
    ADMIN,
    CHIEF,
    EVERYBODY,
    HANAKO,
    HEAD,
    OTHER_ADMIN,
    STRANGER,
    TARO,
    CommuterApi,
)

TAXI = {"item_on": "2022/07/04", "words": "タクシー", "amount_yen": 1200}
LISTS = {
    "slips_to_approve": ("/slips/to-approve", {}),
    "slips_remanded": ("/slips", {"status": "remanded"}),
    "passes": ("/passes", {"status": "applied"}),
    "slips_to_settle": ("/slips/of-company", {"status": "approved"}),
}
"""What the portal's list asks for, by the key of the count that leads to it."""


async def counts(commuter_api: CommuterApi, who: Principal) -> dict[str, int]:
    """The counts of a person, each checked against the list behind it."""
    answer = await commuter_api.get(who, "/work")
    for count in answer["counts"]:
        path, query = LISTS[count["key"]]
        rows = (await commuter_api.get(who, path, params=query))["items"]
        assert len(rows) == count["count"], (who.name, count)
    return {count["key"]: count["count"] for count in answer["counts"]}


async def handed_in(commuter_api: CommuterApi, who: Principal = TARO) -> Any:
    return await commuter_api.step(
        who, await commuter_api.slip(TAXI, who=who, kind="expense"), "submit"
    )


async def test_slips_wait_for_the_next_of_the_chain_alone(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(approvers=[CHIEF.person_id, HEAD.person_id])
    first, second = await handed_in(commuter_api), await handed_in(commuter_api, HANAKO)
    assert await counts(commuter_api, CHIEF) == {"slips_to_approve": 2, "slips_remanded": 0}
    assert await counts(commuter_api, HEAD) == {"slips_to_approve": 0, "slips_remanded": 0}
    await commuter_api.step(CHIEF, first, "approve")
    assert await counts(commuter_api, CHIEF) == {"slips_to_approve": 1, "slips_remanded": 0}
    assert await counts(commuter_api, HEAD) == {"slips_to_approve": 1, "slips_remanded": 0}
    await commuter_api.step(CHIEF, second, "remand", "領収書を添付してください")
    assert await counts(commuter_api, TARO) == {"slips_remanded": 0}
    assert await counts(commuter_api, HANAKO) == {"slips_remanded": 1}
    [back] = (await commuter_api.get(HANAKO, "/work"))["remanded"]
    assert (back["title"], back["comment"]) == ("7月の交通費", "領収書を添付してください")
    assert back["by"] == CHIEF.name


async def test_who_is_no_approver_any_more_keeps_their_slips(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(approvers=[CHIEF.person_id])
    await handed_in(commuter_api)
    await commuter_api.setting(approvers=[HEAD.person_id])
    assert (await counts(commuter_api, CHIEF))["slips_to_approve"] == 1
    assert (await counts(commuter_api, HEAD))["slips_to_approve"] == 0


async def test_accounting_settles_and_confirms(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(approvers=[CHIEF.person_id], applications_allowed=True)
    await commuter_api.allow(ADMIN, pass_master=True)
    await commuter_api.approved(await commuter_api.slip(TAXI, kind="expense"))
    await commuter_api.apply()
    found = await counts(commuter_api, ADMIN)
    assert found == {"slips_remanded": 0, "passes": 1, "slips_to_settle": 1}


async def test_without_the_right_no_passes_are_counted(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(applications_allowed=True)
    await commuter_api.apply()
    await commuter_api.allow(ADMIN, pass_master=False)
    assert "passes" not in await counts(commuter_api, ADMIN)
    assert "passes" not in await counts(commuter_api, TARO)


async def test_another_company_has_nothing_of_it(commuter_api: CommuterApi) -> None:
    await commuter_api.setting(approvers=[CHIEF.person_id])
    await handed_in(commuter_api)
    for who in EVERYBODY:
        await counts(commuter_api, who)
    assert await counts(commuter_api, STRANGER) == {"slips_remanded": 0}
    assert (await counts(commuter_api, OTHER_ADMIN))["slips_to_settle"] == 0
