"""Route texts carry every name: what is written is read back, whatever characters a name has."""

import unicodedata
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fare_engine.data_tables import Interval, NetworkTables, Reading, fare_tables, network_tables
from fare_engine.gtfs.editions import merged
from fare_engine.gtfs.feed_import import imported
from fare_engine.network.network import Network, Ride
from fare_engine.routing.name_escaping import escaped, names_in, split_words, unescaped
from fare_engine.routing.route_text import (
    BusRide,
    Route,
    parse_pass,
    parse_route,
    route_text,
)
from fare_engine.rules.period import Period

FEEDS = Path(__file__).parent / "feeds"
SIGNS = "/:[]|\\／：［］｜＼()（）〜～<>〈〉 　ヶケ駅徒歩バス①㈱ｱア10１"
NAMES = (
    st.text(st.one_of(st.sampled_from(SIGNS), st.characters(codec="utf-8")), min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)


def network_of(operator: str, lines: dict[str, list[str]]) -> Network:
    stations = dict.fromkeys(stop for stops in lines.values() for stop in stops)
    intervals = tuple(
        Interval(operator, line, seq, stop, 10 * (seq - 1), "test")
        for line, stops in lines.items()
        for seq, stop in enumerate(stops, start=1)
    )
    readings = tuple(Reading(name, name) for name in stations)
    return Network(NetworkTables(intervals, (), readings, (), (), (), (), ()))


def rides_of(network: Network) -> list[Ride]:
    """Every section between neighbours, and every line from end to end."""
    sections = [
        Ride(line.id, ends, (edge,))
        for line in network.lines
        for edge, ends in zip(line.edges, pairwise(line.stops), strict=True)
    ]
    whole = [Ride(line.id, line.stops, line.edges) for line in network.lines if not line.is_loop]
    return sections + whole


def assert_reads_back(network: Network) -> None:
    for ride in rides_of(network):
        route = Route(network, (ride,))
        text = route_text(route)
        assert parse_route(network, text).legs == (ride,), text
        dated = parse_pass(network, f"{text}[2026-04-01~2026-09-30]", "1")
        assert dated.route.legs == (ride,)
        assert dated.period == Period(date(2026, 4, 1), date(2026, 9, 30))
        assert parse_pass(network, text, "1").route.legs == (ride,)


@given(NAMES)
def test_a_name_reads_back_as_a_word(name: str) -> None:
    assert unescaped(escaped(name)) == name
    for sign in "/:[|":
        assert split_words(f"{escaped(name)}{sign}{escaped(name)}", sign) == [escaped(name)] * 2
    assert names_in(f"{escaped(name)}:x:{escaped(name)}") == [name, "x", name]


@given(NAMES, st.lists(NAMES, min_size=2, max_size=2, unique=True), st.data())
def test_every_line_and_station_reads_back(
    operator: str, lines: list[str], data: st.DataObject
) -> None:
    stops = data.draw(st.lists(NAMES, min_size=3, max_size=4, unique=True))
    network = network_of(operator, {lines[0]: stops, lines[1]: [stops[1], stops[0], stops[2]]})
    assert_reads_back(network)


@given(NAMES, NAMES, NAMES)
def test_a_bus_section_reads_back_in_half_width(stop: str, line: str, end: str) -> None:
    network = network_of("社", {"線": ["甲", "乙"]})
    start, name, goal = (_folded(text) for text in (stop, f"バス({line})", end))
    ride = BusRide(name, start, goal)
    assert parse_route(network, route_text(Route(network, (ride,)))).legs == (ride,)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip()


@pytest.mark.parametrize("feed", ["rail", "bus"])
def test_imported_lines_read_back(feed: str) -> None:
    tables = merged(network_tables(), fare_tables(), imported(FEEDS / feed)).network
    assert_reads_back(Network(tables))


def test_names_of_real_feeds_read_back(write_feed: Callable[..., Path], tmp_path: Path) -> None:
    names = ["通年ルート [N1]", "Port Liner / Loop line", "王子ヶ岳線：児島～宇野駅［I5］"]
    routes = {str(i): (name, ["ABC"]) for i, name in enumerate(names)}
    feed = imported(write_feed(tmp_path, routes, agency="agency_name\n名物（青森市）/バス\n"))
    network = Network(merged(network_tables(), fare_tables(), feed).network)
    assert {line.name for line in network.lines} >= set(names)
    assert_reads_back(network)


def test_full_width_signs_of_a_typed_text_still_part_it() -> None:
    network = Network(network_tables())
    typed = parse_route(network, "三鷹：ＪＲ東日本／中央線：新宿")
    assert typed.legs == parse_route(network, "三鷹:JR東日本/中央線:新宿").legs
    dated = parse_pass(network, "三鷹：中央線：新宿［２０２６－０４－０１～］", "1")
    assert dated.period == Period(date(2026, 4, 1))
