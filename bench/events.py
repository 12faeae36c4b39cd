"""Event path benchmark: `./dev bench events` compares it with its peers in one run."""

import argparse
from collections.abc import Sequence

import uvloop

from bench import event_baselines as peers
from bench.event_fixture import EventFixture, event_fixture, in_turn, ratio, write
from bench.event_latency import latency
from bench.event_race import Cost, cost_table, race
from shared.main import tune_gc
from shared.rabbitmq import RabbitTransport

METHOD = """\
Method: the product's path and its peers run in turn, once per round, in one run; the ratio is the
median over the rounds. Relay: a filled outbox to confirmed messages; the stock relay has one worker
and default settings. Ingest: a filled queue to committed inbox rows, the same group commit on both
sides. Commit to effect: a filled outbox to committed effects, a process per side; naive is the
stock outbox relay and one SQLAlchemy transaction per message; raw is aio-pika publish and consume
with acknowledgement and no database. All carry the same number of events, except the stock relay,
which carries a quarter. Every process, also the peers', uses the product's garbage collector
settings."""


async def relay(at: EventFixture, rounds: int, events: int) -> list[str]:
    """Outbox to broker."""
    print(f"relay: {events} events")

    async def ours() -> float:
        url = await at.filled(events, 1000)
        rate = await peers.relay_once(url, RabbitTransport(at.rabbitmq, at.topology), events)
        await at.empty_queues()
        await at.databases.drop(url)
        return rate

    async def raw() -> float:
        rate = await peers.publish_raw(at.rabbitmq, at.topology, events)
        await at.empty_queues()
        return rate

    async def stock() -> float:
        url = await at.database()
        await peers.stock_table(at.databases.owner_url(url), events // 4)
        rate = await peers.relay_stock(url, at.rabbitmq, at.topology, events // 4, 1)
        await at.empty_queues()
        await at.databases.drop(url)
        return rate

    rates = await in_turn(rounds, [("relay", ours), ("raw aio-pika", raw), ("stock outbox", stock)])
    return [
        row("relay / raw pipelined confirmed publish", rates, "relay", "raw aio-pika", 1.2),
        row("relay / stock faststream-outbox relay", rates, "relay", "stock outbox", 8),
    ]


async def ingest(at: EventFixture, rounds: int, events: int) -> list[str]:
    """Queue to inbox."""
    print(f"ingest: {events} events")

    def through(way: object) -> object:
        async def run() -> float:
            await peers.load_queue(at.rabbitmq, at.topology, events)
            url = await at.database()
            rate: float = await way(url, at.rabbitmq, at.topology, events)  # type: ignore[operator]
            await at.databases.drop(url)
            return rate

        return run

    ways = [("faststream", through(peers.ingest)), ("raw aio-pika", through(peers.ingest_raw))]
    rates = await in_turn(rounds, ways)  # type: ignore[arg-type]
    return [row("ingest by FastStream / raw aio-pika", rates, "faststream", "raw aio-pika", 0.6)]


async def end_to_end(
    at: EventFixture, rounds: int, events: int, ways: Sequence[str] = ()
) -> list[str]:
    """Commit to effect, a process per side; by all ways, or by those named."""
    print(f"end to end: {events} events")
    costs: dict[str, list[Cost]] = {}

    def by(name: str, count: int) -> object:
        async def run() -> float:
            source = await at.filled(count, 1000)
            target = await at.database()
            if name == "naive":
                await peers.stock_table(at.databases.owner_url(source), count)
            cost = await race(at, name, (source, target), count)
            await at.empty_queues()
            await at.databases.drop(source)
            await at.databases.drop(target)
            costs.setdefault(name, []).append(cost.per_thousand(count))
            print(f"    {costs[name][-1]}")
            return count / cost.elapsed

        return run

    names = [name for name in peers.SIDES if name in ways] or list(peers.SIDES)
    rates = await in_turn(rounds, [(name, by(name, events)) for name in names])  # type: ignore[misc]
    rows = [
        row(f"commit to effect, {name} / {peer}", rates, name, peer, wanted)
        for peer, wanted in (("naive", 7), ("raw", 0.8))
        for name in ("ours", "ours, lists")
        if {name, peer} <= set(names)
    ]
    return [*rows, *cost_table(costs)]


def row(what: str, rates: dict[str, list[float]], ours: str, peer: str, wanted: float) -> str:
    """One line of the table: the ratio (median of the rounds), and the best rates of both."""
    return (
        f"| {what} | **{ratio(rates, ours, peer):.2f}** | {wanted} "
        f"| {sorted(rates[ours])[len(rates[ours]) // 2]:,.0f} "
        f"| {sorted(rates[peer])[len(rates[peer]) // 2]:,.0f} |"
    )


async def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--only", choices=("relay", "ingest", "end_to_end", "latency"))
    parser.add_argument("--ways", nargs="*", default=[], choices=peers.SIDES, help="end to end")
    parser.add_argument("--seconds", type=float, default=30)
    args = parser.parse_args()
    tune_gc()
    table = [METHOD, "", "| what | ratio | wanted | ours /s | peer /s |", "|---|---|---|---|---|"]
    async with event_fixture() as at:
        if args.only in (None, "relay"):
            table += await relay(at, args.rounds, args.events)
        if args.only in (None, "ingest"):
            table += await ingest(at, args.rounds, args.events)
        if args.only in (None, "end_to_end"):
            table += await end_to_end(at, args.rounds, args.events, args.ways)
        if args.only in (None, "latency"):
            table += await latency(at, args.seconds)
    write("events" if args.only is None else f"events-{args.only}", table)


if __name__ == "__main__":
    uvloop.run(main())
