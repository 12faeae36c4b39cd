"""Every mail that is due is sent or visibly unknown, and none twice, whatever is killed or slow.

The short form of `./dev faults-mail`; and two runs whose settings break a promise, which the
checker must see.
"""

import secrets

import pytest

from resilience.mail_faults.fault_run import run

SOME_SEED = 1
"""With it some of sixty applications meet every mood of the mail server."""


@pytest.mark.rule("D155")
async def test_whatever_is_killed_or_slow(postgres_url: str, rabbitmq_url: str) -> None:
    seed = secrets.randbelow(1_000_000)
    print(f"seed {seed}")
    report = await run(postgres_url, rabbitmq_url, 60, seed, 4)
    assert report.sound, report.table()
    assert report.verdict.due == 90
    assert report.verdict.sent > 45, report.table()
    assert report.injected.total() == 4


async def test_a_setting_that_may_send_twice_is_seen_to(
    postgres_url: str, rabbitmq_url: str
) -> None:
    settings = {"NOTIFIER_RESEND_UNKNOWN": "true"}
    report = await run(postgres_url, rabbitmq_url, 60, SOME_SEED, 0, settings)
    assert report.verdict.sent_twice > 0, report.table()
    assert not report.sound


async def test_mails_that_are_given_up_at_the_first_trouble_are_seen_to_be_lost(
    postgres_url: str, rabbitmq_url: str
) -> None:
    settings = {"NOTIFIER_ATTEMPTS": "1"}
    report = await run(postgres_url, rabbitmq_url, 60, SOME_SEED, 0, settings)
    assert report.verdict.lost > 0, report.table()
    assert not report.sound
