"""Search conditions in words, for the one line that a search folds to after a hit."""

from collections.abc import Iterable


def search_words(title: str, *conditions: str) -> str:
    """汎用検索：～2027/12、プリウス; conditions that are not given are empty and left out."""
    given = "、".join(condition for condition in conditions if condition)
    return f"{title}：{given}" if given else title


def range_words(first: str, last: str, unit: str = "") -> str:
    """2027/10～2027/12, ～2027/12 or 2027/10～, as it was typed; empty if neither is given."""
    if not first and not last:
        return ""
    ends = (f"{end}{unit}" if end else "" for end in (first, last))
    return "～".join(ends)


def chosen_words(value: str, options: Iterable[tuple[str, str]]) -> str:
    """The words of the option that was chosen from a dropdown."""
    return dict(options).get(value, value)
