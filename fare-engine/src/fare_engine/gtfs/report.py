"""Import report in Japanese: what came in of a feed, what not, and what to do about it."""

from collections import defaultdict
from collections.abc import Iterator

from fare_engine.gtfs.editions import Merged
from fare_engine.gtfs.feed_import import SOURCE, Imported
from fare_engine.network.normalize import plain_name

ENDED_SHOWN = 5


def import_report(feed: Imported, result: Merged) -> Iterator[str]:
    """The report, line by line: sums per operator, ended lines, namesakes, notices."""
    yield f"データ: {feed.source.removeprefix(SOURCE)}({feed.first_day:%Y/%m/%d}から)"
    yield from _sums(feed)
    if result.ended:
        names = "、".join(line for _, line in result.ended[:ENDED_SHOWN])
        more = "など" if len(result.ended) > ENDED_SHOWN else ""
        yield f"過去の日付だけで使う路線: {len(result.ended):,}路線({names}{more})"
    yield from _namesakes(feed, result)
    for notice in feed.notices:
        yield f"注意: {notice}"


def _sums(feed: Imported) -> Iterator[str]:
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


def _namesakes(feed: Imported, result: Merged) -> Iterator[str]:
    operators = feed.operators
    others = {
        plain_name(row.station) for row in result.network.intervals if row.operator not in operators
    }
    same = [
        stop
        for stop in dict.fromkeys(row.station for row in feed.network.intervals)
        if plain_name(stop) in others
    ]
    if same:
        yield (
            f"注意: ほかの事業者の駅・停留所と同じ名前が{len(same):,}件あります({same[0]}など)。"
            "同じ場所として乗り換えるので、離れた場所なら経路の候補に注意してください"
        )
