"""Mail templates: one per kind, with a subject and a text body. D154, R31, R32.

A subject names the product and the contract, never a customer: it shows on locked screens.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from shared.clock import JST, jst_day

WEEKDAYS = "月火水木金土日"
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A rendered mail; `subject` is one line."""

    subject: str
    body: str


class MailTemplates:
    """Renders the mails.

    `product` is in the subjects' brackets, `expense_product` in those of the commuter mails;
    `portal_url` is where the links lead, `sender` the address that recipients should allow (D145).
    """

    def __init__(self, *, product: str, expense_product: str, portal_url: str, sender: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("notifier_service"),
            autoescape=False,  # noqa: S701  plain text mails
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._templates.globals.update(
            product=product,
            expense_product=expense_product,
            portal_url=portal_url.rstrip("/"),
            sender=sender,
        )
        self._templates.filters.update(day=_day, moment=_moment)

    def render(self, kind: str, **facts: object) -> RenderedMail:
        """The mail of `kind` (M1–M5, N1, C1–C3); raises UndefinedError where a fact is missing."""
        template = self._templates.get_template(f"{kind}.txt.j2")
        subject = "".join(template.blocks["subject"](template.new_context(facts)))
        return RenderedMail(CONTROL.sub(" ", subject).strip(), template.render(facts))


def _day(instant: str) -> str:
    """2026/11/29(日), in Japan, of an instant in ISO form."""
    on = jst_day(datetime.fromisoformat(instant))
    return f"{on:%Y/%m/%d}({WEEKDAYS[on.weekday()]})"


def _moment(instant: str) -> str:
    """2026/11/29(日) 18:27, in Japan, of an instant in ISO form."""
    return f"{_day(instant)} {datetime.fromisoformat(instant).astimezone(JST):%H:%M}"
