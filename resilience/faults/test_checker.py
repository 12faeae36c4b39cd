"""Checker of the fault runs: detects each kind of fault, and only faults."""

import pytest

from resilience.faults.checker import Answer, Committed, Effect, Verdict, judge


def committed(events: str) -> list[Committed]:
    """'A1 A2 B1' as the history of the source."""
    return [Committed(e[0], int(e[1:]), f"id-{e}") for e in events.split()]


def effects(events: str) -> list[Effect]:
    """'A1 A2 B1' as effects in that order."""
    return [Effect(i, e[0], int(e[1:]), f"id-{e}") for i, e in enumerate(events.split())]


def counts(verdict: Verdict) -> tuple[int, int, int]:
    return verdict.lost, verdict.duplicate_effects, verdict.order_violations


@pytest.mark.parametrize(
    ("source", "happened", "lost", "duplicates", "violations"),
    [
        ("", "", 0, 0, 0),
        ("A1 A2 B1", "A1 A2 B1", 0, 0, 0),
        ("A1 A2 B1", "B1 A1 A2", 0, 0, 0),
        ("A1 A2 B1", "A1 B1", 1, 0, 0),
        ("A1 A2 B1", "", 3, 0, 0),
        ("A1 A2", "A1 A1 A2", 0, 1, 0),
        ("A1 A2", "A1 A2 A1", 0, 1, 0),
        ("A1 A2", "A1 A1 A1 A2", 0, 2, 0),
        ("A1 A2", "A2 A1", 0, 0, 1),
        ("A1 A2 A3", "A3 A1 A2", 0, 0, 2),
        ("A1 A2 A3", "A2 A3 A1", 0, 0, 1),
        ("A1 A2 A3", "A2 A1 A1", 1, 1, 1),
        ("A9 A10", "A9 A10", 0, 0, 0),
    ],
)
def test_each_fault_is_counted(
    source: str, happened: str, lost: int, duplicates: int, violations: int
) -> None:
    verdict = judge(committed(source), effects(happened))
    assert counts(verdict) == (lost, duplicates, violations)
    assert verdict.sound == (lost == duplicates == violations == 0)


def test_the_order_is_that_of_the_effects_not_of_the_rows() -> None:
    rows = list(reversed(effects("A1 A2")))
    assert counts(judge(committed("A1 A2"), rows)) == (0, 0, 0)


def test_an_effect_without_a_committed_event_is_a_fault() -> None:
    verdict = judge(committed("A1"), effects("A1 A2"))
    assert (verdict.effects_of_nothing, verdict.sound) == (1, False)


def test_an_effect_under_another_events_id_is_a_fault() -> None:
    verdict = judge(committed("A1"), [Effect(1, "A", 1, "id-of-another")])
    assert (verdict.effects_of_nothing, verdict.sound) == (1, False)


def test_one_number_given_to_two_events_is_a_fault() -> None:
    history = [Committed("A", 1, "x"), Committed("A", 1, "y")]
    verdict = judge(history, [Effect(1, "A", 1, "x")])
    assert (verdict.lost, verdict.sound) == (1, False)


def test_an_answer_without_a_commit_is_a_fault() -> None:
    answered = [Answer("A", 1), Answer("A", 2)]
    verdict = judge(committed("A1"), effects("A1"), answered)
    assert (verdict.broken_answers, verdict.sound) == (1, False)


def test_a_commit_without_an_answer_is_no_fault() -> None:
    assert judge(committed("A1 A2"), effects("A1 A2"), [Answer("A", 1)]).sound


def test_duplicate_deliveries_are_counted_and_are_no_fault() -> None:
    verdict = judge(committed("A1 A2"), effects("A1 A2"), deliveries=5)
    assert (verdict.duplicate_deliveries, verdict.sound) == (3, True)
