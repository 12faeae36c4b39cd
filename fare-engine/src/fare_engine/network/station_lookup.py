"""Which station does a typed name mean: kanji, kana or romaji, whole or as prefix?"""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import jaconv

from fare_engine.errors import FareError
from fare_engine.network.network import Network
from fare_engine.network.normalize import plain_name, plain_romaji

SUGGESTIONS = 8
_QUALIFIED = re.compile(r"(?P<name>.+)\((?P<operator>.+)\)|(?P<operator2>[^/]+)/(?P<name2>.+)")


class UnknownStation(FareError):
    """No station has the name; `suggestions` are the nearest names."""

    code: ClassVar[str] = "UNKNOWN_STATION"

    def __init__(self, name: str, suggestions: Sequence[str]) -> None:
        hint = f"(候補: {'、'.join(suggestions)})" if suggestions else ""
        super().__init__(f"駅「{name}」は見つかりません{hint}", suggestions=list(suggestions))
        self.suggestions = tuple(suggestions)


class AmbiguousStation(FareError):
    """Several places have the name; `choices` are the spellings that tell them apart."""

    code: ClassVar[str] = "AMBIGUOUS_STATION"

    def __init__(self, name: str, choices: Sequence[str], why: str = "") -> None:
        reason = f"({why})" if why else ""
        super().__init__(
            f"駅「{name}」は複数あります{reason}。いずれかを指定してください: {'、'.join(choices)}",
            choices=list(choices),
        )
        self.choices = tuple(choices)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A station name that begins as typed, with its reading and operators."""

    name: str
    kana: str
    romaji: str
    operators: tuple[str, ...]


@dataclass(frozen=True)
class _Index:
    exact: dict[str, list[int]]
    plain: dict[str, list[int]]
    kana: dict[str, list[int]]
    romaji: dict[str, list[int]]


def find_place(network: Network, text: str) -> tuple[int, ...]:
    """The stations of the one place that the text names.

    Takes a name in kanji, kana or romaji, or one with an operator: 浅草(東武), 東武/浅草. The
    operator chooses among places; stations that are one place stay together.
    Raises UnknownStation, AmbiguousStation.
    """
    qualified = _QUALIFIED.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if qualified:
        operator = qualified["operator"] or qualified["operator2"]
        name = qualified["name"] or qualified["name2"]
        found = [
            station
            for station in stations_named(network, name)
            if network.stations[station].operator == operator
        ]
        if found:
            return network.places[network.place_of[found[0]]]
    found = stations_named(network, text) or _by_reading(network, text)
    if not found:
        raise UnknownStation(text, similar_names(network, text))
    why = network.ambiguous_names.get(plain_name(text), "")
    if why or len({network.place_of[station] for station in found}) > 1:
        raise AmbiguousStation(text, [qualified_name(network, s) for s in found], why)
    return network.places[network.place_of[found[0]]]


def qualified_name(network: Network, station: int) -> str:
    """Name with operator, as `find_place` takes it."""
    row = network.stations[station]
    return f"{row.name}({row.operator})"


def stations_named(network: Network, name: str) -> list[int]:
    """All stations of the name: of its exact spelling if there are any, else of its plain form."""
    index = _index(network)
    exact = index.exact.get(name, [])
    plain = index.plain.get(plain_name(name), [])
    # ヶ and ケ tell 霞ヶ関 (東武) from 霞ケ関 (東京メトロ), but not 市ヶ谷 from 市ケ谷.
    places = {network.place_of[station] for station in exact}
    return [s for s in plain if network.place_of[s] in places] if exact else plain


def suggest(network: Network, prefix: str, limit: int = SUGGESTIONS) -> list[Suggestion]:
    """Station names that begin with the typed kanji, kana or romaji; the likeliest first."""
    kanji, kana, romaji = plain_name(prefix), _hiragana(prefix), plain_romaji(prefix)
    found: dict[str, list[int]] = defaultdict(list)
    for station in network.stations:
        if (
            (kanji and plain_name(station.name).startswith(kanji))
            or (kana and station.kana.startswith(kana))
            or (romaji and romaji_of(station.kana).startswith(romaji))
        ):
            found[station.name].append(station.id)
    names = sorted(
        found,
        key=lambda name: (
            plain_name(name) != kanji,
            -len(found[name]),  # a name that many operators serve is the likelier one
            len(network.stations[found[name][0]].kana),
            name,
        ),
    )
    return [_suggestion(network, name, found[name]) for name in names[:limit]]


def similar_names(network: Network, text: str) -> list[str]:
    """Names to offer for a text that names no station: same beginning first, then near misses."""
    begins = [suggestion.name for suggestion in suggest(network, text)]
    near = difflib.get_close_matches(plain_name(text), _index(network).plain, SUGGESTIONS, 0.5)
    spoken = difflib.get_close_matches(_hiragana(text), _index(network).kana, SUGGESTIONS, 0.6)
    near += [plain_name(network.stations[_index(network).kana[kana][0]].name) for kana in spoken]
    names = [network.stations[_index(network).plain[name][0]].name for name in near]
    return list(dict.fromkeys([*begins, *names]))[:SUGGESTIONS]


@cache
def romaji_of(kana: str) -> str:
    """Hiragana in folded romaji: long vowels short, no signs."""
    return plain_romaji(str(jaconv.kana2alphabet(kana.replace("ー", ""))))


def _suggestion(network: Network, name: str, stations: Iterable[int]) -> Suggestion:
    rows = [network.stations[station] for station in stations]
    kana = rows[0].kana
    return Suggestion(name, kana, romaji_of(kana), tuple(row.operator for row in rows))


def _hiragana(text: str) -> str:
    hiragana = str(jaconv.kata2hira(unicodedata.normalize("NFKC", text).strip()))
    return hiragana if re.fullmatch("[ぁ-んー]+", hiragana) else ""


def _by_reading(network: Network, text: str) -> list[int]:
    index = _index(network)
    return index.kana.get(_hiragana(text)) or index.romaji.get(plain_romaji(text)) or []


@cache
def _index(network: Network) -> _Index:
    index = _Index(defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list))
    for station in network.stations:
        index.exact[station.name].append(station.id)
        index.plain[plain_name(station.name)].append(station.id)
        index.kana[station.kana].append(station.id)
        index.romaji[romaji_of(station.kana)].append(station.id)
    return index
