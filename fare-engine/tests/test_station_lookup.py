"""Station names as people type them."""

import pytest

from fare_engine.network.network import Network
from fare_engine.network.station_lookup import (
    AmbiguousStation,
    UnknownStation,
    find_place,
    qualified_name,
    romaji_of,
    suggest,
)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("新宿", "新宿"),
        ("新宿駅", "新宿"),
        (" 新宿 ", "新宿"),
        ("しんじゅく", "新宿"),
        ("シンジュク", "新宿"),
        ("shinjuku", "新宿"),
        ("Tokyo", "東京"),
        ("tōkyō", "東京"),
        ("toukyou", "東京"),
        ("shimbashi", "新橋"),
        ("新百合ケ丘", "新百合ヶ丘"),
        ("明治神宮前〈原宿〉", "明治神宮前"),
        ("羽田空港第1・第2ターミナル", "羽田空港第１・第２ターミナル"),
        ("浅草(東武)", "浅草"),
        ("東武/浅草", "浅草"),
        ("日本橋(都営)", "日本橋"),
    ],
)
def test_finds_the_place(network: Network, typed: str, name: str) -> None:
    assert network.stations[find_place(network, typed)[0]].name == name


@pytest.mark.parametrize("name", ["四ツ谷", "市ケ谷"])
def test_spelling_of_ke_does_not_split_a_place(network: Network, name: str) -> None:
    operators = {network.stations[s].operator for s in find_place(network, name)}
    assert {"JR東日本", "東京メトロ"} <= operators
    assert find_place(network, "市ヶ谷") == find_place(network, "市ケ谷")


def test_spelling_of_ke_tells_two_kasumigasekis_apart(network: Network) -> None:
    assert [network.stations[s].operator for s in find_place(network, "霞ヶ関")] == ["東武"]
    assert [network.stations[s].operator for s in find_place(network, "霞ケ関")] == ["東京メトロ"]


@pytest.mark.parametrize(
    ("typed", "choices"),
    [
        ("日本橋", {"日本橋(東京メトロ)", "日本橋(都営)"}),
        (
            "浅草",
            {"浅草(東京メトロ)", "浅草(都営)", "浅草(東武)", "浅草(つくばエクスプレス)"},
        ),
        ("小川町", {"小川町(都営)", "小川町(東武)", "小川町(JR東日本)"}),
        ("かすみがせき", {"霞ケ関(東京メトロ)", "霞ヶ関(東武)"}),
    ],
)
def test_ambiguous_name_lists_the_choices(network: Network, typed: str, choices: set[str]) -> None:
    with pytest.raises(AmbiguousStation) as refusal:
        find_place(network, typed)
    assert set(refusal.value.choices) == choices
    for choice in choices:
        place = find_place(network, choice)
        assert choice in [qualified_name(network, station) for station in place]


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [("渋夜", "渋谷"), ("新宿御苑", "新宿御苑前"), ("しぶた", "渋谷"), ("shinjuk", "新宿")],
)
def test_unknown_name_suggests_near_ones(network: Network, typed: str, suggestion: str) -> None:
    with pytest.raises(UnknownStation) as refusal:
        find_place(network, typed)
    assert suggestion in refusal.value.suggestions


def test_unknown_name_without_any_likeness(network: Network) -> None:
    with pytest.raises(UnknownStation) as refusal:
        find_place(network, "xyz")
    assert refusal.value.suggestions == ()


@pytest.mark.parametrize(
    ("prefix", "first"),
    [
        ("新宿", "新宿"),
        ("しんじ", "新宿"),
        ("shinj", "新宿"),
        ("Yoko", "横浜"),
        ("ごたん", "五反田"),
    ],
)
def test_suggests_by_prefix(network: Network, prefix: str, first: str) -> None:
    assert suggest(network, prefix)[0].name == first


def test_suggestions_are_limited_and_carry_reading_and_operators(network: Network) -> None:
    found = suggest(network, "東", limit=3)
    assert len(found) == 3
    shibuya = suggest(network, "渋谷")[0]
    assert (shibuya.kana, shibuya.romaji) == ("しぶや", "shibuya")
    assert set(shibuya.operators) == {"東京メトロ", "東急", "京王", "JR東日本"}


def test_every_station_has_romaji(network: Network) -> None:
    assert all(romaji_of(station.kana) for station in network.stations)
