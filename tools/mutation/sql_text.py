"""Mutants of the SQL that stands in strings: conditions, comparisons and assignments."""

import re
from collections.abc import Iterator

_SQL = re.compile(r"\b(SELECT\s.+\sFROM|UPDATE\s.+\sSET|INSERT INTO|DELETE FROM)\b", re.DOTALL)
_WORD = r"[^()\s\"]+(?:\([^()]*\))?"
_ENDS = r"(?:AND|OR|ORDER|GROUP|FOR|RETURNING|LIMIT)\b"
_CONDITION = re.compile(rf"\s+AND\s+(?:\([^()]*\)|{_WORD}(?:\s+(?!{_ENDS}){_WORD})*)")
_ASSIGNMENTS = (
    re.compile(r"(?<=SET )\w+ = [^,()\n]+,\s*"),
    re.compile(r",\s+\w+ = (?:NULL|0|'\w+')(?=[\s,])"),
)
_REPLACED = (
    (re.compile(r"(?<=\s)<=(?=\s)"), "<"),
    (re.compile(r"(?<=\s)>=(?=\s)"), ">"),
    (re.compile(r"(?<=\s)<(?=\s)"), "<="),
    (re.compile(r"(?<=\s)>(?=\s)"), ">="),
    (re.compile(r"\bIS NOT NULL\b"), "IS NULL"),
    (re.compile(r"\bIS NULL\b"), "IS NOT NULL"),
    (re.compile(r"\bNOT EXISTS\b"), "EXISTS"),
    (re.compile(r"\bleast\("), "greatest("),
    (re.compile(r"\bDESC\b"), "ASC"),
)


def is_sql(text: str) -> bool:
    """Whether a string is a statement."""
    return _SQL.search(text) is not None


def mutations(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Each as where it starts and ends in the text, what stands there then, and its kind."""
    if not is_sql(text):
        return
    for found in _CONDITION.finditer(text):
        yield found.start(), found.end(), "", "SQL condition dropped"
    for pattern in _ASSIGNMENTS:
        for found in pattern.finditer(text):
            yield found.start(), found.end(), "", "SQL assignment dropped"
    for pattern, instead in _REPLACED:
        for found in pattern.finditer(text):
            yield found.start(), found.end(), instead, "SQL operator"
