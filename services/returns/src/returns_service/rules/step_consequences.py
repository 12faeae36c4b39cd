"""What follows a step, said before it is taken: who receives it, and whether a mail goes out.

D96, D120, D146-D149: the same conditions as those of the mails themselves, in words for a dialog.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from returns_service.rules.approval_route import Level
from returns_service.rules.mail_notice import ASK_APPROVER, Addresses, remand_notice
from returns_service.rules.return_approval import By, Outcome
from returns_service.rules.return_commands import Action
from returns_service.rules.return_status import Status

NO_MAIL = "メールは送信されません"
_TFC = "トヨタファイナンス"
_STORE, _HQ, _ORIGINATOR = "店舗承認者", "本部承認者", "起票者"


@dataclass(frozen=True)
class People:
    """Names of those who may receive an application next."""

    originator: str
    store_approvers: Sequence[str] = ()
    hq_approvers: Sequence[str] = ()


@dataclass(frozen=True)
class Mailing:
    """The addresses known now, and what else decides about a mail.

    `store_notice` are the addresses of a store's approvers where the dealer wishes their notice
    (N1); `completion_mail` is the box for the mail at 完了 (D87).
    """

    addresses: Addresses
    store_notice: Sequence[str] = ()
    completion_mail: bool = False


@dataclass(frozen=True)
class Consequence:
    """Who receives the application, if another person does, and whether a mail goes to them."""

    receiver: str | None
    mail: bool
    message: str


def consequence_of(
    action: Action, outcome: Outcome, people: People, mailing: Mailing
) -> Consequence:
    """What follows a step with this outcome."""
    addresses = mailing.addresses
    if remand := remand_notice(outcome, addresses):
        receiver = _receiver_of_remand(outcome.remanded_to, people)
        message = remand.message or "差戻しメールを送信します"
        return Consequence(receiver, remand.mail_will_be_sent, message)
    if outcome.approval_requested is Level.STORE:
        receiver = _named(people.store_approvers, _STORE)
        return _approval(receiver, sent=bool(mailing.store_notice))
    if outcome.approval_requested is Level.HQ:
        receiver = _named(people.hq_approvers, _HQ)
        return _approval(receiver, sent=any(addresses.hq_approvers))
    if action is Action.COMPLETE:
        there = addresses.originator and By.ORIGINATOR not in addresses.left
        sent = bool(mailing.completion_mail and there)
        message = "起票者と承認者へ手続完了メールを送信します" if sent else NO_MAIL
        return Consequence(None, sent, message)
    moves_to_tfc = outcome.moves and outcome.status is Status.REQUESTED
    return Consequence(_TFC if moves_to_tfc else None, mail=False, message=NO_MAIL)


def _approval(receiver: str, *, sent: bool) -> Consequence:
    message = "承認依頼メールを送信します" if sent else f"{NO_MAIL}。{ASK_APPROVER}"
    return Consequence(receiver, sent, message)


def _receiver_of_remand(to: By | None, people: People) -> str:
    match to:
        case By.STORE_APPROVER:
            return _named(people.store_approvers, _STORE)
        case By.HQ_APPROVER:
            return _named(people.hq_approvers, _HQ)
        case _:
            return f"{people.originator}（{_ORIGINATOR}）"


def _named(names: Sequence[str], title: str) -> str:
    """佐藤 和子（店舗承認者）, with ほか1名 for each further one; the title alone without names."""
    if not names:
        return title
    more = f" ほか{len(names) - 1}名" if names[1:] else ""
    return f"{names[0]}{more}（{title}）"
