"""Word list: refuses words that are not the field's own, in code, comments, docs and pages.

Run by `./dev check`. Each word comes with what to write in its place. A word is found inside an
identifier, too (`told_at`), unless WIRE lists the identifier: tables, columns and event fields keep
their names. Migrations and recorded results are history and are left out.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

WORDS: Mapping[str, str] = {
    "told": "notified, published, returned",
    "tells of": "describes, reports",
    "hears of": "receives",
    "whoever": "the person who",
    "whosoever": "the person who",
    "anew": "again",
    "himself": "themselves",
    "he": "they",
    "him": "them",
    "his": "their",
    "nobody may": "no user may, not allowed",
    "as one likes": "any number of",
    "so many": "the number",
    "rings": "notifies",
    "knocks": "calls, requests",
    "the house": "the system",
}
WIRE = frozenset({"told_at", "told_yen", "store_notice_told"})
"""Identifiers of the wire and of tables that contain a listed word."""

CHECKED = (".py", ".md", ".html", ".j2", ".js", ".css", ".toml", ".yml", ".yaml", ".conf", ".sh")
CHECKED_NAMES = ("dev", "Dockerfile")
LEFT_OUT = re.compile(
    r"(^|/)(migrations/versions|results|feeds|golden)/|^docs/rules\.md$|^tools/word_list\.py$"
    r"|^tests/tools/test_word_list\.py$"
)
_PARTS = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(WORDS, key=len)[::-1])
_WORD = re.compile(rf"(?<![A-Za-z])({_PARTS})(?![A-Za-z])", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One listed word at one place."""

    file: str
    line: int
    word: str

    def __str__(self) -> str:
        """A line as compilers write them."""
        return f"{self.file}:{self.line}: '{self.word}': write {WORDS[self.word]}"


def find_words(file: str, text: str) -> Iterator[Finding]:
    """The listed words of a text, also where a line break parts two of them."""
    known = [m.span() for m in _IDENTIFIER.finditer(text) if m[0] in WIRE]
    for found in _WORD.finditer(text):
        if any(start <= found.start() < end for start, end in known):
            continue
        word = " ".join(found[1].lower().split())
        yield Finding(file, text.count("\n", 0, found.start()) + 1, word)


def checked_files(root: Path) -> list[str]:
    """The tracked files whose words are checked."""
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [
        file
        for file in listed
        if (file.endswith(CHECKED) or file in CHECKED_NAMES)
        and not LEFT_OUT.search(file)
        and (root / file).is_file()
    ]


def check(root: Path, files: Sequence[str]) -> list[Finding]:
    """All findings in these files."""
    return [
        finding
        for file in files
        for finding in find_words(file, (root / file).read_text(encoding="utf-8"))
    ]


def main() -> int:
    """Print each finding; 1 where there is one."""
    files = sys.argv[1:] or checked_files(ROOT)
    found = check(ROOT, files)
    sys.stdout.writelines(f"{finding}\n" for finding in found)
    if found:
        sys.stdout.write(f"{len(found)} words to replace in {len({f.file for f in found})} files\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
