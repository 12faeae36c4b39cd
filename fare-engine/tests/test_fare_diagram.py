"""The picture of a priced ride."""

from collections.abc import Callable
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from commuter_service.fare_diagram import GREEN, GREY, RED, fare_diagram_svg, sections
from fare_engine.fares.explanation import Explanation, ExtraCharge
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.routing.route_text import parse_pass, parse_route

PriceRide = Callable[..., Explanation]
SVG = "{http://www.w3.org/2000/svg}"
P1 = "東京:中央線:新宿"


def drawn(explanation: Explanation) -> ET.Element:
    return ET.fromstring(fare_diagram_svg(explanation, "item-3"))


def child(svg: ET.Element, path: str) -> ET.Element:
    found = svg.find(path)
    assert found is not None
    return found


def pieces(explanation: Explanation) -> list[tuple[str, str, bool | None, int | None]]:
    return [
        (one.from_station, one.to_station, one.charged, one.yen) for one in sections(explanation)
    ]


@pytest.mark.rule("F3")
def test_outside_part_is_charged_and_the_pass_is_not(ride: PriceRide) -> None:
    assert pieces(ride("三鷹:中央線:東京", P1)) == [
        ("三鷹", "新宿", True, 253),
        ("新宿", "東京", False, None),
    ]


@pytest.mark.rule("F5")
def test_each_outside_part_bears_its_fare(ride: PriceRide) -> None:
    through = ride("三鷹:中央線:御茶ノ水:総武線:船橋", "新宿:中央線:御茶ノ水:総武線:錦糸町")
    assert [piece[2:] for piece in pieces(through)] == [
        (True, 253), (False, None), (False, None), (True, 341),
    ]  # fmt: skip


@pytest.mark.rule("F6")
def test_where_the_through_fare_wins_all_is_charged_once(ride: PriceRide) -> None:
    assert pieces(ride("大久保:中央線:市ケ谷", "新宿:中央線:四ツ谷")) == [
        ("大久保", "市ケ谷", True, 199)
    ]


def test_colours_patterns_and_words_tell_the_same(ride: PriceRide) -> None:
    svg = drawn(ride("三鷹:中央線:東京", P1))
    bars = svg.findall(f"{SVG}rect")
    assert [(bar.get("fill"), bar.get("stroke")) for bar in bars] == [
        (RED, RED),
        ("url(#item-3-hatch)", GREEN),
    ]
    assert child(svg, f"{SVG}defs/{SVG}pattern").get("id") == "item-3-hatch"
    words = [text.text for text in svg.findall(f"{SVG}text")]
    assert {"三鷹", "新宿", "東京", "中央線", "支払 253円", "定期区間"} <= set(words)


def test_title_and_description_say_what_the_picture_shows(ride: PriceRide) -> None:
    svg = drawn(ride("三鷹:中央線:東京", P1))
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "item-3-title item-3-desc"
    assert child(svg, f"{SVG}title").text == "三鷹から東京までの控除の図"
    assert child(svg, f"{SVG}desc").text == (
        "三鷹―新宿(中央線): 支払 253円、新宿―東京(中央線): 定期区間。運賃440円、支払253円。"
    )


def test_a_walk_and_a_bus_are_described(network: Network, ride: PriceRide) -> None:
    walked = drawn(ride("押上:浅草線:東日本橋:徒歩:馬喰横山:新宿線:新宿"))
    assert "東日本橋から徒歩" in [text.text for text in walked.findall(f"{SVG}text")]
    terms = Terms(ride("三鷹:中央線:東京").on, charges=(ExtraCharge("バス", 220),))
    bus = price(parse_route(network, "新宿:中央線:三鷹:バス:調布"), terms, (), packaged_tariffs())
    assert pieces(bus)[-1] == ("三鷹", "調布", None, None)
    last = drawn(bus).findall(f"{SVG}rect")[-1]
    assert (last.get("stroke"), last.get("stroke-dasharray")) == (GREY, "4 3")


def test_names_are_written_as_text_whatever_they_contain(network: Network) -> None:
    own = [parse_pass(network, P1, "1")]
    route = parse_route(network, "新宿:中央線:三鷹:バス<b>&:調布\"'")
    terms = Terms(date(2026, 3, 14), charges=(ExtraCharge("バス", 220),))
    assert "バス<b>&" in "".join(drawn(price(route, terms, own, packaged_tariffs())).itertext())
