"""Checker: was every due mail sent or marked unknown, and none sent twice?

Pure: takes the due mails, the ledger and the mails that the server accepted; returns counts.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from resilience.mail_faults.mail_cases import Due


class Entry(NamedTuple):
    """A row of the ledger."""

    application_id: str
    mail_kind: str
    address: str | None
    state: str
    message_id: str | None


class Taken(NamedTuple):
    """A mail that the mail server accepted."""

    message_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of a run. `sent` to `refused` and `unknown_taken` are not faults; the rest is.

    lost        due, and neither sent nor unknown in the ledger (or not failed where it had to be)
    sent_twice  accepted more than once
    untrue      sent in the ledger and never accepted, or accepted and neither sent nor unknown
    not_due     accepted although not due
    unsettled   still scheduled or being sent at the end
    """

    due: int
    sent: int
    unknown: int
    unknown_taken: int
    refused: int
    lost: int
    sent_twice: int
    untrue: int
    not_due: int
    unsettled: int

    @property
    def sound(self) -> bool:
        """Whether every guarantee held."""
        return not (self.lost or self.sent_twice or self.untrue or self.not_due or self.unsettled)


def judge(due: Iterable[Due], mail_log: Iterable[Entry], taken: Iterable[Taken]) -> Verdict:
    """Compare ledger and mail server with the due mails."""
    wanted = {(one.application_id, one.mail_kind, one.address): one.refused for one in due}
    rows = list(mail_log)
    state_of = {(row.application_id, row.mail_kind, row.address or ""): row.state for row in rows}
    times = Counter(taken)
    state_of_mail = {Taken(row.message_id or "", row.address or ""): row.state for row in rows}
    expected = {key for key, refused in wanted.items() if not refused}
    unknown = {mail for mail, state in state_of_mail.items() if state == "unknown"}
    known_due = {
        Taken(row.message_id or "", row.address or "")
        for row in rows
        if (row.application_id, row.mail_kind, row.address or "") in expected
    }
    good = {"sent", "unknown"}
    return Verdict(
        due=len(wanted),
        sent=sum(state == "sent" for state in state_of.values()),
        unknown=len(unknown),
        unknown_taken=len(unknown & times.keys()),
        refused=sum(state_of.get(key) == "failed" for key in wanted if key not in expected),
        lost=sum(
            state_of.get(key) not in (good if key in expected else {"failed", "unknown"})
            for key in wanted
        ),
        sent_twice=sum(count - 1 for count in times.values()),
        untrue=sum(mail not in times for mail, s in state_of_mail.items() if s == "sent")
        + sum(state_of_mail.get(mail, "sent") not in good for mail in times),
        not_due=len(times.keys() - known_due),
        unsettled=sum(row.state in {"scheduled", "sending"} for row in rows),
    )
