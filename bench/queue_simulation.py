"""Queue simulation of the event path: `./dev bench queue_simulation` extrapolates measurements.

Each hop is a queue with servers; a free server takes all waiting events, up to its batch size, for
a fixed time plus a time per event. At the measured load it must reproduce the measured times; then
it estimates other loads. The seed is fixed, so the results are reproducible.
"""

import argparse
import heapq
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.event_fixture import write

SEED = 20260401
SPREAD = 0.35
BYTES_PER_EVENT = 644  # 20,000 recorded selections, with indexes, on PostgreSQL 15
MEASURED_P50, MEASURED_P99, MEASURED_RATE = 11.0, 19.2, 50

METHOD = f"""\
Method: events arrive at random (Poisson). Hops: the relay publishes (up to 500 at once), the
broker delivers (a delay, no queue), a receiving process stores and later processes (500 and 200 at
once, both by the same process, one at a time). Time of a batch: fixed + number x
per event, times a lognormal factor (sigma {SPREAD}). From bench/results/events.md: medians of the
hops for one event; per event the inverse of the highest rate of relay (7,756/s) and ingest
(6,441/s), for processing what commit to effect (2,287/s) leaves after ingest. Two wake-ups account
for the measured median above the sum of its hops, so the median is fitted; p99 is not. Every
process has its own core; at the measured rate two cores come close to that. Seed {SEED}.
"""

Job = tuple[float, float]
"""Arrival at a hop, and time of commit; seconds."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A queue: `servers` processes that each take up to `batch`; seconds; spread is sigma."""

    fixed: float
    each: float
    servers: int = 1
    batch: int = 1
    spread: float = SPREAD

    def seconds(self, number: int, rng: random.Random) -> float:
        """Seconds that a batch takes."""
        factor = rng.lognormvariate(0, self.spread) if self.spread else 1.0
        return (self.fixed + number * self.each) * factor

    @property
    def capacity(self) -> float:
        """Events per second with full batches."""
        mean = math.exp(self.spread**2 / 2)
        return self.servers * self.batch / ((self.fixed + self.batch * self.each) * mean)


@dataclass(frozen=True, slots=True)
class Path:
    """The hops from commit to effect; storing and processing share the receiving processes."""

    wake_up: float = 0.00135
    relay: Hop = Hop(0.0020 - 0.000129, 0.000129, batch=500)
    delivery: float = 0.0026
    store: Hop = Hop(0.0019 - 0.000155, 0.000155, batch=500)
    process: Hop = Hop(0.0016 - 0.000282, 0.000282, batch=200)

    def with_processes(self, relays: int, receivers: int, handler: float = 1) -> "Path":
        """The path with other process counts; `handler` multiplies the bench handler's cost."""
        each = self.process.each * handler
        return replace(
            self,
            relay=replace(self.relay, servers=relays),
            store=replace(self.store, servers=receivers),
            process=replace(self.process, servers=receivers, each=each),
        )

    @property
    def capacity(self) -> float:
        """Events per second of the slower side; storing and processing take turns."""
        receiving = 1 / (1 / self.store.capacity + 1 / self.process.capacity)
        return min(self.relay.capacity, receiving)


def arrivals(rate: float, number: int, rng: random.Random) -> list[Job]:
    """Jobs of a Poisson stream."""
    now, jobs = 0.0, []
    for _ in range(number):
        now += rng.expovariate(rate)
        jobs.append((now, now))
    return jobs


def through(
    jobs: Sequence[Job], servers: int, batch: int, seconds: Callable[[int], float]
) -> list[Job]:
    """The jobs that leave a queue, in order of departure."""
    free = [0.0] * servers
    out: list[Job] = []
    at = 0
    while at < len(jobs):
        start = max(heapq.heappop(free), jobs[at][0])
        end = at + 1
        while end < len(jobs) and end - at < batch and jobs[end][0] <= start:
            end += 1
        done = start + seconds(end - at)
        out += [(done, born) for _, born in jobs[at:end]]
        heapq.heappush(free, done)
        at = end
    return sorted(out)


def latencies(path: Path, rate: float, number: int, seed: int = SEED) -> list[float]:
    """Seconds from commit to effect, sorted; the first tenth warms up.

    A process that stores and processes in turn is modelled as two that share it: each runs at the
    speed that the other leaves.
    """
    rng = random.Random(seed)
    busy_storing = min(0.9, rate * path.store.each / path.store.servers)
    busy_processing = min(0.9, rate * path.process.each / path.process.servers)

    def later(jobs: Sequence[Job], by: float) -> list[Job]:
        return sorted((t + by * rng.lognormvariate(0, SPREAD), born) for t, born in jobs)

    def hop(jobs: Sequence[Job], of: Hop, left: float = 1) -> list[Job]:
        return through(jobs, of.servers, of.batch, lambda n: of.seconds(n, rng) / left)

    jobs = hop(later(arrivals(rate, number, rng), path.wake_up), path.relay)
    jobs = hop(later(jobs, path.delivery), path.store, 1 - busy_processing)
    jobs = hop(later(jobs, path.wake_up), path.process, 1 - busy_storing)
    return sorted(t - born for t, born in jobs[number // 10 :])


def quantile(ordered: Sequence[float], share: float) -> float:
    """The `share` quantile in milliseconds."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def measured_again(number: int) -> list[str]:
    """The simulation compared with the bench."""
    times = latencies(Path(), MEASURED_RATE, number)
    p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
    return [
        "| at 50 events/s | measured | simulated | simulated / measured |",
        "|---|---|---|---|",
        f"| p50 | {MEASURED_P50:.1f} ms | {p50:.1f} ms | {p50 / MEASURED_P50:.2f} |",
        f"| p99 | {MEASURED_P99:.1f} ms | {p99:.1f} ms | {p99 / MEASURED_P99:.2f} |",
    ]


def processes_needed(number: int) -> list[str]:
    """Processes needed for 2,000 events/s, for light and heavy handlers."""
    lines = [
        "| events/s | handler | relays + receivers | capacity /s | load | p50 | p99 | p99 < 1 s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rate, handler, relays, receivers in (
        (200, 1, 1, 1),
        (2000, 1, 1, 1),
        (2000, 1, 1, 2),
        (2000, 3, 1, 2),
        (2000, 3, 1, 3),
        (2000, 3, 2, 4),
        (2000, 10, 2, 8),
    ):
        path = Path().with_processes(relays, receivers, handler)
        share = rate / path.capacity
        about = f"| {rate:,} | x{handler} | {relays} + {receivers} | {path.capacity:,.0f} "
        if share >= 1:
            lines.append(f"{about}| {share:.0%} | grows | grows | no |")
            continue
        times = latencies(path, rate, number)
        p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
        kept = "yes" if p99 < 1000 else "no"
        lines.append(f"{about}| {share:.0%} | {p50:.0f} ms | {p99:.0f} ms | {kept} |")
    return lines


def recovery() -> list[str]:
    """Time until the backlog of an hour's outage is processed, while new events arrive."""
    lines = [
        "| events/s | handler | relays + receivers | backlog | gone after |",
        "|---|---|---|---|---|",
    ]
    for rate, handler, relays, receivers in (
        (50, 1, 1, 1),
        (2000, 1, 1, 2),
        (2000, 1, 2, 4),
        (2000, 3, 2, 4),
        (2000, 3, 2, 8),
    ):
        path = Path().with_processes(relays, receivers, handler)
        minutes = rate * 60 / (path.capacity - rate) if path.capacity > rate else math.inf
        lines.append(
            f"| {rate:,} | x{handler} | {relays} + {receivers} | {rate * 3600:,} "
            f"| {minutes:,.0f} min |"
        )
    return lines


def disc(bytes_per_event: float) -> list[str]:
    """Yearly growth of the outbox log, which only `forget-log` reduces."""
    lines = ["| events a year | why | outbox log a year | a month |", "|---|---|---|---|"]
    for why, events in (
        ("50 million contracts, 20 events each", 50e6 * 20),
        ("2,000/s as the peak of 280 days of 10 hours at 40 %", 2000 * 0.4 * 36_000 * 280),
        ("2,000/s day and night", 2000 * 86_400 * 365),
    ):
        terabytes = events * bytes_per_event / 1e12
        lines.append(
            f"| {events / 1e9:.1f} billion | {why} | {terabytes:.1f} TB "
            f"| {terabytes / 12 * 1000:,.0f} GB |"
        )
    return lines


def main() -> None:
    """Simulate, and write the results."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--events", type=int, default=100_000)
    asking.add_argument(
        "--bytes", type=float, default=BYTES_PER_EVENT, help="one event in the outbox, with indexes"
    )
    asked = asking.parse_args()
    write(
        "queues",
        [
            METHOD,
            "",
            *measured_again(asked.events),
            "",
            "Processes needed (a handler of x1 writes one row, as the bench's does):",
            "",
            *processes_needed(asked.events),
            "",
            "After an hour's outage of a service's receivers (all at full batches):",
            "",
            *recovery(),
            "",
            f"Disc, at {asked.bytes:,.0f} bytes for an event with its indexes:",
            "",
            *disc(asked.bytes),
        ],
    )


if __name__ == "__main__":
    main()
