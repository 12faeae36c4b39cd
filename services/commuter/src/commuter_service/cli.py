"""Fare command line: candidates between two stations, the price of a route or a file of rides.

`app` is that command alone, for the product's command line.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from fare_engine.errors import FareError
from fare_engine.fares.batch import (
    APPENDED,
    CANDIDATE_COLUMNS,
    COLUMNS,
    Avoided,
    PlacesMissing,
    check_ends,
    list_candidates,
    parse_day,
    parse_medium,
    price_batch,
    trains_text,
)
from fare_engine.fares.explanation_model import Explanation, as_json
from fare_engine.fares.pricing import Terms, price
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.station_lookup import SeveralStationsRefused
from fare_engine.routing.candidates import (
    Candidate,
    Order,
    SearchRequest,
    candidates,
    operators_avoided,
)
from fare_engine.routing.route_text import CommuterPass, parse_pass, parse_route
from shared.csv_text import CsvUnreadable, csv_rows, filled

REFUSED = 1


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def fare(  # noqa: PLR0913, PLR0917 - each is an option of the command
    start: Annotated[str | None, typer.Argument(metavar="FROM", help="出発駅")] = None,
    end: Annotated[str | None, typer.Argument(metavar="TO", help="到着駅")] = None,
    on: Annotated[str | None, typer.Option("--date", help="明細の日付(既定は今日)")] = None,
    medium: Annotated[str, typer.Option(help="ic か ticket")] = "ic",
    via: Annotated[list[str] | None, typer.Option(help="経由駅(複数可)")] = None,
    avoid: Annotated[list[str] | None, typer.Option(help="使わない事業者(複数可)")] = None,
    only: Annotated[list[str] | None, typer.Option(help="この事業者だけを使う(複数可)")] = None,
    route: Annotated[str | None, typer.Option(help="経路 駅:路線:駅…")] = None,
    passes: Annotated[
        list[str] | None, typer.Option("--pass", help="定期区間 駅:路線:駅…[開始日~終了日]")
    ] = None,
    order: Annotated[Order, typer.Option("--sort", help="候補の並び順")] = Order.RECOMMENDED,
    as_text: Annotated[bool, typer.Option("--json", help="JSONで出力")] = False,
    batch: Annotated[Path | None, typer.Option(help="CSVの全行を計算する")] = None,
    every: Annotated[
        bool, typer.Option("--candidates", help="--batchの各行のすべての候補を出力")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="--batchの出力先(既定は標準出力)")] = None,
) -> None:
    """Look up fares, and what is left of them after the passes (運賃と定期区間控除)."""
    avoided = Avoided(tuple(avoid or ()), tuple(only or ()))
    if batch is not None:
        _price_file(batch, out, avoided, order if every else None)
        return
    try:
        terms = Terms(_day(on), parse_medium(medium))
        own = _passes(passes or ())
        if route is not None:
            _price_route(route, (start or "", end or ""), terms, own, as_text=as_text)
        elif start and end:
            others = operators_avoided(packaged_tariffs().network, avoided.avoid, avoided.only)
            places = (start, end, terms.on, terms.medium, tuple(via or ()))
            _show_candidates(
                SearchRequest(*places, others, own, order=order), terms, as_text=as_text
            )
        else:
            raise PlacesMissing("出発駅と到着駅、または--routeを指定してください")
    except FareError as fact:
        _refuse(fact, as_text=as_text)


def _day(text: str | None) -> date:
    return parse_day(text) if text else datetime.now(ZoneInfo("Asia/Tokyo")).date()


def _passes(texts: Iterable[str]) -> tuple[CommuterPass, ...]:
    network = packaged_tariffs().network
    return tuple(parse_pass(network, text, str(i)) for i, text in enumerate(texts, start=1))


def _price_route(
    route: str, ends: tuple[str, str], terms: Terms, own: tuple[CommuterPass, ...], *, as_text: bool
) -> None:
    tariffs = packaged_tariffs()
    ride = parse_route(tariffs.network, route)
    check_ends(ride, *ends)
    _show_price(price(ride, terms, own, tariffs), as_text=as_text)


def _refuse(fact: FareError, *, as_text: bool) -> None:
    several = fact.refused if isinstance(fact, SeveralStationsRefused) else {}
    if as_text:
        errors = [{"field": field, **_error_json(one)} for field, one in several.items()]
        _print_json({"error": _error_json(fact) | ({"errors": errors} if errors else {})})
    else:
        for one in several.values() or [fact]:
            typer.echo(f"{one.code}: {one.message}", err=True)
    raise typer.Exit(REFUSED)


def _error_json(fact: FareError) -> dict[str, Any]:
    details = {
        name: list(getattr(fact, name))
        for name in ("suggestions", "choices")
        if hasattr(fact, name)
    }
    return {"code": fact.code, "message": fact.message, **details}


def _show_price(priced: Explanation, *, as_text: bool) -> None:
    if as_text:
        _print_json(_priced_json(priced))
        return
    typer.echo(f"経路 {priced.route}")
    typer.echo(f"運賃 {priced.through_yen}円  控除 {priced.deduction_yen}円")
    typer.echo(f"支払 {priced.charged_yen}円")
    for run in priced.runs:
        typer.echo(f"  {run.operator} {run.why}")
    for one in priced.passes:
        typer.echo(f"  定期{one.pass_id} {one.route} {one.period}: {one.why}")
    for notice in priced.notices:
        typer.echo(f"  {notice.message}")


def _show_candidates(asked: SearchRequest, terms: Terms, *, as_text: bool) -> None:
    tariffs = packaged_tariffs()
    found = candidates(asked, tariffs)
    if as_text:
        priced = [_candidate_json(one, terms, asked.passes, tariffs) for one in found]
        _print_json({"candidates": priced})
        return
    table = Table("", "分", "乗換", "運賃", "支払", "", "列車", "経路")
    for number, one in enumerate(found, start=1):
        figures = (number, one.minutes, one.changes, one.through_yen, one.charged_yen)
        labels = "・".join(label.label_ja for label in one.labels)
        table.add_row(*map(str, figures), labels, trains_text(one.trains), str(one.route))
    Console().print(table)


def _candidate_json(
    one: Candidate, terms: Terms, passes: tuple[CommuterPass, ...], tariffs: Tariffs
) -> dict[str, Any]:
    figures = {
        "minutes": one.minutes,
        "changes": one.changes,
        "trains": as_json(one.trains),
        "labels": as_json(one.labels),
    }
    return figures | _priced_json(price(one.route, terms, passes, tariffs))


def _priced_json(priced: Explanation) -> dict[str, Any]:
    """A priced route by the names that the batch uses, with the whole explanation behind it."""
    return {
        "route": priced.route,
        "through_fare": priced.through_yen,
        "charged": priced.charged_yen,
        "why": priced.why,
        "explanation": as_json(priced),
    }


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _price_file(path: Path, out: Path | None, avoided: Avoided, order: Order | None) -> None:
    """Price a file; with an order, list its candidates in that order."""
    if not path.is_file():
        raise typer.BadParameter(f"{path} がありません", param_hint="--batch")
    rows = _rows_of(path)
    columns = list(rows[0]) if rows else list(COLUMNS)
    missing = [column for column in ("date",) if column not in columns]
    if missing:
        raise typer.BadParameter(f"列がありません: {'、'.join(missing)}", param_hint="--batch")
    tariffs = packaged_tariffs()
    appended: tuple[str, ...] = APPENDED
    priced: Iterator[list[dict[str, str]]]
    if order is None:
        priced = ([one] for one in price_batch(rows, tariffs, avoided))
    else:
        appended = (*CANDIDATE_COLUMNS, "route", *APPENDED)
        priced = list_candidates(rows, tariffs, order, avoided)
    kept = [column for column in columns if column not in appended and column is not None]
    shown = _with_progress(priced, len(rows))
    if out is None:
        _write(shown, [*kept, *appended], sys.stdout)
        return
    with out.open("w", encoding="utf-8", newline="") as target:
        _write(shown, [*kept, *appended], target)


def _rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a file by the names of their columns."""
    try:
        heading, *rows = [cells for _, cells in csv_rows(path.read_bytes())] or [[]]
    except CsvUnreadable as broken:
        message = (
            f"{broken.line}行目からCSVとして読み取れません" if broken.line else "CSVではありません"
        )
        raise typer.BadParameter(message, param_hint="--batch") from None
    return [dict(zip(heading, filled(cells, len(heading)), strict=False)) for cells in rows]


def _write(priced: Iterator[list[dict[str, str]]], columns: list[str], target: TextIO) -> None:
    writer = csv.DictWriter(target, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for rows in priced:
        writer.writerows(rows)


def _with_progress(
    priced: Iterator[list[dict[str, str]]], total: int
) -> Iterator[list[dict[str, str]]]:
    """Show progress beside the data: on the error stream, so that a pipe stays clean."""
    columns = ("運賃計算", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(priced, total=total)
