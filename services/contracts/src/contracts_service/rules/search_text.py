"""Search text folding: when are two spellings the same name, plate or number? (D7).

Stored search texts and search input use the same folding: full and half width, upper and lower
case, hiragana and katakana are equal; blanks are removed, and in plates and contract numbers
hyphens too. In names the variants of one character (異体字) and the short forms of a company's
kind are equal too; a migration folds stored texts again when these tables change.
"""

import unicodedata

import jaconv

# The long vowel ー is a letter in names, but between digits a hyphen is meant.
HYPHENS = "-‐‑‒–—―−ー"
_HYPHENS = dict.fromkeys(map(ord, HYPHENS))
_ONE_HYPHEN = str.maketrans(dict.fromkeys(HYPHENS, "-"))


# Variants of one character in family registers, and below each the usual one.
VARIANTS = (
    "髙﨑嵜碕斎齊齋邊邉濵濱澤嶋嶌廣國櫻眞惠德藏瀨栁冨礒曻𠮷圓條龍"
    "關槗淵渊籠藪黑淸靑增寬彌壽榮實萬與豐劍壯兒學寶來會氣檜鷗穗鎭"
    "瀧嶽峯舘舩桒龜鹽ヶヵ"
)
USUAL = (
    "高崎崎崎斉斉斉辺辺浜浜沢島島広国桜真恵徳蔵瀬柳富磯昇吉円条竜"
    "関橋渕渕篭薮黒清青増寛弥寿栄実万与豊剣壮児学宝来会気桧鴎穂鎮"
    "滝岳峰館船桑亀塩ケカ"
)
_USUAL_OF = str.maketrans(VARIANTS, USUAL)
COMPANIES = {
    "(有)": "有限会社",
    "(株)": "株式会社",
    "(同)": "合同会社",
    "(名)": "合名会社",
    "(資)": "合資会社",
}
"""Short forms of a company's kind; NFKC turns ㈲ and （有） into the first."""


def folded_name(text: str) -> str:
    """契約者名 for searching: 髙﨑, 高崎 and 高　崎 are one, ﾔﾏﾓﾄ and やまもと, ㈲ and 有限会社."""
    folded = _folded(text).translate(_USUAL_OF)
    for short, full in COMPANIES.items():
        folded = folded.replace(short, full)
    return folded


def grams(folded: str) -> list[str]:
    """What an index finds a folded text by: its pairs of neighbours, or its only character.

    A text that contains `folded` has all of them; one that has all of them need not contain it.
    """
    return sorted({folded[at : at + 2] for at in range(max(1, len(folded) - 1))})


def folded_registration(text: str) -> str:
    """登録番号 for searching: 品川 300 あ １２-３４ becomes 品川300ア1234."""
    return _folded(text).translate(_HYPHENS)


def folded_contract_no(text: str) -> str:
    """契約番号 as it is stored and compared: no blanks, no hyphens, half width, upper case."""
    joined = "".join(unicodedata.normalize("NFKC", text).upper().split())
    return joined.translate(_HYPHENS)


def with_plain_hyphens(text: str) -> str:
    """Text of half width in which every kind of hyphen is `-`: for numbers, dates and codes."""
    return text.translate(_ONE_HYPHEN)


def _folded(text: str) -> str:
    return "".join(jaconv.hira2kata(unicodedata.normalize("NFKC", text)).upper().split())
