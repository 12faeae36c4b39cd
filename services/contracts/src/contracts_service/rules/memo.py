"""What may stand in 自由記入欄? (D47). Who reads and writes it: contract_access."""

from shared.errors import FieldError, FormErrors

NOTE_MAX = 2000


def memo_to_save(text: str) -> str:
    """The note as it is stored: line ends made uniform, blanks at the end dropped. Empty clears it.

    Raises:
        FormErrors: more than 2,000 characters.
    """
    note = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if len(note) > NOTE_MAX:
        message = f"自由記入欄は{NOTE_MAX}文字以内で入力してください"
        raise FormErrors(FieldError("note", "NOTE_TOO_LONG", message))
    return note
