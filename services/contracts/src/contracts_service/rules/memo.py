"""Memo (自由記入欄): valid texts (D47); contract_access decides who reads and writes it."""

from shared.errors import FieldError, FormErrors

NOTE_MAX = 2000


def memo_to_save(text: str) -> str:
    """The memo as stored: uniform line ends, no trailing blanks. Empty clears it.

    Raises:
        FormErrors: more than 2,000 characters.
    """
    note = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if len(note) > NOTE_MAX:
        message = f"自由記入欄は{NOTE_MAX}文字以内で入力してください"
        raise FormErrors(FieldError("note", "NOTE_TOO_LONG", message))
    return note
