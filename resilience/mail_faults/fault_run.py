"""Mail fault run: events over RabbitMQ, two notifiers, a mail server, and continuous faults.

The notifiers are the product's own worker processes. Only the services that they call and the
issuer are fakes: they respond from `mail_cases`.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from resilience.mail_faults.checker import Verdict, judge
from resilience.mail_faults.mail_cases import due, envelope
from resilience.mail_faults.mail_stack import MailStack, running_mail_stack
from shared.rabbitmq import RabbitTransport

CHUNK = 50
TWICE_ONE_IN = 20
BACKLOG = 300
LONGEST_PAUSE_S = 30
LONGEST_QUIET_S = 300
FAULTS = (
    "notifier killed",
    "notifier killed",
    "both notifiers killed",
    "mail server killed",
    "mail server stood still",
    "returns service unavailable",
)


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a run. `fallen` are the programs that ended by themselves."""

    events: int
    verdict: Verdict
    injected: Counter[str]
    fallen: tuple[str, ...]
    attempts: int
    unpublished: int

    @property
    def sound(self) -> bool:
        """Whether all guarantees held, every outcome was published and no program failed."""
        return self.verdict.sound and not self.fallen and not self.unpublished

    def table(self) -> str:
        """The report as a table."""
        v = self.verdict
        counts = {
            "events": self.events,
            "mails due": v.due,
            "sent": v.sent,
            "unknown": v.unknown,
            "  of these accepted by the mail server": v.unknown_taken,
            "refused permanently, as expected": v.refused,
            "counted attempts": self.attempts,
            "lost": v.lost,
            "sent twice": v.sent_twice,
            "ledger untrue": v.untrue,
            "sent without being due": v.not_due,
            "unsettled": v.unsettled,
            "settled without an event": self.unpublished,
            "programs that ended by themselves": len(self.fallen),
            "faults injected": self.injected.total(),
            **{f"  {kind}": times for kind, times in sorted(self.injected.items())},
        }
        return "\n".join(f"{name:<48}{count:>9,}" for name, count in counts.items())


@dataclass(slots=True)
class Nemesis:
    """Injects faults into a mail stack."""

    mail_stack: MailStack
    rng: random.Random
    injected: Counter[str] = field(default_factory=Counter)

    async def inject(self, kind: str) -> None:
        """Inject one fault, and wait until it is over."""
        self.injected[kind] += 1
        mail_stack, rng = self.mail_stack, self.rng
        match kind:
            case "notifier killed":
                await mail_stack.notifiers[rng.randrange(len(mail_stack.notifiers))].start_again()
            case "both notifiers killed":
                for notifier in mail_stack.notifiers:
                    await notifier.start_again()
            case "mail server killed":
                await mail_stack.mail_server.kill()
                await asyncio.sleep(rng.uniform(0.3, 1.5))
                await mail_stack.mail_server.start()
            case "mail server stood still":
                await mail_stack.mail_server.stand_still(rng.uniform(0.5, 2.5))
            case "returns service unavailable":
                mail_stack.fakes.unavailable = True
                await asyncio.sleep(rng.uniform(0.3, 1.0))
                mail_stack.fakes.unavailable = False


async def run(  # noqa: PLR0917 - the arguments of a command line
    postgres_url: str,
    rabbitmq_url: str,
    events: int,
    seed: int,
    faults: int,
    settings: dict[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Publish `events` events during `faults` faults; `settings` override the notifiers'."""
    rng = random.Random(seed)
    async with AsyncExitStack() as stack:
        mail_stack = await stack.enter_async_context(
            running_mail_stack(postgres_url, rabbitmq_url, str(seed), settings or {})
        )
        nemesis = Nemesis(mail_stack, rng)
        mails = [mail for n in range(events) for mail in due(n)]
        telling = asyncio.create_task(_tell(mail_stack, rng, events))
        for number in range(1, faults + 1):
            await _work_on(mail_stack, number * len(mails) // (faults + 1))
            await asyncio.sleep(rng.uniform(0.0, 0.5))
            await nemesis.inject(rng.choice(FAULTS))
            if number % 10 == 0:
                say(f"  {number} of {faults} faults; {await mail_stack.states()}")
        await telling
        await mail_stack.settle(events, LONGEST_QUIET_S)
        mail_log, taken = await mail_stack.mail_log(), mail_stack.taken()
        return Report(
            events,
            judge(mails, mail_log, taken),
            nemesis.injected,
            tuple(mail_stack.fallen),
            await mail_stack.attempts(),
            await mail_stack.unpublished(),
        )


async def _work_on(mail_stack: MailStack, settled: int) -> None:
    """Wait until `settled` mails are settled; bounded, as the notifiers may be dead."""
    deadline = time.monotonic() + LONGEST_PAUSE_S
    while await mail_stack.settled() < settled and time.monotonic() < deadline:
        await mail_stack.hurry()
        await asyncio.sleep(0.2)


async def _tell(mail_stack: MailStack, rng: random.Random, events: int) -> None:
    """Publish the events in chunks, some twice, never far ahead of the mails."""
    transport = RabbitTransport(mail_stack.rabbitmq_url, mail_stack.topology)
    try:
        for start in range(0, events, CHUNK):
            chunk = [envelope(n) for n in range(start, min(events, start + CHUNK))]
            again = [one for one in chunk if rng.randrange(TWICE_ONE_IN) == 0]
            await transport.publish([*chunk, *again])
            while (
                start + CHUNK - await mail_stack.received() + await mail_stack.unsettled() > BACKLOG
            ):
                await mail_stack.hurry()
                await asyncio.sleep(0.2)
    finally:
        await transport.close()
