"""Mail preferences: which mails about slips an employee may decline, and the one of R122.

Not in the manual. The manual's mails about commuter passes cannot be declined (R29, R32).
"""

from enum import StrEnum


class SlipMail(StrEnum):
    """One sort of mail about slips, or of a pass that ends, as a person wants it or not."""

    APPROVAL = "approval"
    WAITING = "waiting"
    REMANDED = "remanded"
    APPROVED = "approved"
    SETTLED = "settled"
    PASS_ENDING = "pass_ending"  # noqa: S105 - a commuter pass

    @property
    def label_ja(self) -> str:
        """When the mail comes, as the page says it below the heading of its group."""
        return MAIL_LABELS[self]

    @property
    def for_approvers(self) -> bool:
        """Whether it goes to the approver; the others go to the applicant."""
        return self in {SlipMail.APPROVAL, SlipMail.WAITING}


MAIL_LABELS = {
    SlipMail.APPROVAL: "承認を依頼されたとき",
    SlipMail.WAITING: "承認待ちの日が続いているとき",
    SlipMail.REMANDED: "差し戻されたとき、否認されたとき",
    SlipMail.APPROVED: "承認が完了したとき",
    SlipMail.SETTLED: "精算されたとき",
    SlipMail.PASS_ENDING: "定期区間の終了日が近いとき",
}


def declined_of(wanted: frozenset[SlipMail]) -> tuple[SlipMail, ...]:
    """What is declined where these are wanted, in the order of the page."""
    return tuple(mail for mail in SlipMail if mail not in wanted)
