"""Mail faults: every due mail is sent or marked unknown, and none is sent twice.

The short form of `./dev faults-mail`, and two runs whose settings break a guarantee, which the
checker must detect.
"""

import secrets

import pytest

from resilience.mail_faults.fault_run import run

SOME_SEED = 1
"""A seed with which sixty applications cover every failure of the mail server."""


@pytest.mark.rule("D155")
async def test_every_mail_is_sent_once_despite_kills_and_delays(
    postgres_url: str, rabbitmq_url: str
) -> None:
    seed = secrets.randbelow(1_000_000)
    print(f"seed {seed}")
    report = await run(postgres_url, rabbitmq_url, 60, seed, 4)
    assert report.sound, report.table()
    assert report.verdict.due == 90
    assert report.verdict.sent > 45, report.table()
    assert report.injected.total() == 4


async def test_a_setting_that_may_send_twice_is_detected(
    postgres_url: str, rabbitmq_url: str
) -> None:
    settings = {"NOTIFIER_RESEND_UNKNOWN": "true"}
    report = await run(postgres_url, rabbitmq_url, 60, SOME_SEED, 0, settings)
    assert report.verdict.sent_twice > 0, report.table()
    assert not report.sound


async def test_mails_given_up_at_the_first_error_are_detected_as_lost(
    postgres_url: str, rabbitmq_url: str
) -> None:
    settings = {"NOTIFIER_ATTEMPTS": "1"}
    report = await run(postgres_url, rabbitmq_url, 60, SOME_SEED, 0, settings)
    assert report.verdict.lost > 0, report.table()
    assert not report.sound
