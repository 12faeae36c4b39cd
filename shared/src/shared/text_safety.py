"""Text safety: the characters that no text may hold, and cells that no spreadsheet runs.

Refused are control characters and lone surrogates, and the format characters that turn the reading
direction around or hide letters: with them a comment reads differently from what it says
(CVE-2021-42574). Joiners of emoji and variation selectors of kanji stay.
"""

import re
import unicodedata

LINE_CHARACTERS = "\n\r\t"
MISLEADING = frozenset(
    "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Bidirectional controls, invisible spaces, and separators that only some programs know."""
MESSAGE = "使用できない文字（制御文字や、文字の向きを変える見えない文字）が含まれています"
ENGLISH = "text without control characters and invisible ones that change its direction"

_FORMULA = re.compile(r"[\s\0]*[=+\-@＝＋－−＠]|[\t\r\n\0]")
"""How a cell begins that a spreadsheet may run: also in full width, and behind blanks."""
_SIGN = re.compile(r"[=+\-@＝＋－−＠\t\r\n\0]")
"""Without any of these a text begins no formula anywhere."""
_NEXT_CELL = re.compile(r"""[;\t"'][\s\0]*[=+\-@＝＋－−＠]""")
"""Where another list separator than the comma would begin such a cell."""


def is_safe_text(text: str, *, also: str = "") -> bool:
    """Whether `text` holds none of the refused characters, save those in `also`."""
    return all(
        letter in also
        or (letter not in MISLEADING and unicodedata.category(letter) not in {"Cc", "Cs"})
        for letter in text
    )


def defused_cell(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet might begin a formula.

    At its start, and behind a semicolon, tab or quote: another list separator than the comma would
    begin a cell there.
    """
    if _SIGN.search(text) is None:
        return text
    apart = _NEXT_CELL.sub(lambda found: f"{found[0][0]}'{found[0][1:]}", text)
    return f"'{apart}" if _FORMULA.match(apart) else apart
