"""CSV取込 of passes by HTTP: refused by default, tried, imported, taken back (R119-R121)."""

from typing import Any

import pytest

from event_contracts.commuter import PassPurged, PassRegistered

from .conftest import ADMIN, OTHER_ADMIN, P1, TARO, CommuterApi, refused

HEADING = "社員番号,経路,開始日,終了日,定期代1か月,定期代3か月,定期代6か月,支給月数\r\n"
GOOD = f"E101,{P1},2022/4/1,,10360,,49750,6\r\nE102,{P1},2022-07-01,2022-12-31\r\n"
WRONG = (
    f"E999,{P1}\r\nE101,東京:幻線:新宿\r\nE101,{P1},4月1日,,一万\r\nE101,{P1},2022/8/1,2022/7/1\r\n"
    f"E101,{P1},,,0,,,3\r\n,\r\nE101,{P1},,,,,,,x\r\n\x01,{P1}\r\n"
)


async def send(api: CommuterApi, text: str, *, trial: bool, encoding: str = "cp932") -> Any:
    path = f"/pass-imports?trial={str(trial).lower()}"
    content = text.encode(encoding)
    return await api.request(ADMIN, "POST", path, content=content)


async def imported(api: CommuterApi, text: str = HEADING + GOOD, *, trial: bool = False) -> Any:
    answer = await send(api, text, trial=trial)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def api(commuter_api: CommuterApi) -> CommuterApi:
    """A company that allows files."""
    await commuter_api.setting(bulk_passes=True)
    return commuter_api


@pytest.mark.rule("R2", "R119")
async def test_the_manuals_refusal_is_the_default(commuter_api: CommuterApi) -> None:
    for trial in (True, False):
        answer = await send(commuter_api, HEADING + GOOD, trial=trial)
        problem = refused(answer, 422, "CSV_REGISTRATION_REFUSED")
        assert problem["title"] == "CSVでの登録はできません。一件ずつ登録が必要です。"
    assert await commuter_api.count("commuter_pass") == 0


@pytest.mark.rule("R119")
async def test_only_who_administers_passes_may(api: CommuterApi) -> None:
    answer = await api.request(TARO, "POST", "/pass-imports", content=b"x")
    refused(answer, 403, "RIGHT_MISSING")
    refused(await api.request(TARO, "GET", "/pass-imports"), 403, "RIGHT_MISSING")


@pytest.mark.rule("R120")
async def test_a_trial_keeps_nothing(api: CommuterApi) -> None:
    tried = await imported(api, HEADING + GOOD + WRONG, trial=True)
    assert (tried["added"], tried["wrong"]) == (2, 7)
    assert await api.count("commuter_pass") + await api.count("pass_import") == 0
    assert await api.events() == []


@pytest.mark.rule("R119", "R120")
@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16"])
async def test_each_line_is_taken_or_refused_by_itself(api: CommuterApi, encoding: str) -> None:
    answer = await send(api, HEADING + GOOD + WRONG, trial=False, encoding=encoding)
    rows = {row["line"]: (row["result"], row["words"]) for row in answer.json()["rows"]}
    assert rows[2] == ("ADDED", "営業太郎 東京―新宿 2022/04/01~")
    assert rows[3] == ("ADDED", "営業花子 東京―新宿 2022/07/01~2022/12/31")
    assert [rows[line][0] for line in sorted(rows) if line > 3] == ["WRONG"] * 7
    for line, words in {
        4: "「E999」の社員はいません", 5: "幻線", 6: "終了日", 7: "終了日", 8: "1円から",
        10: "列が多すぎます", 11: "制御文字",
    }.items():  # fmt: skip
        assert words in rows[line][1] or line == 6, rows[line]
    assert "開始日「4月1日」" in rows[6][1]
    assert "定期代1か月「一万」" in rows[6][1]
    (mine,) = (await api.get(TARO, "/my-passes"))["items"]
    assert (mine["status"], mine["six_months_yen"], mine["paid_every"]) == ("confirmed", 49_750, 6)
    assert len(await api.events(PassRegistered)) == 2


@pytest.mark.rule("R120")
async def test_the_same_file_again_adds_nothing(api: CommuterApi) -> None:
    await imported(api)
    again = await imported(api, HEADING + GOOD + GOOD)
    assert [row["result"] for row in again["rows"]] == ["KNOWN"] * 4
    assert await api.count("commuter_pass") == 2


@pytest.mark.rule("R121")
async def test_an_import_is_taken_back_but_for_what_changed(api: CommuterApi) -> None:
    by_hand = await api.register(P1, "2022/06/01~")
    made = await imported(api)
    passes = (await api.get(ADMIN, "/passes"))["items"]
    changed = next(one for one in passes if one["starts_on"] == "2022-07-01")
    path = f"/passes/{changed['pass_id']}/end"
    await api.post(ADMIN, path, {"ends_on": "2022-11-30"}, version=changed["version"])
    undoing = f"/pass-imports/{made['import_id']}/undoing"
    undone = await api.post(ADMIN, undoing)
    assert [row["result"] for row in undone["rows"]] == ["UNDONE", "CHANGED_SINCE"]
    left = {one["pass_id"] for one in (await api.get(ADMIN, "/passes"))["items"]}
    assert left == {by_hand["pass_id"], changed["pass_id"]}
    assert len(await api.events(PassPurged)) == 1
    refused(await api.request(ADMIN, "POST", undoing, {}), 409, "IMPORT_UNDONE")
    found = await api.get(ADMIN, "/pass-imports")
    assert found["items"][0]["undone_by_name"] == "経理 太一"
    refused(await api.request(OTHER_ADMIN, "POST", undoing, {}), 404, "NOT_FOUND")
    refused(await api.request(TARO, "POST", undoing, {}), 403, "RIGHT_MISSING")


@pytest.mark.rule("R119")
@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe\x00\xd8", "氏名,経路\r\nE101,x".encode(), HEADING.encode(), b'"a',
        b"x" * 500_001, (HEADING + "E101,x\r\n" * 201).encode(),
    ],
)  # fmt: skip
async def test_what_is_no_such_file_is_refused(api: CommuterApi, content: bytes) -> None:
    answer = await api.request(ADMIN, "POST", "/pass-imports?trial=false", content=content)
    refused(answer, 422, "PASS_FILE_UNREADABLE")
    assert await api.count("pass_import") == 0
