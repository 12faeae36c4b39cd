"""Import report in Japanese: what came in of a feed, what not, and what to do about it."""

from collections import defaultdict
from collections.abc import Iterator

from fare_engine.gtfs.editions import Merged
from fare_engine.gtfs.feed import SOURCE, Imported

ENDED_SHOWN = 5


def import_report(feed: Imported, result: Merged) -> Iterator[str]:
    """The report, line by line: sums per operator, ended lines, notices."""
    yield f"データ: {feed.source.removeprefix(SOURCE)}({feed.first_day:%Y/%m/%d}から)"
    lines: dict[str, dict[str, str]] = defaultdict(dict)
    stops: dict[str, set[str]] = defaultdict(set)
    for row in feed.network.intervals:
        lines[row.operator][row.line] = row.operator
        stops[row.operator].add(row.station)
    for one in feed.network.line_tables:
        lines[one.operator][one.line] = f"{one.operator}/{one.table}"
    pairs: dict[str, int] = defaultdict(int)
    for fare in feed.fares.special_fares:
        pairs[fare.operator] += 1
    for operator, systems in lines.items():
        priced = sum(pairs[system] for system in dict.fromkeys(systems.values()))
        without = sum(not pairs[system] for system in systems.values())
        text = f"{operator}: {len(systems):,}路線、{len(stops[operator]):,}停留所、"
        yield text + (
            f"{priced:,}区間の運賃" + (f"(運賃のない路線 {without:,})" if without else "")
            if priced
            else "運賃なし(金額は手入力してください)"
        )
    if result.ended:
        names = "、".join(line for _, line in result.ended[:ENDED_SHOWN])
        more = "など" if len(result.ended) > ENDED_SHOWN else ""
        yield f"過去の日付だけで使う路線: {len(result.ended):,}路線({names}{more})"
    for notice in feed.notices:
        yield f"注意: {notice}"
