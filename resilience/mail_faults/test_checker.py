"""Checker of the mail runs, tested with hand-made histories."""

from dataclasses import asdict

import pytest

from resilience.mail_faults.checker import Entry, Taken, Verdict, judge
from resilience.mail_faults.mail_cases import Due

YAMADA = Due("A1", "M1", "yamada@d01.example")
REFUSES = Due("A2", "M3", "refuses@d01.example", refused=True)


def entry(of: Due, state: str) -> Entry:
    return Entry(of.application_id, of.mail_kind, of.address, state, f"<{of.application_id}>")


TAKEN = Taken("<A1>", YAMADA.address)


def faults(verdict: Verdict) -> dict[str, int]:
    names = ("lost", "sent_twice", "untrue", "not_due", "unsettled")
    return {name: count for name, count in asdict(verdict).items() if name in names and count}


@pytest.mark.parametrize(
    ("states", "taken"),
    [
        (("sent", "failed"), [TAKEN]),
        (("unknown", "failed"), [TAKEN]),
        (("unknown", "failed"), []),
        (("sent", "unknown"), [TAKEN]),
    ],
    ids=["sent", "unknown and taken", "unknown and not taken", "a refusal without a response"],
)
def test_a_sound_history(states: tuple[str, str], taken: list[Taken]) -> None:
    mail_log = [entry(YAMADA, states[0]), entry(REFUSES, states[1])]
    verdict = judge([YAMADA, REFUSES], mail_log, taken)
    assert faults(verdict) == {}
    assert verdict.sound
    assert (verdict.due, verdict.sent, verdict.unknown) == (
        2,
        states.count("sent"),
        states.count("unknown"),
    )


@pytest.mark.parametrize(
    ("mail_log", "taken", "expected"),
    [
        ([], [], {"lost": 1}),
        ([entry(YAMADA, "failed")], [], {"lost": 1}),
        ([entry(YAMADA, "suppressed")], [], {"lost": 1}),
        ([entry(YAMADA, "scheduled")], [], {"lost": 1, "unsettled": 1}),
        ([entry(YAMADA, "sending")], [TAKEN], {"lost": 1, "unsettled": 1, "untrue": 1}),
        ([entry(YAMADA, "sent")], [TAKEN, TAKEN], {"sent_twice": 1}),
        ([entry(YAMADA, "unknown")], [TAKEN] * 3, {"sent_twice": 2}),
        ([entry(YAMADA, "sent")], [], {"untrue": 1}),
        ([entry(YAMADA, "failed")], [TAKEN], {"lost": 1, "untrue": 1}),
        (
            [entry(YAMADA, "sent"), entry(Due("A9", "M1", "x@d01.example"), "sent")],
            [TAKEN, Taken("<A9>", "x@d01.example")],
            {"not_due": 1},
        ),
        ([entry(YAMADA, "sent")], [TAKEN, Taken("<A1>", "x@d01.example")], {"not_due": 1}),
    ],
    ids=[
        "not in the ledger",
        "given up",
        "suppressed",
        "scheduled forever",
        "sending forever",
        "twice",
        "three times, and unknown",
        "marked sent",
        "marked given up",
        "nothing made it due",
        "to somebody else",
    ],
)
def test_an_unsound_history(
    mail_log: list[Entry], taken: list[Taken], expected: dict[str, int]
) -> None:
    verdict = judge([YAMADA], mail_log, taken)
    assert faults(verdict) == expected
    assert not verdict.sound


def test_a_mail_that_had_to_be_refused_and_was_sent() -> None:
    verdict = judge([REFUSES], [entry(REFUSES, "sent")], [Taken("<A2>", REFUSES.address)])
    assert faults(verdict) == {"lost": 1, "not_due": 1}
