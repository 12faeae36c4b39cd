"""Which station does a typed name mean: kanji, kana or romaji, whole or as prefix?"""

import csv
import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from heapq import nsmallest
from typing import ClassVar

from fare_engine.data_tables import PACKAGED
from fare_engine.errors import FareError
from fare_engine.network.likeness import (
    alike_in_reading,
    alike_in_spelling,
    hiragana_of,
    romaji_of,
    typed_romaji,
    without_joints,
)
from fare_engine.network.network import Network
from fare_engine.network.normalize import plain_name

SUGGESTIONS = 8
NETWORKS_INDEXED = 4
SHORTEST_BEGINNING = 2
_LAST = "\U0010ffff"
_QUALIFIED = re.compile(r"(?P<name>.+)\((?P<operator>.+)\)|(?P<operator2>[^/]+)/(?P<name2>.+)")


class UnknownStation(FareError):
    """No station has the name; `suggestions` are names of real likeness."""

    code: ClassVar[str] = "UNKNOWN_STATION"

    def __init__(self, name: str, suggestions: Sequence[str]) -> None:
        hint = f"。候補: {'、'.join(suggestions)}" if suggestions else ""
        super().__init__(
            f"「{name}」は乗換案内の対象外か、駅名が違います{hint}",
            station=name,
            suggestions=list(suggestions),
        )
        self.suggestions = tuple(suggestions)


class StationOutsideArea(FareError):
    """The name is known to be a station of a region that the network does not cover."""

    code: ClassVar[str] = "STATION_OUTSIDE_AREA"

    def __init__(self, typed: str, name: str, prefecture: str) -> None:
        super().__init__(f"{name}({prefecture}): 対象外の地域です", station=typed)


class AmbiguousStation(FareError):
    """Several places have the name; `choices` are the spellings that tell them apart."""

    code: ClassVar[str] = "AMBIGUOUS_STATION"

    def __init__(self, name: str, choices: Sequence[str], why: str = "") -> None:
        reason = f"({why})" if why else ""
        super().__init__(
            f"駅「{name}」は複数あります{reason}。いずれかを指定してください: {'、'.join(choices)}",
            station=name,
            choices=list(choices),
        )
        self.choices = tuple(choices)


class SeveralStationsRefused(FareError):
    """Several of the names typed are refused; `refused` are their errors by field."""

    code: ClassVar[str] = "STATIONS_REFUSED"

    def __init__(self, refused: Mapping[str, FareError]) -> None:
        super().__init__("。".join(one.message for one in refused.values()))
        self.refused = dict(refused)


NAME_REFUSED = (UnknownStation, StationOutsideArea, AmbiguousStation)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A place whose name begins as typed, with its reading and operators.

    `spelling` is what `find_place` takes: the name, with operators where it names several places.
    """

    name: str
    spelling: str
    kana: str
    romaji: str
    operators: tuple[str, ...]


def find_place(network: Network, text: str) -> tuple[int, ...]:
    """The stations of the one place that the text names.

    Takes a name in kanji, kana or romaji, or one with the operators of the place or one of them:
    浅草(東武), 東武/浅草. Stations that are one place stay together.
    Raises UnknownStation, StationOutsideArea, AmbiguousStation.
    """
    qualified = _QUALIFIED.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if qualified:
        operator = qualified["operator"] or qualified["operator2"]
        name = qualified["name"] or qualified["name2"]
        for place in _places_of(network, stations_named(network, name)):
            operators = _operators_of(network, place)
            if operator in operators or operator == "・".join(operators):
                return place
    found = stations_named(network, text) or _by_reading(network, text)
    if not found:
        raise unknown_station(network, text)
    places = _places_of(network, found)
    if len(places) > 1:
        why = network.ambiguous_names.get(plain_name(text), "")
        raise AmbiguousStation(text, [qualified_name(network, one) for one in places], why)
    return places[0]


def find_places(network: Network, names: Mapping[str, str]) -> list[tuple[int, ...]]:
    """The place of each name, by field; as `find_place`, or SeveralStationsRefused."""
    found: list[tuple[int, ...]] = []
    refused: dict[str, FareError] = {}
    for field, name in names.items():
        try:
            found.append(find_place(network, name))
        except NAME_REFUSED as fact:
            refused[field] = fact
    raise_refused(refused)
    return found


def raise_refused(refused: Mapping[str, FareError]) -> None:
    """Raise the errors of names by field: the only one itself, several together."""
    if len(refused) > 1:
        raise SeveralStationsRefused(refused)
    for fact in refused.values():
        raise fact


def unknown_station(network: Network, text: str) -> UnknownStation | StationOutsideArea:
    """Why no station has this name, as the error to raise."""
    known = plain_name(text), hiragana_of(text), typed_romaji(text)
    for spelling in known:
        if spelling in _elsewhere():
            return StationOutsideArea(text, *_elsewhere()[spelling])
    return UnknownStation(text, similar_names(network, text))


def qualified_name(network: Network, place: Sequence[int]) -> str:
    """Name of a place with its operators, as `find_place` takes it."""
    name = network.stations[place[0]].name
    return f"{name}({'・'.join(_operators_of(network, place))})"


def stations_named(network: Network, name: str) -> list[int]:
    """All stations of the name: of its exact spelling if there are any, else of its plain form."""
    index = _index(network)
    exact = index.exact.get(name, [])
    plain = index.plain.get(plain_name(name), [])
    # ヶ and ケ tell 霞ヶ関 (東武) from 霞ケ関 (東京メトロ), but not 市ヶ谷 from 市ケ谷.
    places = {network.place_of[station] for station in exact}
    return [s for s in plain if network.place_of[s] in places] if exact else plain


def suggest(network: Network, prefix: str, limit: int = SUGGESTIONS) -> list[Suggestion]:
    """Places whose name begins with the typed kanji, kana or romaji.

    First those that are named exactly so, then those that more lines serve.
    """
    typed = (plain_name(prefix), hiragana_of(prefix), typed_romaji(prefix))
    index = _index(network)
    found = {
        entry.number: entry
        for keys, text in zip(index.beginnings, typed, strict=True)
        for entry in _beginning(keys, text)
    }
    best = nsmallest(limit, found.values(), key=lambda entry: entry.rank(typed))
    return [entry.suggestion for entry in best]


def similar_names(network: Network, text: str) -> list[str]:
    """Names of real likeness, for a text that names no station.

    They begin as typed, begin the typed text, differ in letters that spellings leave out, or
    differ in one letter after a common beginning.
    """
    plain, kana = plain_name(text), hiragana_of(text)
    begins = suggest(network, text)
    alike: dict[int, _Entry] = {}
    for likeness in (
        lambda one: len(one.plain) >= SHORTEST_BEGINNING and plain.startswith(one.plain),
        lambda one: without_joints(plain) == one.joined,
        lambda one: alike_in_reading(kana, one.suggestion.kana),
        lambda one: alike_in_spelling(plain, one.plain),
    ):
        found = [entry for entry in _index(network).entries if likeness(entry)]
        found.sort(key=lambda entry: entry.rank((plain, kana, "")))
        alike |= {entry.number: entry for entry in found if entry.number not in alike}
    spellings = [one.spelling for one in (*begins, *(entry.suggestion for entry in alike.values()))]
    return list(dict.fromkeys(spellings))[:SUGGESTIONS]


@dataclass(frozen=True)
class _Entry:
    """A place in the index; `plain` and `joined` are its name, folded."""

    number: int
    suggestion: Suggestion
    plain: str
    joined: str
    lines: int

    def rank(self, typed: tuple[str, str, str]) -> tuple[object, ...]:
        """The likeliest first."""
        one = self.suggestion
        exact = bool({self.plain, one.kana, one.romaji} & {*typed})
        return not exact, -self.lines, len(one.kana), one.spelling


Keys = list[tuple[str, _Entry]]


class _Index:
    """The names of one network, built once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.exact: dict[str, list[int]] = defaultdict(list)
        self.plain: dict[str, list[int]] = defaultdict(list)
        self.kana: dict[str, list[int]] = defaultdict(list)
        for station in network.stations:
            self.exact[station.name].append(station.id)
            self.plain[plain_name(station.name)].append(station.id)
            self.kana[station.kana].append(station.id)

    @cached_property
    def romaji(self) -> dict[str, list[int]]:
        """Station ids by reading in romaji."""
        found: dict[str, list[int]] = defaultdict(list)
        for station in self.network.stations:
            found[romaji_of(station.kana)].append(station.id)
        return found

    @cached_property
    def entries(self) -> list[_Entry]:
        """Every place once."""
        places = self.network.places.values()
        return [_entry(self.network, number, place) for number, place in enumerate(places)]

    @cached_property
    def beginnings(self) -> tuple[Keys, Keys, Keys]:
        """The places in order of their plain name, their reading, their romaji."""
        entries = self.entries

        def by_name(pair: tuple[str, _Entry]) -> tuple[str, int]:
            return pair[0], pair[1].number

        return (
            sorted([(entry.plain, entry) for entry in entries], key=by_name),
            sorted([(entry.suggestion.kana, entry) for entry in entries], key=by_name),
            sorted([(entry.suggestion.romaji, entry) for entry in entries], key=by_name),
        )


def _entry(network: Network, number: int, place: Sequence[int]) -> _Entry:
    lines = {station: network.lines_at[station] for station in place}
    busiest = network.stations[max(place, key=lambda station: len(lines[station]))]
    unique = len(_places_of(network, stations_named(network, busiest.name))) == 1
    spelling = busiest.name if unique else qualified_name(network, place)
    operators = _operators_of(network, place)
    romaji = romaji_of(busiest.kana)
    suggestion = Suggestion(busiest.name, spelling, busiest.kana, romaji, operators)
    served = sum(map(len, lines.values()))
    return _Entry(
        number, suggestion, plain_name(busiest.name), without_joints(busiest.name), served
    )


def _beginning(keys: Keys, text: str) -> Iterator[_Entry]:
    if text:
        first = bisect_left(keys, text, key=lambda pair: pair[0])
        last = bisect_left(keys, text + _LAST, key=lambda pair: pair[0])
        yield from (entry for _, entry in keys[first:last])


def _operators_of(network: Network, place: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(network.stations[station].operator for station in place))


def _places_of(network: Network, stations: Iterable[int]) -> list[tuple[int, ...]]:
    places = dict.fromkeys(network.place_of[station] for station in stations)
    return [network.places[place] for place in places]


def _by_reading(network: Network, text: str) -> list[int]:
    index = _index(network)
    return index.kana.get(hiragana_of(text)) or index.romaji.get(typed_romaji(text)) or []


@lru_cache(maxsize=NETWORKS_INDEXED)
def _index(network: Network) -> _Index:
    return _Index(network)


@cache
def _elsewhere() -> dict[str, tuple[str, str]]:
    """Name and prefecture of well-known stations of other regions, by name, kana and romaji."""
    text = (PACKAGED / "stations_elsewhere.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {
        spelling: (row["station"], row["prefecture"])
        for row in reversed(rows)
        for spelling in (plain_name(row["station"]), row["kana"], romaji_of(row["kana"]))
        if len(spelling) > 1 or spelling == row["station"]
    }
