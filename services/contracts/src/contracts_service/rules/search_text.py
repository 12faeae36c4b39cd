"""Search text folding: when are two spellings the same name, plate or number? (D7).

Stored search texts and search input use the same folding: full and half width, upper and lower
case, hiragana and katakana are equal; blanks are removed, and in plates and contract numbers
hyphens too.
"""

import unicodedata

import jaconv

# The long vowel ー is a letter in names, but between digits a hyphen is meant.
_HYPHENS = dict.fromkeys(map(ord, "-‐‑‒–—―−ー"))


def folded_name(text: str) -> str:
    """契約者名 for searching: 山本　太郎 and 山本 太郎 are one, ﾔﾏﾓﾄ and やまもと too."""
    return "".join(jaconv.hira2kata(unicodedata.normalize("NFKC", text)).upper().split())


def folded_registration(text: str) -> str:
    """登録番号 for searching: 品川 300 あ １２-３４ becomes 品川300ア1234."""
    return folded_name(text).translate(_HYPHENS)


def folded_contract_no(text: str) -> str:
    """契約番号 as it is stored and compared: no blanks, no hyphens, half width, upper case."""
    joined = "".join(unicodedata.normalize("NFKC", text).upper().split())
    return joined.translate(_HYPHENS)
