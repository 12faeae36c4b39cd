"""Lines of the history about mails: which mail, to whom, and why it was not sent."""

from collections.abc import Mapping

MAILS: Mapping[object, str] = {
    "M1": "手続完了メール",
    "M2": "手続状況確認メール",
    "M3": "差戻しメール",
    "M4": "承認依頼メール",
    "M5": "承認状況確認メール",
    "N1": "店舗承認依頼通知",
}
RECIPIENTS: Mapping[object, str] = {
    "originator": "起票者",
    "store_approver": "店舗承認者",
    "hq_approver": "本部承認者",
}
REASONS: Mapping[object, str] = {
    "no_address": "宛先のメールアドレスが未登録",
    "opted_out": "このメールを希望しない",
    "duplicate": "同じ宛先へ送信済み",
    "status_left": "ステータスが更新された",
    "person_left": "宛先の方が退職",
}
_RESULTS = {
    "mail_sent": "送信しました",
    "mail_suppressed": "送信していません",
    "mail_failed": "送信できませんでした",
    "mail_outcome_unknown": "送信した結果が不明です",
}


def mail_label(action: str, facts: Mapping[str, object]) -> str | None:
    """「差戻しメールを起票者へ送信しました」; None for a line that is not about a mail."""
    if action not in _RESULTS:
        return None
    mail = MAILS.get(facts.get("mail_kind"), "メール")
    recipient = RECIPIENTS.get(facts.get("recipient_role"))
    whom = f"{recipient}へ" if recipient else ""
    reason = REASONS.get(facts.get("reason"))
    why = f"（{reason}）" if reason else ""
    return f"{mail}を{whom}{_RESULTS[action]}{why}"
