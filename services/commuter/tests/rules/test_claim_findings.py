"""Roundabout ways: compared with reasonable ways only."""

import pytest

from commuter_service.rules.claim_findings import Claim, Way, roundabout

CLAIM = Claim("1", "1", None, "神田:中央線:荻窪")
DIRECT = Way("神田→(中央線快速)→荻窪", 25, 0, 341)
SLOW = Way("神田→(銀座線)→銀座→(丸ノ内線)→荻窪", 44, 1, 252)


@pytest.mark.parametrize(
    ("ridden", "others", "means"),
    [
        (DIRECT, [SLOW], None),  # the fastest way
        (Way("", 34, 0, 341), [Way("快速", 25, 1, 252)], None),  # the fewest changes
        (Way("", 44, 1, 341), [DIRECT, SLOW], None),  # cheaper, but 19 minutes slower
        (Way("", 30, 1, 341), [DIRECT, Way("三本", 34, 2, 252)], None),  # one change too many
        (Way("", 30, 1, 341), [DIRECT, Way("遅い", 35, 1, 285)], None),  # less than 20 % dearer
        (Way("", 30, 1, 341), [DIRECT, Way("安い", 35, 1, 252)], "安い"),
        (Way("", 60, 2, 700), [DIRECT, SLOW], DIRECT.words),
        (DIRECT, [], None),
    ],
)
def test_a_way_is_roundabout_beside_a_reasonable_one(
    ridden: Way, others: list[Way], means: str | None
) -> None:
    found = roundabout(CLAIM, ridden, others)
    assert (found and found.words.partition("なら")[0]) == means


def test_the_finding_says_which_way_it_means_and_why() -> None:
    found = roundabout(CLAIM, Way("", 60, 2, 700), [DIRECT])
    assert found is not None
    assert found.words == (
        "神田→(中央線快速)→荻窪なら341円(25分、乗換0回)です。申請の経路は359円高く、60分、乗換2回です"
    )
