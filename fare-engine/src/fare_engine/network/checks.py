"""Are the network tables sound: lines contiguous, lengths as published, names known?"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from fare_engine.data_tables import Interval, NetworkTables


class NetworkTableBroken(ValueError):
    """A delivered table contradicts itself; nothing is loaded."""


def check_network_tables(tables: NetworkTables) -> None:
    """Raise NetworkTableBroken at the first contradiction."""
    lines: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    for row in tables.intervals:
        lines[row.operator, row.line].append(row)
    for title, rows in lines.items():
        _check_line(title, rows)
    _check_totals(lines, tables)
    readings = {row.station for row in tables.readings}
    unread = {row.station for row in tables.intervals} - readings
    known = {(row.operator, row.station) for row in tables.intervals}
    for dated in tables.station_dates:
        if (dated.operator, dated.station) not in known:
            raise NetworkTableBroken(f"{dated.operator} has no station {dated.station}")
        if dated.opened and dated.closed and dated.closed < dated.opened:
            raise NetworkTableBroken(f"{dated.station}: closed before it opened")
    _check_lines_named(lines, tables)
    if unread:
        raise NetworkTableBroken(f"no reading for {', '.join(sorted(unread))}")


def _check_lines_named(
    lines: Mapping[tuple[str, str], Sequence[Interval]], tables: NetworkTables
) -> None:
    for alias in tables.line_aliases:
        if (alias.operator, alias.line) not in lines:
            raise NetworkTableBroken(f"{alias.operator} has no line {alias.line}")
    for far in tables.far_platforms:
        served = lines.get((far.operator, far.line), ())
        if far.station not in [row.station for row in (*served[:1], *served[-1:])]:
            raise NetworkTableBroken(f"{far.line} does not end at {far.station}")


def _check_line(title: tuple[str, str], rows: list[Interval]) -> None:
    if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
        raise NetworkTableBroken(f"{title}: stations are not numbered 1, 2, 3 ...")
    if len(rows) == 1 or rows[0].km10 != 0:
        raise NetworkTableBroken(f"{title}: a line starts at 0 km and has two stations at least")
    for before, after in pairwise(rows):
        if after.km10 <= before.km10:
            raise NetworkTableBroken(f"{title}: {after.station} is not behind {before.station}")
        if (after.calc_km10 is None) != (before.calc_km10 is None):
            raise NetworkTableBroken(f"{title}: only some stations have converted kilometres")
    inner = [row.station for row in rows[1:]]
    if len(set(inner)) != len(inner) or rows[0].station in inner[:-1]:
        raise NetworkTableBroken(f"{title}: a station stands twice")


def _check_totals(lines: dict[tuple[str, str], list[Interval]], tables: NetworkTables) -> None:
    for total in tables.line_totals:
        rows = lines.get((total.operator, total.line), [])
        if len(rows) != total.stations or rows[-1].km10 != total.km10:
            raise NetworkTableBroken(
                f"{total.operator} {total.line}: not {total.stations} stations in "
                f"{total.km10 / 10} km as published"
            )
