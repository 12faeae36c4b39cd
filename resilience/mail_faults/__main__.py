"""Long mail fault run: `python -m resilience.mail_faults --events 10000 --seed 1`."""

import argparse
import asyncio
import sys

from resilience.mail_faults.fault_run import run
from shared.testing import servers

EVENTS_PER_FAULT = 50


def main() -> int:
    """Return 0 if every guarantee held, 1 if not."""
    asking = argparse.ArgumentParser(prog="python -m resilience.mail_faults", description=__doc__)
    asking.add_argument("--events", type=int, default=10_000)
    asking.add_argument("--seed", type=int, default=1)
    asking.add_argument(
        "--faults", type=int, help=f"number of faults; default: one per {EVENTS_PER_FAULT} events"
    )
    asking.add_argument(
        "--resend-unknown",
        action="store_true",
        help="use the setting that may send twice: the run must then be NOT SOUND",
    )
    asked = asking.parse_args()
    faults = asked.faults if asked.faults is not None else max(5, asked.events // EVENTS_PER_FAULT)
    settings = {"NOTIFIER_RESEND_UNKNOWN": "true"} if asked.resend_unknown else {}
    postgres_url, end_postgres = servers.find_postgres()
    broker = servers.find_rabbitmq()
    if broker is None:
        raise SystemExit(servers.HOW_TO_GET_RABBITMQ)
    rabbitmq_url, end_rabbitmq = broker
    try:
        report = asyncio.run(
            run(postgres_url, rabbitmq_url, asked.events, asked.seed, faults, settings, say)
        )
    finally:
        end_rabbitmq()
        end_postgres()
    say(report.table())
    for words in report.fallen:
        say(f"FELL BY ITSELF: {words}")
    say("SOUND" if report.sound else "NOT SOUND")
    return 0 if report.sound else 1


def say(line: str) -> None:
    """Print progress immediately."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
