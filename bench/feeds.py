"""Feeds bench: public GTFS-JP feeds through the import, each compared with its own fare rules.

A collection is a folder of feeds (zips, or folders with stops.txt), with a file COMMIT that names
where it comes from. Feeds are not part of the repository. Each is imported into the delivered
tables: done or refused, processor seconds, lines, pairs. Three counts must be 0, by a reader of its
own that knows nothing of the engine: `missing` (a pair of stops of a trip has one fare in the feed,
none here), `wrong` (another one), `extra` (a fare that the feed does not have). `unread`: sections
of lines whose route text does not read back. Of the feeds in PRICED every pair is priced as a ride
too. Writes bench/results/feeds.md.

    python -m bench.feeds --folder COLLECTIONS [--only NAME]
"""

import argparse
import csv
import io
import resource
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise, product
from pathlib import Path

from bench.event_fixture import write
from fare_engine.data_tables import fare_tables, network_tables
from fare_engine.errors import FareError
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import Tariffs
from fare_engine.gtfs.editions import merged
from fare_engine.gtfs.feed_import import Imported, imported
from fare_engine.network.network import Network, Ride
from fare_engine.routing.route_text import Route, parse_route, route_text

PRICED = (
    "Haga-Utsunomiya-LRT",
    "PortLiner2025",
    "kurobe_shinkansen",
    "nebutango",
    "toyohashitetsu",
)
Pair = frozenset[str]
Rows = list[dict[str, str]]
Published = dict[str, dict[Pair, set[int]]]
"""Yen by name of the route and pair of stop names."""


@dataclass
class Result:
    """What became of a feed."""

    name: str
    said: str
    seconds: float
    lines: int = 0
    stops: int = 0
    pairs: int = 0
    missing: int = 0
    wrong: int = 0
    extra: int = 0
    unread: int = 0
    priced: str = ""


def published_fares(path: Path) -> Published:
    """Plain reading of a feed: every pair of stops of every trip, rule by rule."""
    stops = {row["stop_id"]: row for row in _table(path, "stops")}
    routes = {row["route_id"]: row for row in _table(path, "routes")}
    agencies = [row["agency_name"] for row in _table(path, "agency")]
    rules = _rules(path)
    calls: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in _table(path, "stop_times"):
        calls[row["trip_id"]].append((int(row["stop_sequence"]), row["stop_id"]))
    found: Published = defaultdict(lambda: defaultdict(set))
    ridden = {
        (row["route_id"], tuple(stop for _, stop in sorted(calls[row["trip_id"]])))
        for row in _table(path, "trips")
    }
    for route, served in ridden:
        row = routes[route]
        title = row.get("route_long_name") or row.get("route_short_name") or agencies[0]
        ends = [(stops[s]["stop_name"], stops[s].get("zone_id") or s) for s in served]
        for i, (a, origin) in enumerate(ends):
            for b, destination in ends[i + 1 :]:
                if a != b:
                    amounts = found[title][frozenset((a, b))]
                    for key in product((route, ""), (origin, ""), (destination, "")):
                        amounts |= rules.get(key, set())
    return found


def _rules(path: Path) -> dict[tuple[str, ...], set[int]]:
    """Yen by route, origin and destination, "" for any."""
    yen = {row["fare_id"]: int(float(row["price"])) for row in _table(path, "fare_attributes")}
    rules: dict[tuple[str, ...], set[int]] = defaultdict(set)
    without_rule = set(yen)
    for row in _table(path, "fare_rules"):
        without_rule.discard(row["fare_id"])
        if row["fare_id"] in yen:
            key = tuple(row.get(c, "") for c in ("route_id", "origin_id", "destination_id"))
            rules[key].add(yen[row["fare_id"]])
    for fare in without_rule:
        rules["", "", ""].add(yen[fare])
    return rules


def _table(path: Path, name: str) -> Rows:
    try:
        if path.is_dir():
            text = (path / f"{name}.txt").read_text(encoding="utf-8-sig")
        else:
            with zipfile.ZipFile(path) as packed:
                inside = next(n for n in packed.namelist() if n.split("/")[-1] == f"{name}.txt")
                text = packed.read(inside).decode("utf-8-sig")
    except (FileNotFoundError, StopIteration):
        return []
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    return [{k.strip(): (v or "").strip() for k, v in row.items() if k} for row in rows]


def compare(published: Published, tariffs: Tariffs, feed: Imported, result: Result) -> None:
    """Count the differences between the feed and the fares of the engine."""
    here: Published = defaultdict(lambda: defaultdict(set))
    fares = {
        (r.operator, frozenset((r.station_a, r.station_b))): r for r in feed.fares.special_fares
    }
    by_title: dict[str, list[str]] = defaultdict(list)
    for row in feed.network.line_tables:
        by_title[f"{row.operator}/{row.table}"].append(row.line)
    for (system, pair), fare in fares.items():
        lines = by_title.get(system) or [r.line for r in feed.network.intervals]
        for title in {_title(line, published) for line in lines}:
            assert fare.ic_yen is not None
            here[title][pair].add(fare.ic_yen)
    for title, pairs in published.items():
        for pair, amounts in pairs.items():
            ours = here[title][pair]
            result.missing += len(amounts) == 1 and not ours
            result.wrong += bool(ours and amounts and not ours <= amounts)
    for title, priced in here.items():
        result.extra += sum(
            bool(yen) and not published[title].get(pair) for pair, yen in priced.items()
        )
    result.pairs = len(fares)


def _title(line: str, published: Published) -> str:
    """The route name of a line: 本線 for 本線(2), unless the feed itself has that name."""
    return line if line in published else line.rpartition("(")[0]


def unread_sections(network: Network, operators: frozenset[str]) -> int:
    """Neighbouring stops, and the ends of a line, whose text leads to another ride or nowhere."""
    count = 0
    for line in network.lines:
        if line.operator in operators:
            whole = [Ride(line.id, line.stops, line.edges)] if not line.is_loop else []
            for ride in [*_sections(network, line.id), *whole]:
                text = route_text(Route(network, (ride,)))
                try:
                    count += parse_route(network, text).legs != (ride,)
                except FareError:
                    count += 1
    return count


def _sections(network: Network, line: int) -> Iterator[Ride]:
    row = network.lines[line]
    for edge, ends in zip(row.edges, pairwise(row.stops), strict=True):
        yield Ride(line, ends, (edge,))


def priced_rides(published: Published, tariffs: Tariffs, feed: Imported) -> str:
    """Every pair of a feed as a ride over a line that serves it, priced by the engine."""
    network, total, equal = tariffs.network, 0, 0
    for title, pairs in published.items():
        lines = [
            line
            for line in network.lines
            if line.operator in feed.operators and _title(line.name, published) == title
        ]
        for pair, amounts in pairs.items():
            if len(amounts) != 1:
                continue
            total += 1
            equal += any(_yen(tariffs, line.id, pair, feed.first_day) in amounts for line in lines)
    return f"{equal} of {total}"


def _yen(tariffs: Tariffs, line: int, pair: Pair, on: date) -> int | None:
    network = tariffs.network
    operator = network.lines[line].operator
    a, b = (network.station(operator, name) for name in sorted(pair))
    ride = network.along(network.lines[line], a, b)
    if ride is None:
        return None
    route = parse_route(network, route_text(Route(network, (ride,))))
    return price(route, Terms(on), (), tariffs).through_yen


def measure(path: Path) -> Result:
    """Import a feed and compare it."""
    name = path.name
    start = time.process_time()
    try:
        feed = imported(path)
        joined = merged(network_tables(), fare_tables(), feed)
        tariffs = Tariffs(Network(joined.network), joined.fares)
    except FareError as fact:
        return Result(name, f"refused: {fact.message}", time.process_time() - start)
    result = Result(name, "imported", time.process_time() - start)
    rows = feed.network.intervals
    result.lines = len({(row.operator, row.line) for row in rows})
    result.stops = len({(row.operator, row.station) for row in rows})
    published = published_fares(path)
    compare(published, tariffs, feed, result)
    result.unread = unread_sections(tariffs.network, feed.operators)
    if any(word in str(path) for word in PRICED):
        result.priced = priced_rides(published, tariffs, feed)
    return result


def feeds_in(folder: Path) -> list[Path]:
    """Zips and folders of tables, in the order of their names."""
    zips = [path for path in folder.rglob("*.zip") if path.is_file()]
    return sorted([*zips, *(path.parent for path in folder.rglob("stops.txt"))])


def page(folder: Path, results: list[Result]) -> Iterator[str]:
    """The report."""
    yield "Public feeds through `madoguchi commuter import-gtfs`; method: bench/feeds.py."
    yield ""
    for commit in sorted(folder.glob("*/COMMIT")):
        yield f"- {commit.read_text(encoding='utf-8').strip()}"
    done = [one for one in results if one.said == "imported"]
    faults = [sum(getattr(one, f) for one in done) for f in ("missing", "wrong", "extra", "unread")]
    yield ""
    yield (
        f"**{len(done)} of {len(results)} imported**, {sum(one.pairs for one in done):,} priced "
        f"pairs; missing {faults[0]}, wrong {faults[1]}, extra {faults[2]}, unread {faults[3]}. "
        f"Slowest {max(one.seconds for one in results):.1f} s, together "
        f"{sum(one.seconds for one in results):.0f} s; most memory of the bench "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB."
    )
    yield ""
    titles = "feed | result | s | lines | stops | pairs | missing | wrong | extra | unread | priced"
    yield f"| {titles} |"
    yield f"|{'---|' * (titles.count('|') + 1)}"
    for r in results:
        yield (
            f"| {r.name} | {r.said} | {r.seconds:.1f} | {r.lines} | {r.stops} | {r.pairs} "
            f"| {r.missing} | {r.wrong} | {r.extra} | {r.unread} | {r.priced} |"
        )


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--only", default="")
    chosen = options.parse_args()
    paths = [path for path in feeds_in(chosen.folder) if chosen.only in str(path)]
    results = []
    for path in paths:
        results.append(measure(path))
        print(results[-1])
    if not chosen.only:
        write("feeds", list(page(chosen.folder, results)))


if __name__ == "__main__":
    main()
