"""Station names as people type them."""

from collections import defaultdict

import pytest

from fare_engine.network.likeness import alike_in_reading, one_edit_apart, romaji_of
from fare_engine.network.network import Network
from fare_engine.network.station_lookup import (
    AmbiguousStation,
    StationOutsideArea,
    UnknownStation,
    find_place,
    qualified_name,
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
        ("浅草(つくばエクスプレス)", "浅草"),
        ("つくば", "つくば"),
        ("東武/浅草", "浅草"),
        ("日本橋", "日本橋"),
        ("日本橋(都営)", "日本橋"),
        ("日本橋(東京メトロ・都営)", "日本橋"),
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
        ("浅草", {"浅草(東京メトロ・都営・東武)", "浅草(つくばエクスプレス)"}),
        ("小川町", {"小川町(都営)", "小川町(東武・JR東日本)"}),
        ("かすみがせき", {"霞ケ関(東京メトロ)", "霞ヶ関(東武)"}),
    ],
)
def test_ambiguous_name_lists_the_choices(network: Network, typed: str, choices: set[str]) -> None:
    with pytest.raises(AmbiguousStation) as refusal:
        find_place(network, typed)
    assert choices <= set(refusal.value.choices)
    places = [find_place(network, choice) for choice in refusal.value.choices]
    assert [qualified_name(network, place) for place in places] == list(refusal.value.choices)
    assert len(set(places)) == len(places)
    assert refusal.value.facts["station"] == typed


def test_only_names_of_several_places_are_ambiguous(network: Network) -> None:
    by_name: dict[str, set[int]] = defaultdict(set)
    for station in network.stations:
        by_name[station.name].add(network.place_of[station.id])
    for name, places in by_name.items():
        if len(places) == 1:
            assert network.place_of[find_place(network, name)[0]] in places
        else:
            with pytest.raises(AmbiguousStation):
                find_place(network, name)
    assert len(by_name["日本橋"]) == 1


def test_every_suggestion_is_found_again(network: Network) -> None:
    for place in network.places.values():
        name = network.stations[place[0]].name
        offered = [one.spelling for one in suggest(network, name, limit=len(network.places))]
        assert place in [find_place(network, spelling) for spelling in offered]


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("新宿御苑", "新宿御苑前"),
        ("渋谷ヒカリエ", "渋谷"),
        ("市谷", "市ケ谷"),
        ("御茶の水", "御茶ノ水"),
        ("高円時", "高円寺"),
        ("しぶた", "渋谷"),
        ("shinjuk", "新宿"),
        ("品川(京王)", "品川"),
    ],
)
def test_unknown_name_suggests_names_of_real_likeness(
    network: Network, typed: str, suggestion: str
) -> None:
    with pytest.raises(UnknownStation) as refusal:
        find_place(network, typed)
    assert refusal.value.suggestions[0] == suggestion
    assert suggestion in refusal.value.message


@pytest.mark.parametrize("typed", ["xyz", "大坂", "渋夜", "新tokyo", "ん"])
def test_unknown_name_without_any_likeness(network: Network, typed: str) -> None:
    with pytest.raises(UnknownStation) as refusal:
        find_place(network, typed)
    assert refusal.value.suggestions == ()
    assert refusal.value.message == f"「{typed}」は乗換案内の対象外か、駅名が違います"


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("大阪", "大阪(大阪府)"),
        ("おおさか", "大阪(大阪府)"),
        ("osaka", "大阪(大阪府)"),
        ("梅田駅", "梅田(大阪府)"),
        ("津", "津(三重県)"),
    ],
)
def test_well_known_station_of_another_region(network: Network, typed: str, place: str) -> None:
    with pytest.raises(StationOutsideArea) as refusal:
        find_place(network, typed)
    assert refusal.value.message == f"{place}: 対象外の地域です"
    assert refusal.value.facts == {"station": typed}


@pytest.mark.parametrize(
    ("typed", "kana", "alike"),
    [
        ("つくば", "つくしの", False),  # two letters
        ("おおさか", "おおさき", True),
        ("しぶた", "しぶや", True),
        ("しぶ", "しば", False),  # too short to be alike by chance
        ("ちょうふ", "ちようふ", False),  # another first mora
        ("かわさき", "わさき", False),
    ],
)
def test_likeness_of_readings(typed: str, kana: str, alike: bool) -> None:
    assert alike_in_reading(typed, kana) is alike


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("abc", "abc", True),
        ("abc", "abd", True),
        ("abc", "bc", True),
        ("abc", "axbc", True),
        ("abc", "acb", False),
        ("abc", "abcde", False),
        ("abc", "b", False),
    ],
)
def test_one_edit(one: str, other: str, alike: bool) -> None:
    assert one_edit_apart(one, other) is alike
    assert one_edit_apart(other, one) is alike


@pytest.mark.parametrize(
    ("prefix", "first"),
    [
        ("新宿", "新宿"),
        ("しんじ", "新宿"),
        ("shinj", "新宿"),
        ("Yoko", "横浜"),
        ("ごたん", "五反田"),
        ("ｓｈｉｎｊ", "新宿"),
        ("しんじゅk", "新宿"),
        ("シンジュク", "新宿"),
        ("霞", "霞ケ関"),
    ],
)
def test_suggests_by_prefix(network: Network, prefix: str, first: str) -> None:
    assert suggest(network, prefix)[0].name == first


def test_suggestions_are_limited_and_carry_reading_and_operators(network: Network) -> None:
    found = suggest(network, "東", limit=3)
    assert len(found) == 3
    shibuya = suggest(network, "渋谷")[0]
    assert (shibuya.kana, shibuya.romaji) == ("しぶや", "shibuya")
    assert shibuya.spelling == "渋谷"
    assert set(shibuya.operators) == {"東京メトロ", "東急", "京王", "JR東日本"}


def test_a_name_of_several_places_is_suggested_with_operators(network: Network) -> None:
    spellings = [one.spelling for one in suggest(network, "小川町")]
    assert set(spellings) == {"小川町(都営)", "小川町(東武・JR東日本)"}


def test_every_station_has_romaji(network: Network) -> None:
    assert all(romaji_of(station.kana) for station in network.stations)
