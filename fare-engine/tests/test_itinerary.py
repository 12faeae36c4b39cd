"""The itinerary of a priced ride: trains, walks, and what is charged on them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from fare_engine.fares.explanation_model import Explanation, ExtraCharge, TrainLeg
from fare_engine.fares.itinerary import Coverage, ItineraryLeg, itinerary
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.routing.route_text import parse_pass, parse_route
from fare_engine.routing.route_words import line_words, route_words, section_of

PriceRide = Callable[..., Explanation]
P1 = "東京:中央線:新宿"


def sections(explanation: Explanation) -> list[tuple[str, str, Coverage, int | None]]:
    return [
        (one.start, one.end, one.coverage, one.yen)
        for leg in itinerary(explanation)
        for one in leg.sections
    ]


@pytest.mark.rule("F3")
def test_outside_part_is_charged_and_the_pass_is_not(ride: PriceRide) -> None:
    assert sections(ride("三鷹:中央線:東京", P1)) == [
        ("三鷹", "新宿", Coverage.CHARGED, 253),
        ("新宿", "東京", Coverage.ON_PASS, None),
    ]


@pytest.mark.rule("F5")
def test_each_outside_part_bears_its_fare(ride: PriceRide) -> None:
    through = ride("三鷹:中央線:御茶ノ水:総武線:船橋", "新宿:中央線:御茶ノ水:総武線:錦糸町")
    assert [(coverage, yen) for *_, coverage, yen in sections(through)] == [
        (Coverage.CHARGED, 253),
        (Coverage.ON_PASS, None),
        (Coverage.ON_PASS, None),
        (Coverage.CHARGED, 341),
    ]


@pytest.mark.rule("F6")
def test_where_the_through_fare_wins_all_is_charged_once(ride: PriceRide) -> None:
    assert sections(ride("大久保:中央線:市ケ谷", "新宿:中央線:四ツ谷")) == [
        ("大久保", "市ケ谷", Coverage.CHARGED, 199)
    ]


def test_a_train_over_two_fare_lines_is_one_leg_with_a_section_on_each(ride: PriceRide) -> None:
    priced = ride("三鷹:中央線:御茶ノ水:総武線:船橋", "新宿:中央線:御茶ノ水:総武線:錦糸町")
    through = TrainLeg("train", "中央・総武線各駅停車", ("JR東日本",), "三鷹", "船橋", 65, 29)
    [leg] = itinerary(replace(priced, trains=(through,)))
    assert (leg.name, leg.minutes) == ("中央・総武線各駅停車", 65)
    assert [(one.line, one.start, one.end) for one in leg.sections] == [
        ("中央線", "三鷹", "新宿"),
        ("中央線", "新宿", "御茶ノ水"),
        ("総武線", "御茶ノ水", "錦糸町"),
        ("総武線", "錦糸町", "船橋"),
    ]


@pytest.mark.parametrize("trains", [(), (TrainLeg("train", "快速", (), "三鷹", "新宿", 15, 8),)])
def test_without_trains_that_fit_each_fare_line_is_a_leg(
    ride: PriceRide, trains: tuple[TrainLeg, ...]
) -> None:
    kept = replace(ride("押上:浅草線:東日本橋:徒歩:馬喰横山:新宿線:新宿"), trains=trains)
    assert [(leg.kind, leg.name, leg.start, leg.end, leg.minutes) for leg in itinerary(kept)] == [
        ("train", "浅草線", "押上", "東日本橋", None),
        ("walk", "徒歩", "東日本橋", "馬喰横山", None),
        ("train", "新宿線", "馬喰横山", "新宿", None),
    ]


def test_a_change_to_a_place_of_another_name_is_a_walk(ride: PriceRide) -> None:
    first = TrainLeg("train", "浅草線", (), "押上", "東日本橋", 9, 5)
    second = TrainLeg("train", "新宿線", (), "馬喰横山", "新宿", 14, 8)
    priced = ride("押上:浅草線:東日本橋:徒歩:馬喰横山:新宿線:新宿")
    legs = itinerary(replace(priced, trains=(first, second)))
    assert [(leg.kind, leg.start, leg.end, leg.minutes) for leg in legs] == [
        ("train", "押上", "東日本橋", 9),
        ("walk", "東日本橋", "馬喰横山", None),
        ("train", "馬喰横山", "新宿", 14),
    ]


def test_a_walk_and_a_bus_are_legs(network: Network, ride: PriceRide) -> None:
    walks = itinerary(ride("押上:浅草線:東日本橋:徒歩:馬喰横山:新宿線:新宿"))
    assert [leg.kind for leg in walks] == ["train", "walk", "train"]
    terms = Terms(date(2026, 3, 14), charges=(ExtraCharge("バス", 220),))
    bus = price(parse_route(network, "新宿:中央線:三鷹:バス:調布"), terms, (), packaged_tariffs())
    last: ItineraryLeg = itinerary(bus)[-1]
    assert [(one.start, one.end, one.coverage, one.yen) for one in last.sections] == [
        ("三鷹", "調布", Coverage.SEPARATE, None)
    ]


def test_every_track_of_the_ride_is_in_one_section(network: Network, ride: PriceRide) -> None:
    own = parse_pass(network, P1, "1")
    priced = ride("三鷹:中央線:東京:山手線:品川", str(own.route))
    ends = [(leg.start, leg.end) for leg in itinerary(priced)]
    assert (ends[0][0], ends[-1][1]) == ("三鷹", "品川")
    pieces = sections(priced)
    assert [one[1] for one in pieces[:-1]] == [one[0] for one in pieces[1:]]


def test_a_route_is_named_without_its_operators() -> None:
    text = "中野:東京メトロ/東西線:西船橋:徒歩:京成西船:京成/本線:京成船橋"
    assert route_words(text) == [
        "中野", "東西線", "西船橋", "徒歩", "京成西船", "本線", "京成船橋",
    ]  # fmt: skip
    assert line_words("都営/大江戸線(環状部)") == "大江戸線"
    assert section_of(text) == "中野―京成船橋"
