"""A route text as people read it: 中野 → 東西線 → 西船橋, without the operators of the notation.

Reads the text alone, so that a route whose line is gone can still be named.
"""

import re

from fare_engine.routing.name_escaping import names_in


def line_words(name: str) -> str:
    """A line as people call it: 総武線 for JR東日本/総武線(御茶ノ水支線)."""
    return re.sub(r"\([^()]*\)$", "", name.rpartition("/")[2])


def route_words(text: str) -> list[str]:
    """Stations and lines of a route text, alternating, from the first station to the last."""
    words = names_in(text)
    words[1::2] = [line_words(line) for line in words[1::2]]
    return words


def section_of(text: str) -> str:
    """東京―新宿, from a route text."""
    words = route_words(text)
    return f"{words[0]}―{words[-1]}"
