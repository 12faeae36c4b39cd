"""Import notices: what of a feed was left out or read differently, with file, row and remedy.

Many rows with one fault make one notice: the first row, and how many more there are.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact about a file of the feed, in Japanese; `row` is its line number, 0 for the file."""

    file: str
    row: int
    fact: str
    remedy: str
    rows: int = 1

    def __str__(self) -> str:
        """One line: file, row, fact, remedy."""
        place = f"{self.file}.txt" if self.file else ""
        if self.row:
            place += f" {self.row}行目"
        if self.rows > 1:
            place += f"(ほか{self.rows - 1:,}件)"
        return f"{place}: {self.fact}。→ {self.remedy}"


class Notices:
    """Collects notices; equal facts about one file are counted, not repeated."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[int, str, int]] = {}

    def add(self, file: str, row: int, fact: str, remedy: str, *, example: str = "") -> None:
        """Record a fact; `example` names the first case and does not tell facts apart."""
        key = (file, fact, remedy)
        first, said, count = self._found.get(key, (row, example, 0))
        self._found[key] = (first, said, count + 1)

    def all(self) -> tuple[Notice, ...]:
        """The notices in the order of their first row read."""
        return tuple(
            Notice(file, row, f"{fact}({said})" if said else fact, remedy, count)
            for (file, fact, remedy), (row, said, count) in self._found.items()
        )
