"""Mail templates: one per kind, with a subject and a text body. D154, R31, R32.

A subject names the product and the contract, never a customer: it shows on locked screens. That of
a slip names the employee and the amount.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from notifier_service.rules.recipients import PASS_MAILS, SLIP_MAILS, MailKind
from shared.clock import JST, jst_day

OF_EXPENSES = PASS_MAILS | SLIP_MAILS | {MailKind.SUBMISSION_REQUESTED, MailKind.PASS_ENDING}
WEEKDAYS = "月火水木金土日"
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A rendered mail; `subject` is one line."""

    subject: str
    body: str


class MailTemplates:
    """Renders the mails.

    `product` is in the subjects' brackets, `expense_product` in those of the mails about passes
    and slips; likewise `sender` and `expense_sender`, the addresses that recipients should allow
    (D145). `portal_url` is where the links lead.
    """

    def __init__(
        self,
        *,
        product: str,
        expense_product: str,
        portal_url: str,
        sender: str,
        expense_sender: str,
    ) -> None:
        self._sender, self._expense_sender = sender, expense_sender
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
            expense_sender=expense_sender,
        )
        self._templates.filters.update(day=_day, month=_month, moment=_moment, yen=_yen, cut=_cut)

    def sender_of(self, kind: MailKind) -> str:
        """From of a mail."""
        return self._expense_sender if kind in OF_EXPENSES else self._sender

    def render(self, kind: str, **facts: object) -> RenderedMail:
        """The mail of `kind`; `applications` where it is about several.

        Raises UndefinedError where a fact is missing.
        """
        several = "-several" if "applications" in facts else ""
        template = self._templates.get_template(f"{kind}{several}.txt.j2")
        subject = "".join(template.blocks["subject"](template.new_context(facts)))
        return RenderedMail(CONTROL.sub(" ", subject).strip(), template.render(facts))


def _day(instant: str | date) -> str:
    """2026/11/29(日), in Japan, of an instant in ISO form or a day."""
    on = jst_day(datetime.fromisoformat(instant)) if isinstance(instant, str) else instant
    return f"{on:%Y/%m/%d}({WEEKDAYS[on.weekday()]})"


def _month(month: str) -> str:
    """2026年7月, of 2026-07."""
    year, number = month.split("-")
    return f"{year}年{int(number)}月"


def _moment(instant: str) -> str:
    """2026/11/29(日) 18:27, in Japan, of an instant in ISO form."""
    return f"{_day(instant)} {datetime.fromisoformat(instant).astimezone(JST):%H:%M}"


def _yen(amount: int) -> str:
    """3,260円."""
    return f"{amount:,}円"


def _cut(words: str, most: int) -> str:
    """Words of a person, short enough for a subject."""
    return words if len(words) <= most else f"{words[: most - 1]}…"
