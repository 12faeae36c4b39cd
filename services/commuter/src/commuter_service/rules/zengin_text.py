"""Zengin characters (全銀協使用可能文字): kana names as banks take them (R104).

Half-width kana without small ones and without ヲ, voiced marks as characters of their own, A-Z,
0-9, space and ( ) - . ; a long vowel is a hyphen. Source: PCA 「全銀協使用可能文字」
(pca.jp/area_support/manual/kk/Z1sanko/z1_zengin.html, read 2026-11-29). Some banks take more signs;
these are taken by all.
"""

import re
import unicodedata

import jaconv

from shared.errors import FieldError

_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
_HYPHENS = re.compile(r"[ー‐‑‒–—―−－ｰ]")
_ALLOWED = re.compile(r"[ｱ-ﾝﾞﾟA-Z0-9 ().\-]*")


def zengin(text: str) -> str:
    """The text in characters of the banks, as far as it can be written so.

    ヴィラー・サービス becomes ｳﾞｲﾗ- ｻ-ﾋﾞｽ. What cannot be written stays, for `zengin_fault` to name.
    """
    wide = unicodedata.normalize("NFKC", text)
    kana = jaconv.hira2kata(wide).upper().translate(_SMALL)
    kana = _HYPHENS.sub("-", kana).replace("ヲ", "オ").replace("・", " ").replace("　", " ")
    kana = kana.replace("ヰ", "イ").replace("ヱ", "エ")
    return re.sub(r" +", " ", jaconv.z2h(kana, kana=True, ascii=True, digit=True)).strip()


def zengin_fault(text: str, most: int, field: str, label: str) -> FieldError | None:
    """What is wrong with a name in kana: nothing, a character, or its length in bytes."""
    written = zengin(text)
    if not written:
        return FieldError(field, "KANA_MISSING", f"{label}を入力してください")
    foreign = sorted({one for one in written if not _ALLOWED.fullmatch(one)})
    if foreign:
        shown = "".join(foreign)
        message = f"{label}に銀行で使えない文字があります（{shown}）。カタカナで入力してください"
        return FieldError(field, "KANA_NOT_FOR_BANKS", message)
    if len(written) > most:
        message = f"{label}は濁点を含めて半角{most}文字までです（いま{len(written)}文字）"
        return FieldError(field, "KANA_TOO_LONG", message)
    return None
