"""The command `fare`: one ride, candidates, and a file of rides."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commuter_service.cli import app

P1 = "東京:JR東日本/中央線:新宿"
COLUMNS = ("date", "medium", "from", "to", "via", "route", "pass")


def row(**cells: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {"date": "2026-03-14"} | cells


def test_batch_file_keeps_order_and_other_columns(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = [
        row(**{"from": "三鷹", "to": "東京"}) | {"memo": "a"},
        row(**{"from": "渋夜", "to": "東京"}) | {"memo": "b"},
        row(**{"from": "新宿", "to": "東京"}) | {"memo": "c"},
    ]
    with source.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "memo"])
        writer.writeheader()
        writer.writerows(rows)
    result = CliRunner().invoke(app, ["--batch", str(source), "--out", str(target)])
    assert result.exit_code == 0, result.output
    priced = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert list(priced[0]) == [*COLUMNS, "memo", "through_fare", "charged", "why", "error"]
    assert [(one["memo"], one["charged"]) for one in priced] == [
        ("a", "440"), ("b", ""), ("c", "253"),
    ]  # fmt: skip


def test_batch_writes_data_and_progress_apart(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("date,from,to\n2026-03-14,新宿,東京\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["--batch", str(source)])
    (priced,) = csv.DictReader(io.StringIO(result.stdout))
    assert priced["charged"] == "253"
    assert "1/1" in result.stderr


def test_batch_lists_the_candidates_of_every_row(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(
        "memo,date,from,to,only\na,2026-03-14,新宿,東京,\nb,2026-03-14,新宿,東京,東京メトロ\n",
        encoding="utf-8",
    )
    options = ["--batch", str(source), "--out", str(target), "--candidates", "--sort", "charged"]
    result = CliRunner().invoke(app, [*options, "--avoid", "都営"])
    assert result.exit_code == 0, result.output
    listed = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert list(listed[0]) == [
        *("memo", "date", "from", "to", "only", "row", "place", "minutes", "changes", "trains"),
        *("labels", "route", "through_fare", "charged", "why", "error"),
    ]
    first = [one for one in listed if one["memo"] == "a"]
    assert len(first) > 1
    assert [one["place"] for one in first] == [str(i + 1) for i in range(len(first))]
    charged = [int(one["charged"]) for one in first]
    assert charged == sorted(charged)
    assert not any("都営" in one["route"] for one in listed)
    (metro,) = {one["charged"] for one in listed if one["memo"] == "b" and one["place"] == "1"}
    assert (metro, listed[-1]["row"]) == ("209", "2")
    assert "2/2" in result.stderr


TRUNK_TO_15_KM = {
    "operator": "JR東日本",
    "table": "幹線",
    "valid_from": "2026-03-14",
    "valid_to": None,
    "basis": "band",
    "km10": 138,
    "km_up_to": 15,
    "surcharge_yen": 0,
}


def test_route_is_priced_and_explained() -> None:
    arguments = ["三鷹", "東京", "--date", "2026-03-14", "--medium", "ic"]
    route = ["--route", "三鷹:中央線:東京", "--pass", P1, "--pass", "渋谷:東横線:横浜", "--json"]
    result = CliRunner().invoke(app, [*arguments, *route])
    answer = json.loads(result.stdout)
    assert (answer["through_fare"], answer["charged"]) == (440, 253)
    assert answer["route"] == "三鷹:JR東日本/中央線:東京"
    priced = answer["explanation"]
    assert (priced["through_yen"], priced["charged_yen"], priced["on"]) == (440, 253, "2026-03-14")
    assert [one["use"] for one in priced["passes"]] == ["USED", "NOT_ON_ROUTE"]
    (run,) = priced["runs"]
    assert run["candidates"][1] == {
        "kind": "outside",
        "yen": 253,
        "parts": [
            {"from_station": "三鷹", "to_station": "新宿", "yen": 253, "tariff": TRUNK_TO_15_KM}
        ],
        "pass_ids": ["1"],
        "wins": True,
    }
    assert run["covered"][0] == {
        "operator": "JR東日本",
        "line": "中央線",
        "from_station": "新宿",
        "to_station": "代々木",
        "pass_ids": ["1"],
    }


def test_candidates_are_listed_with_their_explanations() -> None:
    arguments = ["新宿", "東京", "--date", "2026-03-14", "--sort", "charged", "--json"]
    found = json.loads(CliRunner().invoke(app, arguments).stdout)["candidates"]
    assert 1 < len(found) <= 5
    assert found[0]["charged"] == 209
    assert [one["charged"] for one in found] == sorted(one["charged"] for one in found)


def test_plain_output_names_the_amount() -> None:
    priced = CliRunner().invoke(
        app, ["--route", "三鷹:中央線:東京", "--pass", P1, "--date", "2026/03/14"]
    )
    assert "支払 253円" in priced.stdout
    listed = CliRunner().invoke(app, ["新宿", "東京", "--date", "2026-03-14"])
    assert "253" in listed.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["小川町", "東京"], "AMBIGUOUS_STATION"),
        (["渋夜", "東京"], "UNKNOWN_STATION"),
        (["大阪", "東京"], "STATION_OUTSIDE_AREA"),
        (["東京"], "PLACES_MISSING"),
        (["東京", "新宿", "--date", "2019-01-01"], "NO_TARIFF_ON_DATE"),
        (["東京", "新宿", "--route", "東京:中央線:四ツ谷"], "ROUTE_ENDS_DIFFER"),
    ],
)
def test_refusal_has_a_code_and_a_failing_exit(arguments: list[str], code: str) -> None:
    as_json = CliRunner().invoke(app, [*arguments, "--json"])
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["error"]["code"] == code
    plain = CliRunner().invoke(app, [*arguments])
    assert plain.exit_code == 1
    assert plain.stderr.startswith(f"{code}: ")


def test_missing_file_and_missing_column_are_refused(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["--batch", str(tmp_path / "no.csv")]).exit_code == 2
    source = tmp_path / "in.csv"
    source.write_text("day,from,to\n2026-03-14,新宿,東京\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["--batch", str(source)]).exit_code == 2


def test_every_refused_name_is_told() -> None:
    asked = ["渋夜", "大阪", "--via", "小川町"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 1
    assert [line.partition(":")[0] for line in told.stderr.splitlines()] == [
        "UNKNOWN_STATION", "AMBIGUOUS_STATION", "STATION_OUTSIDE_AREA",
    ]  # fmt: skip
    error = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)["error"]
    assert error["code"] == "STATIONS_REFUSED"
    assert [one["field"] for one in error["errors"]] == ["start", "via.0", "end"]
    assert "小川町(都営)" in error["errors"][1]["choices"]
