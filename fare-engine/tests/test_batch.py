"""Many rides at once."""

from dataclasses import replace
from datetime import date

import pytest

from fare_engine.fares.batch import Avoided, list_candidates, price_batch
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.routing.candidates import Order, SearchRequest, candidates
from fare_engine.routing.route_text import parse_pass

P1 = "東京:JR東日本/中央線:新宿"
COLUMNS = ("date", "medium", "from", "to", "via", "route", "pass")


def row(**cells: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {"date": "2026-03-14"} | cells


@pytest.mark.parametrize(
    ("cells", "through", "charged"),
    [
        ({"from": "三鷹", "to": "東京", "pass": P1}, "440", "253"),
        ({"from": "三鷹", "to": "東京", "medium": "ticket", "pass": P1}, "440", "260"),
        ({"route": "三鷹:中央線:東京", "pass": f"{P1} | 三鷹:中央線:新宿"}, "440", "0"),
        ({"route": "三鷹:中央線:東京", "pass": f"{P1}[2026-04-01~2026-09-30]"}, "440", "440"),
        ({"from": "新宿", "to": "東京", "date": "2026/03/13"}, "208", "208"),
        ({"from": "高円寺", "to": "品川", "via": "東京", "pass": P1}, "341", "341"),
        ({"from": "浅草", "to": "渋谷", "route": "浅草:銀座線:渋谷"}, "252", "252"),
    ],
)
def test_priced_row(cells: dict[str, str], through: str, charged: str) -> None:
    (priced,) = price_batch([row(**cells)], packaged_tariffs())
    assert (priced["through_fare"], priced["charged"], priced["error"]) == (through, charged, "")
    assert priced["why"]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"from": "渋夜", "to": "東京"}, "UNKNOWN_STATION"),
        ({"from": "小川町", "to": "東京"}, "AMBIGUOUS_STATION"),
        ({"from": "大阪", "to": "東京"}, "STATION_OUTSIDE_AREA"),
        ({"route": "東京:中央線:横浜"}, "ROUTE_DISCONNECTED"),
        ({"route": "東京:中央線:新宿", "pass": "東京:中央線:新宿:東横線:横浜"}, "PASS_HAS_GAP"),
        ({"route": "東京:中央線:新宿", "pass": f"{P1}[2026-09-30~2026-04-01]"}, "PERIOD_REVERSED"),
        ({"route": "東京:中央線:新宿", "date": "2019-09-30"}, "NO_TARIFF_ON_DATE"),
        ({"route": "東京:中央線:新宿", "date": "31.3.2026"}, "DATE_UNREADABLE"),
        ({"route": "東京:中央線:新宿", "medium": "cash"}, "UNKNOWN_MEDIUM"),
        ({"route": "東京:中央線:新宿", "from": "神田"}, "ROUTE_ENDS_DIFFER"),
        ({"from": "東京"}, "PLACES_MISSING"),
        ({"from": "東京", "to": "東京"}, "SAME_PLACE"),
        ({"from": "新宿", "to": "東京", "avoid": "JR"}, "UNKNOWN_OPERATOR"),
    ],
)
def test_refused_row_carries_its_code_and_no_figures(cells: dict[str, str], code: str) -> None:
    (priced,) = price_batch([row(**cells)], packaged_tariffs())
    assert priced["error"].startswith(f"{code}: ")
    assert (priced["through_fare"], priced["charged"], priced["why"]) == ("", "", "")


def test_candidates_of_a_row_are_those_of_the_search_in_its_order() -> None:
    tariffs = packaged_tariffs()
    ((*found,),) = list_candidates([row(**{"from": "三鷹", "to": "東京", "pass": P1})], tariffs)
    asked = SearchRequest("三鷹", "東京", date(2026, 3, 14), order=Order.RECOMMENDED)
    own = (parse_pass(tariffs.network, P1, "1"),)
    wanted = candidates(replace(asked, passes=own), tariffs)
    figures = [(one["route"], one["minutes"], one["changes"], one["charged"]) for one in found]
    assert figures == [
        (str(one.route), str(one.minutes), str(one.changes), str(one.charged_yen)) for one in wanted
    ]
    assert [one["place"] for one in found] == [str(i + 1) for i in range(len(wanted))]
    assert {one["row"] for one in found} == {"1"}
    assert "安い" in " ".join(one["labels"] for one in found)
    assert all(one["trains"].startswith("三鷹 ") and one["why"] for one in found)


def test_a_refused_row_and_a_row_with_a_route_stand_once() -> None:
    rows = [
        row(**{"from": "渋夜", "to": "東京"}),
        row(route="三鷹:中央線:新宿:山手線:品川", **{"pass": P1}),
    ]
    refused, given = list_candidates(rows, packaged_tariffs())
    assert [(one["row"], one["place"], one["error"][:15]) for one in refused] == [
        ("1", "", "UNKNOWN_STATION")
    ]
    (only,) = given
    assert (only["place"], only["changes"], only["minutes"]) == ("1", "1", "")
    assert only["charged"]
    assert only["trains"].endswith("品川")


@pytest.mark.parametrize(
    ("cells", "avoided", "operators"),
    [
        ({"only": "東京メトロ"}, Avoided(), {"東京メトロ"}),
        ({}, Avoided(only=("東京メトロ",)), {"東京メトロ"}),
        ({"only": "JR東日本"}, Avoided(only=("東京メトロ",)), {"JR東日本"}),
        ({"avoid": "東京メトロ | 都営"}, Avoided(), {"JR東日本"}),
        ({"avoid": "東京メトロ"}, Avoided(avoid=("都営",)), {"JR東日本"}),
    ],
)
def test_rows_keep_to_operators(
    cells: dict[str, str], avoided: Avoided, operators: set[str]
) -> None:
    asked = row(**({"from": "新宿", "to": "東京"} | cells))
    tariffs = packaged_tariffs()
    ((*found,),) = list_candidates([asked], tariffs, avoided=avoided)
    (fastest,) = price_batch([asked], tariffs, avoided)
    used = {
        line.partition("/")[0]
        for one in found
        for line in one["route"].split(":")[1::2]
        if line != "徒歩"
    }
    assert used == operators
    assert fastest["charged"] in {one["charged"] for one in found}


def test_days_with_other_fares_are_searched_apart() -> None:
    days = ("2026-03-13", "2026-03-14", "2026-03-15")
    rows = [row(**{"from": "新宿", "to": "東京", "date": day, "only": "JR東日本"}) for day in days]
    found = [{one["charged"] for one in many} for many in list_candidates(rows, packaged_tariffs())]
    assert "208" in found[0]
    assert "253" in found[1]
    assert found[1] == found[2]
