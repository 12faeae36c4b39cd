"""Free text of return applications: comments and notes (D113, D115, T13-T17).

Line breaks are kept as LF, other control characters are refused, blank text counts as none.
"""

from shared.errors import Kind, Refusal
from shared.text_safety import is_safe_text

DEALER_TEXT_CHARS = 500
TFC_TEXT_CHARS = 2_000


class TextTooLong(Refusal):
    """The text has more characters than the field takes."""

    code = "TEXT_TOO_LONG"
    kind = Kind.INVALID
    message = "文字数が多すぎます"


class TextUnprintable(Refusal):
    """The text contains control characters."""

    code = "TEXT_UNPRINTABLE"
    kind = Kind.INVALID
    message = "使用できない文字（制御文字）が含まれています"


def clean_text(text: str | None, *, limit: int) -> str | None:
    """The text as it is kept, or None where it is blank; `limit` in characters.

    Raises TextTooLong or TextUnprintable.
    """
    kept = (text or "").replace("\r\n", "\n").replace("\r", "\n").strip(" \n\t\u3000")
    if not is_safe_text(kept, also="\n\t"):
        raise TextUnprintable
    if len(kept) > limit:
        raise TextTooLong(f"{limit}文字以内で入力してください")
    return kept or None
