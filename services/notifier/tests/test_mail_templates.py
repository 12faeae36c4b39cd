"""Mail texts, word for word: each against its file in golden/."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from notifier_service.mail_templates import MailTemplates

GOLDEN = Path(__file__).parent / "golden"
SENDER = "j-pass_uketsuke@toyota-finance.co.jp"
TEMPLATES = MailTemplates(
    product="J-PASS",
    expense_product="楽楽精算",
    portal_url="https://portal.example.jp/",
    sender=SENDER,
)
RETURN = {
    "dealer_name": "東都自動車販売株式会社",
    "contract_no": "12345678",
    "application_id": "A1",
    "days": None,
    "reason": None,
}
REASON = "受領日をご確認ください。"
CASES: dict[str, dict[str, Any]] = {
    "M1": RETURN | {"status": "完了"},
    "M2": RETURN | {"status": "店舗承認者手続中", "days": 7},
    "M3": RETURN | {"status": "担当者手続中（差戻）", "reason": REASON},
    "M4": RETURN | {"status": "本部承認者手続中"},
    "M5": RETURN | {"status": "本部承認者手続中", "days": 3},
    "N1": RETURN | {"status": "店舗承認者手続中"},
    "C1": {"applicant_name": "営業太郎", "applied_on": date(2018, 1, 16)},
    "C2": {},
    "C3": {"reason": "経路が異なります。"},
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


def test_a_line_break_cannot_get_into_a_subject() -> None:
    sly = CASES["M1"] | {"contract_no": "1\r\nBcc: everybody@example.jp"}
    assert "\n" not in TEMPLATES.render("M1", **sly).subject
    assert "\r" not in TEMPLATES.render("M1", **sly).subject


def test_the_body_shows_the_link_and_where_to_expect_mails_from() -> None:
    body = TEMPLATES.render("M4", **CASES["M4"]).body
    assert "https://portal.example.jp/returns/A1" in body
    assert SENDER in body


def test_a_remand_without_words_has_no_line_for_them() -> None:
    assert "理由" not in TEMPLATES.render("M3", **CASES["M3"] | {"reason": None}).body
