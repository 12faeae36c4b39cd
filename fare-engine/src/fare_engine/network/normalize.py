"""When are two spellings of a station the same name?"""

import re
import unicodedata
from functools import lru_cache

_AFTERTHOUGHT = re.compile(r"[〈<].*?[〉>]$")


@lru_cache(maxsize=16_384)
def plain_name(text: str) -> str:
    """Fold what sign-writers disagree about: width, spaces, 駅, ヶ and ケ, 〈second names〉."""
    folded = unicodedata.normalize("NFKC", text).replace(" ", "")
    folded = _AFTERTHOUGHT.sub("", folded).replace("ヶ", "ケ")
    return folded[:-1] if len(folded) > 1 and folded.endswith("駅") else folded


def plain_romaji(text: str) -> str:
    """Fold romaji: case, long vowels (ō, ou, oo, uu), hyphens, and m before b, m, p."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    letters = "".join(char for char in decomposed if "a" <= char <= "z")
    for long, short in (("ou", "o"), ("oo", "o"), ("uu", "u")):
        letters = letters.replace(long, short)
    return re.sub(r"m(?=[bmp])", "n", letters)
