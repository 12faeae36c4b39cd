"""One cell of a table: `t.cell` of the templates.

A list of a hundred rows has a thousand of them, which is why they are a function and not a macro
(docs/performance.md).
"""

from collections.abc import Callable
from functools import lru_cache

from markupsafe import Markup, escape


def table_cell(  # noqa: PLR0913  everything but the first two has a name
    label: str,
    value: object = "",
    *,
    figures: bool = False,
    head: bool = False,
    link: str | None = None,
    blank: str = "ー",
    card: str | None = None,
    caller: Callable[[], str] | None = None,
) -> Markup:
    """The cell `label` with a value, or with what stands between `call` and `endcall`.

    `figures` right-aligns, `head` makes it the row's name, `link` a link; `blank` is shown if it
    is empty; `card` is its place on a phone's card: name, chip, line, foot or end.
    """
    begin, end = _frame(label, figures, head, card)
    if caller is not None:
        content = f"<span>{caller()}</span>"
    elif link:
        content = f'<a href="{escape(link)}">{escape(value)}</a>'
    else:
        content = escape(blank if value is None or value == "" else value)
    return Markup(f"{begin}{content}{end}")  # noqa: S704  every part is escaped


@lru_cache(maxsize=1024)
def _frame(label: str, figures: bool, head: bool, card: str | None) -> tuple[str, str]:
    classes = " ".join(filter(None, ("figures" if figures else "", f"card-{card}" if card else "")))
    name, scope = ("th", " scope=row") if head else ("td", "")
    marked = f' class="{escape(classes)}"' if classes else ""
    return f'<{name}{scope} data-label="{escape(label)}"{marked}>', f"</{name}>"
