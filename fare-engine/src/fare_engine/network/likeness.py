"""Likeness of station names: by beginning, by reading, by spelling."""

import re
import unicodedata
from functools import cache, lru_cache

import jaconv

from fare_engine.network.normalize import plain_name, plain_romaji

_UNFINISHED = re.compile(r"(?<=[ぁ-んー])[a-z]{1,3}$")
_JOINTS = re.compile("[ケガがノの之ツつッっ]")
_WITH_PREVIOUS = frozenset("ゃゅょぁぃぅぇぉー")
SHORTEST_READING = 3
SHORTEST_NAME = 3


@lru_cache(maxsize=16_384)
def hiragana_of(text: str) -> str:
    """Kana as hiragana, without the letters of a syllable still being typed; "" for other text."""
    folded = unicodedata.normalize("NFKC", text).strip().lower()
    hiragana = _UNFINISHED.sub("", str(jaconv.kata2hira(folded)))
    return hiragana if re.fullmatch("[ぁ-んー]+", hiragana) else ""


def typed_romaji(text: str) -> str:
    """Latin letters in folded romaji; "" for text with any other letter."""
    folded = unicodedata.normalize("NFKD", text)
    latin = all(char.isascii() or unicodedata.combining(char) for char in folded)
    return plain_romaji(text) if latin else ""


@cache
def romaji_of(kana: str) -> str:
    """Hiragana in folded romaji: long vowels short, no signs."""
    return plain_romaji(str(jaconv.kana2alphabet(kana.replace("ー", ""))))


@lru_cache(maxsize=16_384)
def without_joints(name: str) -> str:
    """A name without the letters that spellings leave out: 市谷 of 市ヶ谷, 茶水 of 茶ノ水."""
    return _JOINTS.sub("", plain_name(name))


def alike_in_reading(typed: str, kana: str) -> bool:
    """Whether two readings in hiragana begin alike and differ by one letter at most."""
    if len(typed) < SHORTEST_READING or _first_mora(typed) != _first_mora(kana):
        return False
    return one_edit_apart(typed, kana)


def alike_in_spelling(typed: str, name: str) -> bool:
    """Whether two plain names begin alike and differ by one letter of at least three."""
    if min(len(typed), len(name)) < SHORTEST_NAME or typed[0] != name[0]:
        return False
    return one_edit_apart(typed, name)


def one_edit_apart(one: str, other: str) -> bool:
    """Whether at most one letter is another, missing or too many."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), None)
    if same is None:
        return True
    rest = short[same:] if len(short) < len(long) else short[same + 1 :]
    return rest == long[same + 1 :]


def _first_mora(kana: str) -> str:
    return kana[:2] if kana[1:2] in _WITH_PREVIOUS else kana[:1]
