"""Form fields of a request, read into values; what cannot be read becomes an error of its field.

Whether a readable value is right is for the service to decide.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from portal_service import formatting
from portal_service.api_client import FieldError, FormRefused
from portal_service.session import MOST_FIELDS

TECHNICAL_FIELDS = frozenset({"csrf", "confirmed", "turned_back"})
"""Fields that the frame adds to a form: no input of the user."""
SHORT_NUMBER = re.compile(r"[0-9]{1,9}")
FormValues = dict[str, str | list[str]]


class FormFields:
    """The fields of one sent form; `errors` collects what could not be read."""

    def __init__(self, form: FormData) -> None:
        self._form = form
        self.errors: list[FieldError] = []

    def text(self, name: str) -> str:
        """A field as typed, without blanks around it; empty if it is not there."""
        value = self._form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def getlist(self, name: str) -> list[str]:
        """Every value of a field that may be there several times."""
        return [value for value in self._form.getlist(name) if isinstance(value, str) and value]

    def files(self, *names: str) -> list[UploadFile]:
        """The files that were chosen in these fields."""
        sent = (value for name in names for value in self._form.getlist(name))
        return [one for one in sent if isinstance(one, UploadFile) and one.filename]

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.text(name))

    def day(self, name: str) -> str | None:
        """A day, as ISO text; None if nothing was typed."""
        return self._read(name, formatting.read_day)

    def month(self, name: str) -> str | None:
        """A month, as ISO text without a day; None if nothing was typed."""
        read = self._read(name, formatting.read_month)
        return read[:7] if read else None

    def number(self, name: str, words: str = "数字で入力してください。") -> int:
        """A whole number; 0 if nothing was typed."""
        entered = unicodedata.normalize("NFKC", self.text(name))
        if not entered:
            return 0
        if not SHORT_NUMBER.fullmatch(entered):
            self.errors.append(FieldError(name, words))
            return 0
        return int(entered)

    def picked(self, name: str) -> list[tuple[str, int]]:
        """The records that were ticked, each with the version that the person saw (0: none)."""
        pairs = [pair.rpartition(":") for pair in self.getlist(name)]
        return [
            (record, int(version) if SHORT_NUMBER.fullmatch(version) else 0)
            for record, _, version in pairs
        ]

    @property
    def confirmed(self) -> bool:
        """Whether the person has already said OK to the question that follows the form."""
        return self.flag("confirmed")

    @property
    def went_back(self) -> bool:
        """Whether the person chose 戻る on the page of the question: the form is wanted again."""
        return self.flag("turned_back")

    @property
    def idempotency_key(self) -> str | None:
        """The form's own key: sent twice, it counts once."""
        return self.text("once") or None

    @property
    def version(self) -> str | None:
        """The version of the record that the person saw; what cannot be one is no version."""
        version = self.text("version")
        return version if version.isascii() and version.isprintable() and version else None

    def refuse_unreadable(self) -> None:
        """Go no further with a form that cannot be read. Raises FormRefused, as a service would."""
        if self.errors:
            raise FormRefused(422, "", "", "", tuple(self.errors))

    def kept(self) -> list[tuple[str, str]]:
        """Every entry, to be carried along by the question or shown again."""
        return [
            (name, value)
            for name, value in self._form.multi_items()
            if isinstance(value, str) and name not in TECHNICAL_FIELDS
        ]

    def values(self, several: Sequence[str] = ()) -> FormValues:
        """The entries by name, as the fields of a form take them; `several` keep all values."""
        single: FormValues = {name: value for name, value in self.kept() if name not in several}
        return single | {name: self.getlist(name) for name in several}

    def _read(self, name: str, read: Callable[[str], date | None]) -> str | None:
        try:
            found = read(self.text(name))
        except formatting.NotReadable as unreadable:
            self.errors.append(FieldError(name, str(unreadable)))
            return None
        return found.isoformat() if found else None


async def form_fields_of(request: Request) -> FormFields:
    """The entries of the form that came with this request."""
    return FormFields(await request.form(max_fields=MOST_FIELDS))
