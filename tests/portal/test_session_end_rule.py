"""When a session has ended: the rule, without a browser."""

from dataclasses import replace

import pytest

from portal_service.rules.session_end import (
    EndKind,
    EndOf,
    SessionFacts,
    WhyEnded,
    why_ended,
)

IDLE, LONGEST = 3600.0, 43_200.0
SESSION = SessionFacts("s1", "D01-E101", "e101", "p1", begun_at=1000.0, seen_at=2000.0)


@pytest.mark.rule("S1")
@pytest.mark.parametrize(
    ("ended", "at", "why"),
    [
        ((EndKind.SESSION, "s1"), 1000.0, WhyEnded.ENDED),
        ((EndKind.PERSON, "D01-E101"), 1000.0, WhyEnded.ENDED),
        ((EndKind.SUBJECT, "e101"), 1000.0, WhyEnded.ENDED),
        ((EndKind.PROVIDER_SESSION, "p1"), 1000.0, WhyEnded.ENDED),
        ((EndKind.PERSON, "D01-E101"), 999.9, None),  # it began after that
        ((EndKind.SESSION, "s2"), 5000.0, None),
        ((EndKind.PERSON, "D01-E102"), 5000.0, None),
        ((EndKind.SUBJECT, "D01-E101"), 5000.0, None),  # a person's id is no account
        ((EndKind.PERSON, "e101"), 5000.0, None),
        ((EndKind.PROVIDER_SESSION, "s1"), 5000.0, None),
    ],
)
def test_an_end_counts_for_the_sessions_that_it_names_and_that_had_begun(
    ended: EndOf, at: float, why: WhyEnded | None
) -> None:
    assert why_ended(SESSION, {ended: at}, now=2000.0, idle_s=IDLE, longest_s=LONGEST) is why


@pytest.mark.rule("S2")
@pytest.mark.parametrize(
    ("now", "why"), [(2000.0 + IDLE - 0.1, None), (2000.0 + IDLE, WhyEnded.IDLE)]
)
def test_a_session_ends_when_nobody_has_used_it(now: float, why: WhyEnded | None) -> None:
    assert why_ended(SESSION, {}, now=now, idle_s=IDLE, longest_s=LONGEST) is why


@pytest.mark.rule("S3")
@pytest.mark.parametrize(
    ("now", "why"), [(1000.0 + LONGEST - 0.1, None), (1000.0 + LONGEST, WhyEnded.TOO_LONG)]
)
def test_a_session_ends_after_its_longest_time_however_busy(
    now: float, why: WhyEnded | None
) -> None:
    busy = replace(SESSION, seen_at=now)
    assert why_ended(busy, {}, now=now, idle_s=IDLE, longest_s=LONGEST) is why


@pytest.mark.rule("S1")
def test_a_deliberate_end_is_named_before_the_limits() -> None:
    ends = {(EndKind.SESSION, "s1"): 1500.0}
    assert why_ended(SESSION, ends, now=1e6, idle_s=IDLE, longest_s=LONGEST) is WhyEnded.ENDED
    assert why_ended(SESSION, {}, now=1e6, idle_s=IDLE, longest_s=LONGEST) is WhyEnded.TOO_LONG
