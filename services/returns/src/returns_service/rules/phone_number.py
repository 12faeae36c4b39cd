"""Telephone numbers as people type them, kept with plain hyphens (D83).

An input method gives ー for a hyphen, a pasted number has ‐ or blanks, a letterhead brackets. A
number has ten digits, or eleven where it begins with 050, 060, 070, 080 or 090; so says the
numbering plan of the Ministry of Internal Affairs and Communications (電気通信番号計画).
"""

import re
import unicodedata

LONGEST = 13
_SEPARATORS = re.compile(r"[\s()\[\]‐‑‒–—―−ー・.-]+")
_ELEVEN = re.compile(r"0[5-9]0[0-9]{8}")
_TEN = re.compile(r"0[1-9][0-9]{8}")
_ONE_MISSING = re.compile(r"0[5789]0[0-9]{7}")


def phone_number(entered: str) -> str | None:
    """The number as it is kept, None for what cannot be one: 「03ー1234ー5678」 as 03-1234-5678."""
    kept = _SEPARATORS.sub("-", unicodedata.normalize("NFKC", entered)).strip("-")
    digits = kept.replace("-", "")
    whole = _ELEVEN.fullmatch(digits) or _TEN.fullmatch(digits)
    if not whole or _ONE_MISSING.fullmatch(digits):
        return None
    return kept if len(kept) <= LONGEST else digits
