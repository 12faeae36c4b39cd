"""乗換案内 by another source: 駅すぱあと API, answered here by a server of our own.

The answers follow what the API's public documentation says of 経路探索 as far as it was seen:
parameters, errors in ResultSet.Error, values as strings, a single element without a list. How a
train's Line and its Price look is from memory. No answer of the real service was recorded.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from commuter_service.adapters.route_providers import (
    Ekispert,
    OwnEngine,
    RouteProviderSettings,
    RouteSearchRefused,
    RouteSearchUnavailable,
    route_provider_of,
)
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.network.station_lookup import UnknownStation
from fare_engine.routing.candidates import NoRouteBetween, Order, SearchRequest
from fare_engine.routing.route_text import parse_pass

DAY = date(2026, 3, 14)


@dataclass
class Service:
    """What the server answers, and what it was asked."""

    url: str = ""
    status: int = 200
    answer: Any = None
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    here = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            here.asked.append((parts.path, parse_qs(parts.query)))
            body = (
                here.answer if isinstance(here.answer, bytes) else json.dumps(here.answer).encode()
            )
            self.send_response(here.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def source(service: Service) -> Ekispert:
    settings = RouteProviderSettings(
        source="ekispert", ekispert_url=service.url, ekispert_key="k-123"
    )
    found = route_provider_of(settings)
    assert isinstance(found, Ekispert)
    return found


def point(name: str) -> dict[str, Any]:
    return {"Station": {"code": "0", "Name": name, "Type": "train"}, "Prefecture": {"code": "13"}}


def line(name: str, kind: str = "train") -> dict[str, Any]:
    return {"Name": name, "Type": kind, "timeOnBoard": "10", "stopStationCount": "3"}


def course(fare: str, points: list[str], lines: Any, minutes: str = "14") -> dict[str, Any]:
    return {
        "searchType": "plain",
        "Price": [
            {"kind": "FareSummary", "Oneway": fare, "Round": str(2 * int(fare))},
            {"kind": "ChargeSummary", "Oneway": "0", "Round": "0"},
        ],
        "Route": {
            "timeOnBoard": minutes,
            "timeWalk": "0",
            "timeOther": "4",
            "transferCount": "0",
            "Point": [point(name) for name in points],
            "Line": lines,
        },
    }


def result(*courses: dict[str, Any]) -> dict[str, Any]:
    found = courses[0] if len(courses) == 1 else list(courses)
    return {"ResultSet": {"apiVersion": "1.27.0.0", "engineVersion": "202603_01a", "Course": found}}


def test_the_setting_chooses_and_our_engine_is_the_default() -> None:
    assert isinstance(route_provider_of(RouteProviderSettings()), OwnEngine)
    with pytest.raises(ValueError, match="EKISPERT_KEY"):
        route_provider_of(RouteProviderSettings(source="ekispert"))


def test_what_is_asked(service: Service) -> None:
    service.answer = result(course("253", ["新宿", "東京"], line("ＪＲ中央線快速")))
    question = SearchRequest("新宿", "東京", DAY, via=("四ツ谷",), order=Order.CHARGED, count=3)
    source(service).candidates(question, packaged_tariffs())
    assert service.asked == [
        (
            "/v1/json/search/course/extreme",
            {
                "key": ["k-123"],
                "viaList": ["新宿:四ツ谷:東京"],
                "date": ["20260314"],
                "searchType": ["plain"],
                "sort": ["price"],
                "answerCount": ["3"],
            },
        )
    ]


def test_a_single_course_is_read_priced_and_deducted_by_us(
    service: Service, network: Network
) -> None:
    service.answer = result(course("440", ["三鷹", "東京"], line("ＪＲ中央線快速"), minutes="30"))
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    (one,) = source(service).candidates(
        SearchRequest("三鷹", "東京", DAY, passes=own), packaged_tariffs()
    )
    assert str(one.route) == "三鷹:JR東日本/中央線:東京"
    assert (one.minutes, one.through_yen, one.charged_yen, one.told_yen) == (34, 440, 253, 440)


@pytest.mark.rule("F22")
def test_several_courses_come_in_our_order(service: Service, network: Network) -> None:
    metro = course("209", ["新宿", "東京"], line("東京メトロ丸ノ内線"), minutes="20")
    rail = course("253", ["新宿", "東京"], [line("ＪＲ中央線快速")])
    service.answer = result(metro, rail)
    own = (parse_pass(network, "東京:中央線:新宿", "1"),)
    found = source(service).candidates(
        SearchRequest("新宿", "東京", DAY, passes=own, order=Order.CHARGED), packaged_tariffs()
    )
    assert [one.charged_yen for one in found] == [0, 209]


def test_walks_operators_in_names_and_other_fares_are_understood(service: Service) -> None:
    lines = [line("都営浅草線"), line("徒歩", "walk"), line("都営新宿線")]
    found = course("199", ["押上／都営地下鉄", "東日本橋", "馬喰横山", "新宿(都営)"], lines)
    service.answer = result(found)
    (one,) = source(service).candidates(SearchRequest("押上", "新宿", DAY), packaged_tariffs())
    assert str(one.route).endswith("東日本橋:徒歩:馬喰横山:都営/新宿線:新宿")
    assert (one.through_yen, one.told_yen) == (272, 199)


def test_courses_over_unknown_or_avoided_lines_are_left_out(service: Service) -> None:
    known = course("209", ["新宿", "東京"], line("東京メトロ丸ノ内線"))
    service.answer = result(course("500", ["新宿", "東京"], line("未知鉄道本線")), known)
    assert (
        len(source(service).candidates(SearchRequest("新宿", "東京", DAY), packaged_tariffs())) == 1
    )
    with pytest.raises(NoRouteBetween):
        source(service).candidates(
            SearchRequest("新宿", "東京", DAY, avoid=frozenset({"東京メトロ"})), packaged_tariffs()
        )


def test_our_refusals_come_first_and_nothing_is_asked(service: Service) -> None:
    with pytest.raises(UnknownStation):
        source(service).candidates(SearchRequest("新宿", "なにもない駅", DAY), packaged_tariffs())
    assert service.asked == []


@pytest.mark.parametrize("shape", ["one", "list"])
def test_its_refusal_is_ours(service: Service, shape: str) -> None:
    error = {"code": "W403", "Message": "認証エラー"}
    service.status = 403
    service.answer = {"ResultSet": {"Error": error if shape == "one" else [error]}}
    with pytest.raises(RouteSearchRefused, match="認証エラー"):
        source(service).candidates(SearchRequest("新宿", "東京", DAY), packaged_tariffs())


@pytest.mark.parametrize(
    ("status", "answer"), [(502, b"<html>bad gateway</html>"), (200, b"[]x"), (500, {"a": 1})]
)
def test_no_readable_answer_is_unavailable(service: Service, status: int, answer: Any) -> None:
    service.status, service.answer = status, answer
    with pytest.raises(RouteSearchUnavailable):
        source(service).candidates(SearchRequest("新宿", "東京", DAY), packaged_tariffs())


def test_nobody_there_is_unavailable() -> None:
    settings = RouteProviderSettings(
        source="ekispert", ekispert_url="http://127.0.0.1:9", ekispert_key="k", timeout_seconds=2
    )
    with pytest.raises(RouteSearchUnavailable):
        route_provider_of(settings).candidates(
            SearchRequest("新宿", "東京", DAY), packaged_tariffs()
        )
