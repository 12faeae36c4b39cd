"""What follows a step, in words: who receives it, and whether a mail goes out (D146-D149)."""

import pytest

from returns_service.rules.delegation import decide_as
from returns_service.rules.hq_addresses import MOST_MAILS, check_approver_mails
from returns_service.rules.mail_notice import ASK_APPROVER, Addresses
from returns_service.rules.return_approval import STEPS, decide
from returns_service.rules.return_commands import Action, Approve, Remand, Submit
from returns_service.rules.return_status import Status
from returns_service.rules.step_consequences import (
    NO_MAIL,
    Consequence,
    Mailing,
    People,
    consequence_of,
)
from shared.errors import FormErrors, Refusal

from .actors import BOTH, SATO, SUZUKI, TANAKA, YAMADA, given

PEOPLE = People("山田 太郎", ["佐藤 誠"], ["田中 裕子", "本部 二郎", "本部 三郎"])
NOBODY = Addresses(originator=None, store_approver=None, hq_approvers=())
ASKED = "承認依頼メールを送信します"


APPROVE = Approve(expected_version=7)
REMAND = Remand(expected_version=7, comment="不備")


@pytest.mark.parametrize(
    ("mailing", "mail", "message"),
    [
        (Mailing(NOBODY, store_notice=["sato@example.jp"]), True, ASKED),
        (Mailing(NOBODY), False, f"{NO_MAIL}。{ASK_APPROVER}"),
    ],
)
def test_the_approver_of_the_store_is_asked(mailing: Mailing, mail: bool, message: str) -> None:
    sent = decide(None, Submit(setting=BOTH), YAMADA)
    assert consequence_of(Action.SUBMIT, sent, PEOPLE, mailing) == Consequence(
        "佐藤 誠（店舗承認者）", mail, message
    )


def test_one_of_several_at_headquarters_is_asked() -> None:
    approved = decide(given(Status.STORE_PENDING), APPROVE, SATO)
    without = consequence_of(Action.APPROVE, approved, PEOPLE, Mailing(NOBODY))
    assert (without.receiver, without.mail) == ("田中 裕子 ほか2名（本部承認者）", False)
    there = Addresses(None, None, ("hq@example.jp",))
    assert consequence_of(Action.APPROVE, approved, PEOPLE, Mailing(there)).message == ASKED


def test_a_remand_names_who_receives_it() -> None:
    to_originator = decide(given(Status.STORE_PENDING), REMAND, SATO)
    to_store = decide(given(Status.HQ_PENDING), REMAND, TANAKA)
    nobody_known = People("山田 太郎")
    mailing = Mailing(Addresses("yamada@example.jp", None, ()))
    receivers = [
        consequence_of(Action.REMAND, remanded, people, mailing).receiver
        for remanded, people in (
            (to_originator, PEOPLE),
            (to_store, PEOPLE),
            (to_store, nobody_known),
        )
    ]
    assert receivers == ["山田 太郎（起票者）", "佐藤 誠（店舗承認者）", "店舗承認者"]


def test_the_numbers_of_the_steps_are_kept_in_histories() -> None:
    numbers = [*range(1, 19), 21, 22]
    assert [step.name for step in STEPS] == [f"T{number}" for number in numbers]


def test_of_several_refusals_the_most_specific_is_said() -> None:
    facts = given(Status.HQ_PENDING)
    with pytest.raises(Refusal) as own:
        decide_as(facts, APPROVE, [YAMADA])
    with pytest.raises(Refusal) as stranger:
        decide_as(facts, APPROVE, [SUZUKI])
    assert own.value.code != stranger.value.code
    for actors in ([SUZUKI, YAMADA], [YAMADA, SUZUKI]):
        with pytest.raises(Refusal) as said:
            decide_as(facts, APPROVE, actors)
        assert said.value.code == own.value.code
    assert decide_as(facts, APPROVE, [YAMADA, TANAKA])[1] is TANAKA


def test_each_wrong_address_of_headquarters_is_named_by_its_line() -> None:
    kept = check_approver_mails(["a@example.jp", "", "A@example.jp", "b@example.jp"])
    assert kept == ("a@example.jp", "b@example.jp")
    with pytest.raises(FormErrors) as refused:
        check_approver_mails(["a@example.jp", "nobody", "b@example.jp", "c d@example.jp"])
    assert [(error.field, error.message[:3]) for error in refused.value.fields] == [
        ("hq_mails", "2行目"),
        ("hq_mails", "4行目"),
    ]


@pytest.mark.parametrize("count", [MOST_MAILS, MOST_MAILS + 1])
def test_so_many_addresses_of_headquarters_are_kept(count: int) -> None:
    typed = [f"a{number}@example.jp" for number in range(count)]
    if count <= MOST_MAILS:
        assert check_approver_mails(typed) == tuple(typed)
    else:
        with pytest.raises(FormErrors) as refused:
            check_approver_mails(typed)
        [error] = refused.value.fields
        assert (error.field, error.code) == ("hq_mails", "TOO_MANY_MAILS")
