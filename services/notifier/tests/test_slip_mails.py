"""Mails about slips: each step to the person it concerns, reminders, wishes, duplicates."""

from datetime import datetime
from typing import Any

import pytest

from event_contracts.commuter import SlipMoved, SubmissionRequested
from notifier_service.rules.recipients import MailKind
from notifier_service.rules.slip_mails import WISHES, mail_of_move
from shared.clock import JST
from shared.testing.stepwise import drain

TARO, SATO, TANAKA = "taro@d01.example", "sato@d01.example", "tanaka@d01.example"
SUBMITTED = "【楽楽精算】精算書の承認のお願い（山田 太郎さん 3,260円）"
WAITING = "【楽楽精算】精算書の承認状況ご確認（山田 太郎さん 3,260円）"


def person(name: str, mail: str | None, *declined: str) -> dict[str, Any]:
    return {"person_id": name, "name": name, "mail": mail, "declined": list(declined)}


def november(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=JST)


class Desk:
    """The commuter service with one slip of 山田, as it stands after each step."""

    def __init__(self, notifier: Any) -> None:
        self.notifier = notifier
        self.moves = 0

    async def move(
        self, step: str, status: str, *, times: int = 1, comment: str | None = None, **known: Any
    ) -> None:
        """A step of the slip, and its event, which may come several times."""
        applications = self.notifier.desk.applications
        for earlier in applications.values():
            earlier["is_latest"] = False
        self.moves += 1
        move_id, now = f"move-{self.moves}", self.notifier.clock.now()
        applications[move_id] = {
            "slip_id": "E1",
            "dealer_id": "D01",
            "title": "11月の交通費",
            "kind_japanese": "交通費精算",
            "total_yen": 3260,
            "status": status,
            "status_japanese": "（状態）",
            "submitted_at": now.isoformat(),
            "applicant": person("山田 太郎", TARO),
            "approver": person("佐藤 誠", SATO) if status == "pending" else None,
            "move": {"step": step, "by": "佐藤 誠", "at": now.isoformat(), "comment": comment},
            "is_latest": True,
        } | known
        event = SlipMoved(
            dealer_id="D01",
            slip_id="E1",
            employee_id="D01-E101",
            status=status,
            total_yen=3260,
            step=step,
            move_id=move_id,
        )
        envelope = self.notifier.envelope(event, now)
        self.notifier.heard.append(envelope)
        for _ in range(times):
            await self.notifier.running.inbox.store([envelope])
            await drain(self.notifier.running.worker)
        assert await self.notifier.running.inbox.dead_letters() == []

    async def submit(self, **known: Any) -> None:
        await self.move("submit", "pending", **known)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Address and subject of each mail, in order."""
        return [(str(m["To"]), str(m["Subject"])) for m in self.notifier.host.mails]


@pytest.fixture
def desk_of_slip(notifier: Any) -> Desk:
    notifier.clock.travel_to(november(24))
    return Desk(notifier)


async def send(notifier: Any) -> None:
    await notifier.sender().send_due()


@pytest.mark.parametrize(
    ("step", "status", "kind"),
    [
        ("submit", "pending", MailKind.SLIP_SUBMITTED),
        ("approve", "pending", MailKind.SLIP_SUBMITTED),
        ("approve", "approved", MailKind.SLIP_APPROVED),
        ("remand", "remanded", MailKind.SLIP_REMANDED),
        ("reject", "rejected", MailKind.SLIP_REJECTED),
        ("settle", "settled", MailKind.SLIP_SETTLED),
        ("withdraw", "withdrawn", None),
        ("a step of a later release", "approved", None),
        ("a step of a later release", "pending", None),
        (None, "approved", None),
        (None, "pending", None),
    ],
)
def test_each_step_makes_its_mail_due(step: str | None, status: str, kind: MailKind | None) -> None:
    assert mail_of_move(step, status) is kind


async def test_the_life_of_a_slip_in_mails(notifier: Any, desk_of_slip: Desk) -> None:
    desk = desk_of_slip
    await desk.submit()
    await send(notifier)
    await desk.move("remand", "remanded", comment="領収書を付けてください。")
    await send(notifier)
    await desk.submit()
    await send(notifier)
    await desk.move("remand", "remanded", comment="日付が違います。")
    await send(notifier)
    await desk.submit()
    await send(notifier)
    await desk.move("approve", "pending", approver=person("田中 裕子", TANAKA))
    await send(notifier)
    await desk.move("approve", "approved")
    await send(notifier)
    await desk.move("settle", "settled")
    await send(notifier)
    remanded = "【楽楽精算】精算書の差戻しのお知らせ（交通費精算 3,260円）"
    assert desk.sent == [
        (SATO, SUBMITTED),
        (TARO, remanded),
        (SATO, SUBMITTED),
        (TARO, remanded),
        (SATO, SUBMITTED),
        (TANAKA, SUBMITTED),
        (TARO, "【楽楽精算】精算書の承認完了のお知らせ（交通費精算 3,260円）"),
        (TARO, "【楽楽精算】精算のお知らせ（交通費精算 3,260円）"),
    ]
    first, second = (m.get_content() for m in notifier.host.mails if m["Subject"] == remanded)
    assert "差戻しの理由：領収書を付けてください。" in first
    assert "差戻しの理由：日付が違います。" in second
    assert "https://portal.example.jp/commuter/slips/E1" in first
    assert {str(m["From"]) for m in notifier.host.mails} == {"keihi@d01.example"}


async def test_an_event_that_comes_again_mails_nobody_again(
    notifier: Any, desk_of_slip: Desk
) -> None:
    desk = desk_of_slip
    await desk.move("submit", "pending", times=3)
    await send(notifier)
    await desk.move("remand", "remanded", times=2, comment="日付が違います。")
    await send(notifier)
    await notifier.receive_all_again()
    await send(notifier)
    assert [to for to, _ in desk.sent] == [SATO, TARO]


async def test_an_approver_is_reminded_once_after_three_days(
    notifier: Any, desk_of_slip: Desk
) -> None:
    desk = desk_of_slip
    await desk.submit()
    await send(notifier)
    notifier.host.mails.clear()
    await notifier.travel_to(november(27, 8))
    assert desk.sent == []
    for day in (27, 28, 30):
        await notifier.travel_to(november(day, 9))
    assert desk.sent == [(SATO, WAITING)]
    assert "3日間、承認待ちのまま" in notifier.host.mails[0].get_content()


@pytest.mark.parametrize(
    ("step", "status"), [("remand", "remanded"), ("withdraw", "withdrawn"), ("approve", "approved")]
)
async def test_a_slip_that_moved_on_reminds_nobody(
    notifier: Any, desk_of_slip: Desk, step: str, status: str
) -> None:
    await desk_of_slip.submit()
    await desk_of_slip.move(step, status)
    await send(notifier)
    await notifier.travel_to(november(30, 9))
    assert not [subject for _, subject in desk_of_slip.sent if "ご確認" in subject]


async def test_each_approver_is_given_three_days(notifier: Any, desk_of_slip: Desk) -> None:
    desk = desk_of_slip
    await desk.submit()
    await notifier.travel_to(november(26, 12))
    await desk.move("approve", "pending", approver=person("田中 裕子", TANAKA))
    await notifier.travel_to(november(28, 23))
    assert [subject for _, subject in desk.sent if subject == WAITING] == []
    await notifier.travel_to(november(29, 9))
    assert desk.sent[-1] == (TANAKA, WAITING)


async def test_who_was_asked_too_late_is_not_asked(notifier: Any, desk_of_slip: Desk) -> None:
    notifier.host.close()
    await desk_of_slip.submit()
    await send(notifier)
    await desk_of_slip.move("withdraw", "withdrawn")
    notifier.host.open()
    notifier.desk.applications["move-1"]["is_latest"] = False
    await notifier.at_once()
    await send(notifier)
    assert desk_of_slip.sent == []
    assert await notifier.ledger() == [("S1", "approver", "suppressed", "status_left")]


@pytest.mark.parametrize("wish", sorted(WISHES.keys() - {"pass_ending"}))
async def test_nobody_gets_a_mail_that_they_declined(
    notifier: Any, desk_of_slip: Desk, wish: str
) -> None:
    desk = desk_of_slip
    people: dict[str, Any] = {
        "applicant": person("山田 太郎", TARO, wish),
        "approver": person("佐藤 誠", SATO, wish),
    }
    await desk.move("submit", "pending", **people)
    await notifier.travel_to(november(27, 9))
    for step, status in (("remand", "remanded"), ("approve", "approved"), ("settle", "settled")):
        await desk.move(step, status, applicant=people["applicant"])
    await send(notifier)
    declined = await notifier.rows("SELECT mail_kind FROM mail WHERE reason = 'opted_out'")
    others = await notifier.rows("SELECT mail_kind FROM mail WHERE state = 'sent'")
    assert {kind for (kind,) in declined} == {k.value for k in WISHES[wish]} - {"S6"}
    assert len(declined) + len(others) == 5


async def test_a_wish_of_the_applicant_is_not_the_approvers(
    notifier: Any, desk_of_slip: Desk
) -> None:
    await desk_of_slip.submit(applicant=person("山田 太郎", TARO, "approval"))
    await send(notifier)
    assert desk_of_slip.sent == [(SATO, SUBMITTED)]


async def test_without_an_address_the_ledger_says_so(notifier: Any, desk_of_slip: Desk) -> None:
    await desk_of_slip.submit(approver=person("佐藤 誠", None))
    await send(notifier)
    assert await notifier.ledger() == [("S1", "approver", "suppressed", "no_address")]
    assert await notifier.sent_mails() == [("mail.suppressed.v1", "administrator", "no_address")]


async def test_slips_of_before_cause_no_mail(notifier: Any) -> None:
    event = SlipMoved(
        dealer_id="D01", slip_id="E1", employee_id="D01-E101", status="pending", total_yen=1
    )
    await notifier.running.inbox.store([notifier.envelope(event, notifier.clock.now())])
    await drain(notifier.running.worker)
    assert await notifier.running.inbox.dead_letters() == []
    assert await notifier.ledger() == []
    assert await notifier.rows("SELECT kind FROM timer") == []


async def request_submission(notifier: Any, unsubmitted: int, *, times: int = 1) -> None:
    """Accounting asks 山田 to submit what is missing in October."""
    notifier.desk.applications["2026-10"] = {
        "employee_id": "D01-E101", "dealer_id": "D01", "name": "山田 太郎", "mail": TARO,
        "month": "2026-10", "unsubmitted": unsubmitted,
    }  # fmt: skip
    event = SubmissionRequested(dealer_id="D01", month="2026-10", employee_id="D01-E101", slips=2)
    envelope = notifier.envelope(event, notifier.clock.now())
    for _ in range(times):
        await notifier.running.inbox.store([envelope])
        await drain(notifier.running.worker)
    assert await notifier.running.inbox.dead_letters() == []
    await send(notifier)


@pytest.mark.rule("R96")
async def test_a_request_to_submit_is_mailed_once(notifier: Any, desk_of_slip: Desk) -> None:
    await request_submission(notifier, 2, times=2)
    subject = "【楽楽精算】2026年10月分の精算書の提出のお願い（2件）"
    assert desk_of_slip.sent == [(TARO, subject)]
    await request_submission(notifier, 1)
    assert [to for to, _ in desk_of_slip.sent] == [TARO, TARO]


@pytest.mark.rule("R96")
async def test_who_has_submitted_meanwhile_is_not_asked(notifier: Any, desk_of_slip: Desk) -> None:
    await request_submission(notifier, 0)
    assert desk_of_slip.sent == []
    assert await notifier.ledger("state", "reason") == [("suppressed", "status_left")]
