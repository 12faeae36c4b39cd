"""Mail texts, word for word: each against its file in golden/."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from notifier_service.mail_templates import MailTemplates
from notifier_service.recipients_client import PassEnd, SubmissionRequest
from notifier_service.rules.recipients import MailKind
from notifier_service.service_api.commuter import SlipPerson

GOLDEN = Path(__file__).parent / "golden"
SENDER = "j-pass_uketsuke@toyota-finance.co.jp"
EXPENSE_SENDER = "keihi@d01.example"
TEMPLATES = MailTemplates(
    product="J-PASS",
    expense_product="楽楽精算",
    portal_url="https://portal.example.jp/",
    sender=SENDER,
    expense_sender=EXPENSE_SENDER,
)


@dataclass(frozen=True)
class ReturnFacts:
    """What a mail about a return needs to know of it."""

    status_japanese: str
    separate_procedure: bool = False
    dealer_id: str = "D01"
    dealer_name: str | None = "東都自動車販売株式会社"
    store_name: str | None = "本店"
    originator_name: str = "山田 太郎"
    submitted_at: str = "2025-07-14T01:05:00Z"
    application_id: str = "A1"


@dataclass(frozen=True)
class RemandFacts:
    """What the mail about a remand needs to know of it."""

    comment: str | None = "受領日をご確認ください。"
    to_level: str = "originator"
    remanded_by: str = "田中 裕子"
    remanded_at: str = "2025-07-15T15:27:00Z"


@dataclass(frozen=True)
class MoveFacts:
    """What the mail about a slip needs to know of its step."""

    by: str = "佐藤 誠"
    at: str = "2026-11-30T01:05:00Z"
    comment: str | None = None


@dataclass(frozen=True)
class Named:
    """A person of a slip."""

    name: str


@dataclass(frozen=True)
class SlipFacts:
    """What a mail about a slip needs to know of it."""

    status_japanese: str
    move: MoveFacts = MoveFacts()
    slip_id: str = "0198"
    title: str = "11月の交通費"
    kind_japanese: str = "交通費精算"
    total_yen: int = 3260
    submitted_at: str = "2026-11-29T01:05:00Z"
    applicant: Named = Named("山田 太郎")
    approver: Named | None = Named("佐藤 誠")


def of_slip(status: str, **move: Any) -> dict[str, Any]:
    slip = SlipFacts(status, MoveFacts(**move))
    return {"slip": slip, "days": 3, "until": date(2026, 12, 2)}


def of_return(status: str, **facts: Any) -> dict[str, Any]:
    application = ReturnFacts(status)
    return {
        "application": application,
        "contract_no": "12345678",
        "remand": None,
        "days": None,
    } | facts


CASES: dict[str, dict[str, Any]] = {
    "M1": of_return("完了"),
    "M2": of_return("店舗承認者手続中", days=7),
    "M3": of_return("担当者手続中（差戻）", remand=RemandFacts()),
    "M4": of_return("本部承認者手続中"),
    "M5": of_return("本部承認者手続中", days=3),
    "N1": of_return("店舗承認者手続中"),
    "C1": {"applicant_name": "営業太郎", "applied_on": date(2018, 1, 16)},
    "C2": {},
    "C4": {
        "one": PassEnd(
            pass_id="P1",
            dealer_id="D01",
            section="東京―新宿",
            ends_on=date(2018, 3, 31),
            holder=SlipPerson(
                person_id="D01-E101",
                name="営業太郎",
                mail="taro@d01.example",
                declined=[],
                left=False,
            ),
            ends=True,
        ),
    },
    "C3": {"reason": "経路が異なります。"},
    "S1": of_slip("承認依頼中"),
    "S2": of_slip("差戻し", comment="領収書を付けてください。"),
    "S3": of_slip("最終承認完了"),
    "S4": of_slip("精算"),
    "S5": of_slip("承認依頼中"),
    "S6": of_slip("否認", comment="私用の移動です。"),
    "S7": {
        "request": SubmissionRequest(
            employee_id="D01-E101",
            dealer_id="D01",
            name="営業太郎",
            mail="taro@d01.example",
            month="2018-01",
            left=False,
            unsubmitted=2,
        )
    },
}


@pytest.mark.rule("D154")
@pytest.mark.parametrize("kind", CASES)
def test_the_words(kind: str) -> None:
    mail_text = TEMPLATES.render(kind, **CASES[kind])
    assert f"{mail_text.subject}\n\n{mail_text.body}" == (GOLDEN / f"{kind}.txt").read_text("utf-8")


@pytest.mark.rule("D154")
@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("M1", "【J-PASS】手続完了のお知らせ（契約番号12345678）"),
        ("M2", "【J-PASS】手続状況ご確認のお願い（契約番号12345678）"),
        ("M3", "【J-PASS】差戻しのお知らせ（契約番号12345678）"),
        ("M4", "【J-PASS】承認のお願い（契約番号12345678）"),
        ("M5", "【J-PASS】承認状況ご確認のお願い（契約番号12345678）"),
        ("N1", "【J-PASS】店舗承認のお願い（契約番号12345678）"),
    ],
)
def test_a_subject_names_product_and_contract_and_nobody(kind: str, subject: str) -> None:
    nosy = {"customer_name": "鈴木 花子", "customer_address": "東京都千代田区"}
    assert TEMPLATES.render(kind, **CASES[kind], **nosy).subject == subject


@pytest.mark.rule("R31", "R32")
@pytest.mark.parametrize(
    ("kind", "subject", "lines"),
    [
        (
            "C1",
            "【楽楽精算】定期区間の申請通知",
            ["営業太郎さんが定期区間を申請しました。", "申請日:2018/01/16"],
        ),
        ("C2", "【楽楽精算】定期区間の確定通知", ["申請していた定期区間が確定されました。"]),
    ],
)
def test_the_commuter_mails_say_what_the_manual_says(
    kind: str, subject: str, lines: list[str]
) -> None:
    mail_text = TEMPLATES.render(kind, **CASES[kind])
    assert mail_text.subject == subject
    assert set(lines) <= set(mail_text.body.splitlines())


@pytest.mark.parametrize("kind", CASES)
def test_the_meaning_of_a_subject_fits_a_phones_list(kind: str) -> None:
    longest = SlipFacts(
        "承認依頼中",
        total_yen=12_345_678,
        kind_japanese="海外出張精算申請",
        applicant=Named("アレクサンドラ・ヴァシリエヴナ・コンスタンチノワ"),
    )
    facts = CASES[kind] | ({"slip": longest} if kind.startswith("S") else {})
    facts |= {"contract_no": "230010000502"} if kind[0] in "MN" else {}
    assert len(TEMPLATES.render(kind, **facts).subject.partition("】")[2]) <= 40


def test_mails_about_passes_and_slips_come_from_an_address_of_their_own() -> None:
    for kind in MailKind:
        expected = EXPENSE_SENDER if kind.value[0] in "CS" else SENDER
        assert TEMPLATES.sender_of(kind) == expected
        body = TEMPLATES.render(kind, **CASES[kind]).body
        assert f"（{expected}）" in body


def test_a_line_break_cannot_get_into_a_subject() -> None:
    sly = CASES["M1"] | {"contract_no": "1\r\nBcc: everybody@example.jp"}
    assert "\n" not in TEMPLATES.render("M1", **sly).subject
    assert "\r" not in TEMPLATES.render("M1", **sly).subject


def test_the_body_shows_the_link_and_where_to_expect_mails_from() -> None:
    body = TEMPLATES.render("M4", **CASES["M4"]).body
    assert "https://portal.example.jp/returns/A1" in body
    assert SENDER in body


def test_a_remand_without_words_says_so_and_where_to_look() -> None:
    silent = CASES["M3"] | {"remand": RemandFacts(comment=None)}
    said = "差戻しの理由：記載がありません。申込の履歴をご確認ください。"
    assert said in TEMPLATES.render("M3", **silent).body


@pytest.mark.rule("D78")
def test_completion_does_not_end_a_contract_that_needs_a_separate_procedure() -> None:
    plain = TEMPLATES.render("M1", **CASES["M1"]).body
    application = ReturnFacts("完了", separate_procedure=True)
    separate = TEMPLATES.render("M1", **CASES["M1"] | {"application": application}).body
    assert "本契約は車両返却のほかに別途お手続きが必要です。" in separate
    assert "車両返却のお手続きが完了しました。" not in separate
    assert "車両返却のお手続きが完了しました。" in plain
    assert "別途" not in plain


def test_a_mail_says_which_store_and_who_sent_it_when() -> None:
    lines = TEMPLATES.render("M4", **CASES["M4"]).body.splitlines()
    assert "店舗　　　　：本店" in lines
    assert "起票者　　　：山田 太郎" in lines
    assert "送信日　　　：2025/07/14(月)" in lines


def test_a_remand_says_who_remanded_when_in_japan() -> None:
    lines = TEMPLATES.render("M3", **CASES["M3"]).body.splitlines()
    assert "差戻した方　：田中 裕子" in lines
    assert "差戻し日時　：2025/07/16(水) 00:27" in lines
