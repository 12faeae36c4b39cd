"""Many rides at once."""

import pytest

from fare_engine.fares.batch import price_batch
from fare_engine.fares.tariffs import packaged_tariffs

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
    ],
)
def test_refused_row_carries_its_code_and_no_figures(cells: dict[str, str], code: str) -> None:
    (priced,) = price_batch([row(**cells)], packaged_tariffs())
    assert priced["error"].startswith(f"{code}: ")
    assert (priced["through_fare"], priced["charged"], priced["why"]) == ("", "", "")
