"""Forms of the company's settings and of slips: which fields are refused, by name."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from commuter_service.rules.company_setting import check_setting
from commuter_service.rules.invoice_basis import CostKind, Proof
from commuter_service.rules.pass_simulation import MONTHS_SOLD, MonthsNotSold, Offer
from commuter_service.rules.route_search_policy import (
    Media,
    MediumNotAccepted,
    PassMustBeUsed,
    check_look_up,
)
from commuter_service.rules.slip_form import TRIPS, FormItem, SlipForm, check_complete
from commuter_service.rules.slip_kind import SlipKind
from fare_engine.rules.fare_rounding import Medium
from shared.errors import FormErrors


def faults(check: Any, *args: object) -> list[tuple[str, str]]:
    try:
        check(*args)
    except FormErrors as refused:
        return [(error.field, error.code) for error in refused.fields]
    return []


@pytest.mark.rule("R30")
@pytest.mark.parametrize(
    ("days", "mail", "before", "approvers", "fault"),
    [
        (90, "a@example.jp", "a@example.jp", [], []),
        (90, None, None, [], []),
        (91, None, None, [], [("retention_days", "RETENTION_NOT_OFFERED")]),
        (90, None, "a@example.jp", [], [("admin_mail", "ADMIN_MAIL_REQUIRED")]),
        (90, "nobody", "a@example.jp", [], [("admin_mail", "MAIL_UNREADABLE")]),
        (90, None, None, ["E1", "E1"], [("approvers", "APPROVERS_WRONG")]),
        (90, None, None, ["E1", "E2"], []),
        (90, None, None, ["E1", "E2", "E3"], [("approvers", "APPROVERS_WRONG")]),
    ],
)
def test_the_fields_of_the_company(
    days: int,
    mail: str | None,
    before: str | None,
    approvers: Sequence[str],
    fault: list[tuple[str, str]],
) -> None:
    assert faults(check_setting, days, mail, before, approvers) == fault


ITEM = FormItem(date(2026, 3, 1), 500, CostKind.PUBLIC_TRANSPORT, Proof())
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 2)


@pytest.mark.parametrize("kind", SlipKind)
def test_a_trip_and_nothing_else_has_a_period(kind: SlipKind) -> None:
    missing = [("trip_from", "TRIP_PERIOD_MISSING")] if kind in TRIPS else []
    for first, last in ((None, None), (FIRST, None), (None, LAST)):
        assert faults(check_complete, SlipForm(kind, "出張", first, last, [ITEM])) == missing
    assert faults(check_complete, SlipForm(kind, "出張", FIRST, LAST, [ITEM])) == []
    assert faults(check_complete, SlipForm(kind, "出張", FIRST, FIRST, [ITEM])) == []


def test_what_a_slip_must_have() -> None:
    turned = SlipForm(SlipKind.TRIP, " ", LAST, FIRST, [])
    assert faults(check_complete, turned) == [
        ("title", "TITLE_MISSING"),
        ("trip_to", "TRIP_PERIOD_REVERSED"),
        ("items", "NO_ITEMS"),
    ]


@pytest.mark.parametrize("months", range(8))
def test_passes_are_sold_for_one_three_and_six_months(months: int) -> None:
    if months in {1, 3, 6}:
        assert Offer(months, 10_000).months in MONTHS_SOLD
    else:
        with pytest.raises(MonthsNotSold):
            Offer(months, 10_000)


@pytest.mark.parametrize(
    ("medium", "media", "without_pass", "allowed", "refusal"),
    [
        (Medium.IC, Media.BOTH, False, False, None),
        (Medium.IC, Media.IC, True, True, None),
        (Medium.IC, Media.IC, True, False, PassMustBeUsed),
        (Medium.TICKET, Media.IC, False, False, MediumNotAccepted),
        (Medium.TICKET, Media.TICKET, False, False, None),
    ],
)
def test_what_the_company_lets_people_claim(
    medium: Medium,
    media: Media,
    without_pass: bool,
    allowed: bool,
    refusal: type[Exception] | None,
) -> None:
    ways = {"without_pass": without_pass, "without_pass_allowed": allowed}
    if refusal is None:
        check_look_up(medium, media, **ways)
    else:
        with pytest.raises(refusal):
            check_look_up(medium, media, **ways)
