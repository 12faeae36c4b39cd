"""Long fault run: `python -m resilience.faults --events 100000 --seed 7`."""

import argparse
import asyncio
import sys

from resilience.faults.fault_run import Report, Servers, run
from shared.testing import servers as found
from shared.testing.disposable_servers import PrivatePostgres, PrivateRabbitMQ, rabbitmq_program

EVENTS_PER_FAULT = 250


async def long_run(events: int, seed: int, faults: int | None) -> Report:
    """Run on disposable servers, which are removed afterwards."""
    program = rabbitmq_program()
    if program is None:
        raise SystemExit(found.HOW_TO_GET_RABBITMQ)
    postgres = PrivatePostgres(found.free_port())
    broker = PrivateRabbitMQ(program, found.free_port(), found.free_port())
    try:
        await postgres.start()
        await broker.start()
        at = Servers(postgres.url, broker.url, f"faults-{seed}-", postgres, broker)
        plan = faults if faults is not None else max(30, events // EVENTS_PER_FAULT)
        return await run(at, events, seed, plan, say)
    finally:
        postgres.remove()
        broker.remove()


def say(line: str) -> None:
    """Print progress immediately."""
    print(line, flush=True)


def main() -> int:
    """Return 0 if the history is sound, 1 if it is not."""
    asking = argparse.ArgumentParser(prog="python -m resilience.faults", description=__doc__)
    asking.add_argument("--events", type=int, default=100_000)
    asking.add_argument("--seed", type=int, default=1)
    asking.add_argument("--faults", type=int, help="number of faults; default: one per 250 events")
    asked = asking.parse_args()
    report = asyncio.run(long_run(asked.events, asked.seed, asked.faults))
    say(report.table())
    for words in report.fallen:
        say(f"FELL BY ITSELF: {words}")
    sound = report.verdict.sound and report.settled and not report.fallen
    say("SOUND" if sound else "NOT SOUND")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
