"""The employees of 定期区間マスタ: search, order and pages R1."""

import pytest

from event_contracts.masters import StaffUpdated

from .conftest import ADMIN, HANAKO, TARO, CommuterApi, refused


@pytest.mark.rule("R1")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["A001", "E101", "E102", "H001", "M100"]),
        ("太郎", ["E101"]),
        ("営業太郎", ["E101"]),
        ("佐藤誠", ["M100"]),
        ("e10", ["E101", "E102"]),
        ("えいぎょう", ["E101", "E102"]),
        ("ｴｲｷﾞｮｳ ﾊﾅｺ", ["E102"]),
        ("D01", []),
        ("%", []),
    ],
)
async def test_employees_are_found_by_name_number_and_reading(
    commuter_api: CommuterApi, text: str, found: list[str]
) -> None:
    readings = ((TARO, "エイギョウ　タロウ"), (HANAKO, "エイギョウ　ハナコ"))
    for who, kana in readings:
        await commuter_api.receive(
            StaffUpdated(
                dealer_id="D01", staff_code=str(who.staff_code), name=who.name, store_code="S10",
                role="sales", name_kana=kana,
            )
        )  # fmt: skip
    await commuter_api.register()
    page = await commuter_api.get(ADMIN, "/passes/employees", params={"text": text})
    assert sorted(one["number"] for one in page["items"]) == found
    assert page["count"] == len(found)
    if text == "えいぎょう":
        assert [len(one["passes"]) for one in page["items"]] == [1, 0]
    one_by_one, after = [], None
    for _ in found:
        query = {"text": text, "size": 1, **({"after": after} if after else {})}
        part = await commuter_api.get(ADMIN, "/passes/employees", params=query)
        one_by_one += [one["number"] for one in part["items"]]
        after = part["next"]
    assert after is None
    assert one_by_one == [one["number"] for one in page["items"]]
    refused(await commuter_api.request(TARO, "GET", "/passes/employees"), 403, "RIGHT_MISSING")
