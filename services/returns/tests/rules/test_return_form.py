"""起票画面, field by field. Today is 2025-07-15 in Japan."""

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_service.rules.return_form import (
    DEFAULT_REASONS,
    Change,
    ResultForm,
    ResultKind,
    ReturnForm,
    ReturnReport,
    ReturnResult,
    changes,
    check_approver_mail,
    check_form,
    check_overwrite,
    opening_form,
)
from returns_service.rules.return_status import ORIGINATORS
from shared.errors import FieldError, FormErrors, Kind
from shared.roles import Role

TODAY = date(2025, 7, 15)
RETURNED = ResultForm(received_on="2025-07-15")


def report(form: ReturnForm, originator: Role = Role.SALES) -> ReturnReport:
    return check_form(form, originator=originator, today=TODAY)


def errors_of(errors: FormErrors) -> dict[str, FieldError]:
    return {error.field: error for error in errors.fields}


def faults(form: ReturnForm, originator: Role = Role.SALES, today: date = TODAY) -> dict[str, str]:
    """The code of each faulty field; none for a valid form."""
    try:
        check_form(form, originator=originator, today=today)
    except FormErrors as errors:
        return {name: fault.code for name, fault in errors_of(errors).items()} or {"?": "?"}
    return {}


@pytest.mark.rule("D83", "D87", "D89")
def test_the_form_as_it_opens() -> None:
    form = opening_form(
        store_phone="03-1234-5678", mobile_phone="090-1234-5678", mail="yamada@example.jp"
    )
    assert (form.contact_1, form.contact_2, form.contact_3) == (
        "03-1234-5678", "090-1234-5678", "yamada@example.jp",
    )  # fmt: skip
    assert form.completion_mail is True
    assert form.result == ResultForm(kind="RETURNED")
    assert ResultKind.RETURNED.label_ja == "返却済み"


@pytest.mark.rule("D83")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (None, None),
        ("", None),
        ("　", None),
        ("0312345678", "0312345678"),
        ("090-1234-5678", "090-1234-5678"),
        ("０３－１２３４－５６７８", "03-1234-5678"),
        ("03ー1234ー5678", "03-1234-5678"),
        ("03‐1234‐5678", "03-1234-5678"),
        ("03 1234 5678", "03-1234-5678"),
        ("(03)1234-5678", "03-1234-5678"),
        ("０３（１２３４）５６７８", "03-1234-5678"),
        ("050-1234-5678", "050-1234-5678"),
        ("0120-123-456", "0120-123-456"),
        ("0-8-0-1-2-3-4-5-6-7-8", "08012345678"),
    ],
)
def test_telephone_numbers(typed: str | None, kept: str | None) -> None:
    kept_report = report(ReturnForm(contact_1=typed, contact_2=typed, result=RETURNED))
    assert (kept_report.contact_1, kept_report.contact_2) == (kept, kept)


@pytest.mark.rule("D83")
@pytest.mark.parametrize(
    "typed",
    [
        "031234567", "03-1234-567", "090-1234-56789", "090-1234-567", "050-123-4567",
        "1312345678", "0012345678", "03-1234-567a", "+81312345678", "-" * 10,
    ],
)  # fmt: skip
def test_what_is_no_telephone_number(typed: str) -> None:
    form = ReturnForm(contact_1=typed, contact_2=typed, result=RETURNED)
    assert faults(form) == {"contact_1": "PHONE_INVALID", "contact_2": "PHONE_INVALID"}


@pytest.mark.rule("D84")
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("yamada@example.jp", None),
        ("y.amada+return@mail.example.co.jp", None),
        ("ｙａｍａｄａ＠ｅｘａｍｐｌｅ．ｊｐ", None),
        ("abc@", "MAIL_INVALID"),
        ("abc", "MAIL_INVALID"),
        ("@example.jp", "MAIL_INVALID"),
        ("abc@example", "MAIL_INVALID"),
        ("a b@example.jp", "MAIL_INVALID"),
        ("a@example.jp,b@example.jp", "MAIL_INVALID"),
        ("a@-example.jp", "MAIL_INVALID"),
        ("a@example.jp\nBcc: b@example.jp", "TEXT_UNPRINTABLE"),
        ("a\x00@example.jp", "TEXT_UNPRINTABLE"),
        ("a" * 65 + "@example.jp", "MAIL_INVALID"),
        ("a@" + "b" * 60 + ".example" * 30, "MAIL_TOO_LONG"),
    ],
)
def test_contact_3_is_a_mail_address(typed: str, code: str | None) -> None:
    expected = {"contact_3": code} if code else {}
    assert faults(ReturnForm(contact_3=typed, result=RETURNED)) == expected


@pytest.mark.rule("D85", "D86")
@pytest.mark.parametrize(
    ("originator", "code"),
    [(Role.SALES, None), (Role.MANAGER, None), (Role.HQ, "MAIL_REQUIRED")],
)
@pytest.mark.parametrize("blank", [None, "", " 　"])
def test_contact_3_is_required_of_hq_only(
    originator: Role, code: str | None, blank: str | None
) -> None:
    found = faults(ReturnForm(contact_3=blank, result=RETURNED), originator)
    assert found == ({"contact_3": code} if code else {})
    assert not faults(ReturnForm(contact_3="tanaka@example.jp", result=RETURNED), originator)


@pytest.mark.rule("D86")
def test_an_hq_address_that_is_wrong_is_called_wrong_not_missing() -> None:
    form = ReturnForm(contact_3="a\x07", result=RETURNED)
    assert faults(form, Role.HQ) == {"contact_3": "TEXT_UNPRINTABLE"}


@pytest.mark.rule("D87")
def test_the_box_is_kept_as_left() -> None:
    assert report(ReturnForm(result=RETURNED)).completion_mail is True
    assert report(ReturnForm(completion_mail=False, result=RETURNED)).completion_mail is False


@pytest.mark.rule("D90", "D74")
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2025-07-15", None),
        ("2025-07-14", None),
        ("2025-07-01", None),
        ("2024-02-29", None),
        ("2025-07-16", "RECEIVED_ON_IN_FUTURE"),
        ("2026-07-15", "RECEIVED_ON_IN_FUTURE"),
        ("", "RECEIVED_ON_REQUIRED"),
        (None, "RECEIVED_ON_REQUIRED"),
        ("2025-02-29", "RECEIVED_ON_INVALID"),
        ("20250715", "RECEIVED_ON_INVALID"),
        ("2025-W29-2", "RECEIVED_ON_INVALID"),
        ("令和7年7月15日", "RECEIVED_ON_INVALID"),
        ("2025-07-15\n", "RECEIVED_ON_INVALID"),
    ],
)
def test_day_of_receipt(typed: str | None, code: str | None) -> None:
    found = faults(ReturnForm(result=ResultForm(received_on=typed)))
    assert found == ({"received_on": code} if code else {})


@pytest.mark.rule("D90")
@pytest.mark.parametrize(
    ("now", "accepted"),
    [
        (datetime(2025, 7, 15, 14, 59, 59, tzinfo=UTC), False),
        (datetime(2025, 7, 15, 15, 0, tzinfo=UTC), True),
    ],
    ids=["07-15 23:59 JST", "07-16 00:00 JST"],
)
def test_the_next_day_is_accepted_from_midnight_in_japan(now: datetime, accepted: bool) -> None:
    today = now.astimezone(timezone(timedelta(hours=9))).date()
    form = ReturnForm(result=ResultForm(received_on="2025-07-16"))
    assert (faults(form, today=today) == {}) is accepted


@pytest.mark.rule("D91")
@pytest.mark.parametrize("reason", DEFAULT_REASONS)
def test_unreturned_with_a_reason_of_the_list(reason: str) -> None:
    form = ReturnForm(result=ResultForm("UNRETURNED", unreturned_reason=reason))
    assert report(form).result == ReturnResult(ResultKind.UNRETURNED, unreturned_reason=reason)


@pytest.mark.rule("D91")
@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (None, "UNRETURNED_REASON_REQUIRED"),
        ("", "UNRETURNED_REASON_REQUIRED"),
        ("BECAUSE", "UNRETURNED_REASON_UNKNOWN"),
        ("O" * 10_000, "UNRETURNED_REASON_UNKNOWN"),
    ],
)
def test_unreturned_without_one(reason: str | None, code: str) -> None:
    form = ReturnForm(result=ResultForm("UNRETURNED", unreturned_reason=reason))
    assert faults(form) == {"unreturned_reason": code}


@pytest.mark.rule("D92")
def test_date_and_reason_exclude_each_other() -> None:
    both = ResultForm("RETURNED", "2025-07-15", "OTHER")
    assert faults(ReturnForm(result=both)) == {
        "unreturned_reason": "UNRETURNED_REASON_NOT_EXPECTED"
    }
    both = ResultForm("UNRETURNED", "2025-07-15", "OTHER")
    assert faults(ReturnForm(result=both)) == {"received_on": "RECEIVED_ON_NOT_EXPECTED"}


@pytest.mark.rule("D92")
def test_the_list_of_reasons_is_configured() -> None:
    assert list(DEFAULT_REASONS.values()) == [
        "現金決済へ変更",
        "早期完済へ変更",
        "再分割へ変更",
        "全損・盗難",
        "契約者と連絡不通",
        "その他",
    ]
    form = ReturnForm(result=ResultForm("UNRETURNED", unreturned_reason="EXPORTED"))
    own = check_form(form, originator=Role.SALES, today=TODAY, reasons={"EXPORTED": "輸出"})
    assert own.result.unreturned_reason == "EXPORTED"


def test_an_unknown_result_is_refused() -> None:
    for kind in ("", "returned", "返却済み"):
        found = faults(ReturnForm(result=ResultForm(kind, "2025-07-15")))
        assert found == {"kind": "RESULT_KIND_UNKNOWN"}


def test_all_errors_are_reported_at_once_in_japanese() -> None:
    form = ReturnForm("abc", "123", "abc@", result=ResultForm("RETURNED", "2025-07-16", "OTHER"))
    with pytest.raises(FormErrors) as errors:
        report(form)
    assert errors.value.kind is Kind.INVALID
    assert {name: fault.message for name, fault in errors_of(errors.value).items()} == {
        "contact_1": "電話番号は市外局番から入力してください（10桁、携帯電話などは11桁）",
        "contact_2": "電話番号は市外局番から入力してください（10桁、携帯電話などは11桁）",
        "contact_3": "メールアドレスの形式が正しくありません",
        "received_on": "車両返却受領日は本日までの日付を入力してください",
        "unreturned_reason": "返却済みの場合、未返却理由は入力できません",
    }


@pytest.mark.rule("D114")
def test_an_approver_overwrites_the_result_and_nothing_else() -> None:
    form = ReturnForm(
        "03-1234-5678", None, "yamada@example.jp", completion_mail=False,
        result=ResultForm(received_on="2025-07-01"),
    )  # fmt: skip
    before = report(form)
    after = check_overwrite(before, ResultForm(received_on="2025-07-02"), today=TODAY)
    assert after == dataclasses.replace(
        before, result=ReturnResult(ResultKind.RETURNED, received_on=date(2025, 7, 2))
    )
    assert changes(before, after) == (Change("received_on", date(2025, 7, 1), date(2025, 7, 2)),)


@pytest.mark.rule("D114")
def test_an_approver_is_held_to_the_same_checks() -> None:
    before = report(ReturnForm(result=RETURNED))
    with pytest.raises(FormErrors) as errors:
        check_overwrite(before, ResultForm(received_on="2025-07-16"), today=TODAY)
    assert errors_of(errors.value)["received_on"].code == "RECEIVED_ON_IN_FUTURE"
    with pytest.raises(FormErrors):
        check_overwrite(before, ResultForm("UNRETURNED"), today=TODAY)


def test_a_resend_without_changes_has_none() -> None:
    before = report(ReturnForm(result=RETURNED))
    assert changes(before, before) == ()
    other = report(ReturnForm(result=ResultForm("UNRETURNED", unreturned_reason="OTHER")))
    assert [change.field for change in changes(before, other)] == [
        "kind", "received_on", "unreturned_reason",
    ]  # fmt: skip


@pytest.mark.rule("D112")
def test_the_approvers_own_address_is_optional_and_checked() -> None:
    assert check_approver_mail(" sato@example.jp ") == "sato@example.jp"
    assert check_approver_mail("") is None
    with pytest.raises(FormErrors) as errors:
        check_approver_mail("sato@")
    assert errors_of(errors.value)["contact_3"].code == "MAIL_INVALID"


FIELDS = {"contact_1", "contact_2", "contact_3", "kind", "received_on", "unreturned_reason"}
kinds = st.sampled_from(["RETURNED", "UNRETURNED"]) | st.text()
texts = st.none() | st.text(max_size=30) | st.sampled_from(["2025-07-15", "OTHER", "a@b.jp"])


@given(
    st.builds(
        ReturnForm, texts, texts, texts, st.booleans(),
        st.builds(ResultForm, kinds, texts, texts),
    ),
    st.sampled_from(ORIGINATORS),
)  # fmt: skip
def test_whatever_is_typed_is_a_sound_report_or_named_errors(
    form: ReturnForm, originator: Role
) -> None:
    found = faults(form, originator)
    if found:
        assert set(found) <= FIELDS
        return
    kept = report(form, originator)
    result = kept.result
    assert (result.received_on is None) == (result.kind is ResultKind.UNRETURNED)
    assert (result.unreturned_reason is None) == (result.kind is ResultKind.RETURNED)
    assert result.received_on is None or result.received_on <= TODAY
    assert originator is not Role.HQ or kept.contact_3
