"""Lines of the history about mails say which mail, to whom, and why not."""

import pytest

from returns_service.api.mail_labels import mail_label


@pytest.mark.parametrize(
    ("action", "facts", "label"),
    [
        ("remand", {}, None),
        (
            "mail_sent",
            {"mail_kind": "M3", "recipient_role": "store_approver"},
            "差戻しメールを店舗承認者へ送信しました",
        ),
        (
            "mail_suppressed",
            {"mail_kind": "M1", "recipient_role": "originator", "reason": "no_address"},
            "手続完了メールを起票者へ送信していません（宛先のメールアドレスが未登録）",
        ),
        (
            "mail_failed",
            {"mail_kind": "M4", "recipient_role": "hq_approver"},
            "承認依頼メールを本部承認者へ送信できませんでした",
        ),
        ("mail_sent", {"mail_kind": "M9"}, "メールを送信しました"),
    ],
)
def test_a_mail_in_the_history(action: str, facts: dict[str, object], label: str | None) -> None:
    assert mail_label(action, facts) == label
