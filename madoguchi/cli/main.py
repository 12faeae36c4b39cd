"""Command line of the product: `uv run madoguchi ...`."""

import asyncio
import signal
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from contracts_service.rules.master_file import MasterKind
from madoguchi.cli.lazy_commands import LazyCommands, print_version
from madoguchi.cli.options import DATA_FOLDER, Data, Folder, Url
from madoguchi.embedded.demo.size import Demo
from madoguchi.embedded.run_config import RunConfig

SANDBOX_FOLDER = Path(".madoguchi/sandbox")


class SandboxDealer(StrEnum):
    """The demo's dealers whose people are on the login page."""

    D01 = "D01"
    D02 = "D02"


main = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@main.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="print the version"),
    ] = False,
) -> None:
    """Madoguchi: start, operate, back up. Exit codes: docs/command-line.md."""


@main.command()
def up(  # noqa: PLR0913 - every flag is an argument
    port: Annotated[int, typer.Option(help="port of the pages")] = 8400,
    data: Folder = DATA_FOLDER,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="delete all data first")] = False,
    rabbitmq: Annotated[
        str | None, typer.Option(help="amqp://...: publish events through this broker")
    ] = None,
    postgres: Annotated[
        str | None, typer.Option(help="postgresql://... of a superuser: create the databases there")
    ] = None,
    processes: Annotated[
        bool, typer.Option("--processes", help="run each service as processes; needs --rabbitmq")
    ] = False,
    event_prefix: Annotated[
        str, typer.Option(help="separates several installations on one broker")
    ] = "",
    otlp: Annotated[
        str | None, typer.Option(help="http://host:4318 of a collector that receives traces")
    ] = None,
    demo: Annotated[
        Demo, typer.Option(help="demo data of a first start: living, small (no work done) or none")
    ] = Demo.LIVING,
    verbose: Annotated[bool, typer.Option("--verbose", help="log every request")] = False,
) -> None:
    """Start everything in one process, with demo data, a mail catcher and demo logins."""
    _start(
        RunConfig(
            port,
            data.resolve(),
            fresh=fresh,
            rabbitmq=rabbitmq,
            postgres=postgres,
            processes=processes,
            event_prefix=event_prefix,
            otlp=otlp,
            demo=demo,
            log_level="INFO" if verbose else "WARNING",
        )
    )


@main.command()
def sandbox(
    port: Annotated[int, typer.Option(help="port of the pages")] = 8400,
    data: Folder = SANDBOX_FOLDER,
    *,
    dealer: Annotated[SandboxDealer, typer.Option(help="the dealer's code")] = SandboxDealer.D01,
    fresh: Annotated[bool, typer.Option("--fresh", help="delete all data first")] = False,
) -> None:
    """Start a sandbox for a dealer's developer: data, a key, and a page of what arrives."""
    _start(RunConfig(port, data.resolve(), fresh=fresh, demo=Demo.SMALL, sandbox=dealer.value))


def _start(config: RunConfig) -> None:
    """Check that it can start, then run it; a known failure ends with a sentence."""
    if config.processes and config.rabbitmq is None:
        raise typer.BadParameter("--processes needs --rabbitmq amqp://user:password@host:5672/")
    from madoguchi.embedded.start_failures import CannotStart, explained, look_before_start

    try:
        look_before_start("127.0.0.1", config.port, config.data, embedded=config.postgres is None)
        new = "" if config.data.exists() else ": creating databases and demo data first"
        typer.echo(f"Starting with the data in {config.data}{new} ...", err=True)
        embedded = None if config.postgres else _start_postgres(config.data)
        with explained(config.data):
            _serve(config, embedded)
    except CannotStart as sentence:
        _end_with(sentence)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # let the embedded parts stop at exit undisturbed


def _serve(config: RunConfig, embedded: Future[str] | None) -> None:
    """Run the all-in-one until Ctrl-C; `embedded` is a PostgreSQL that is starting."""
    import uvloop
    from rich.console import Console

    from madoguchi.embedded.all_in_one import run
    from shared import logging, tracing
    from shared.main import tune_gc

    console = Console()
    logging.configure(pretty=True, level=config.log_level)

    def on_demo_start() -> None:
        console.print(f"\n  窓口 Madoguchi   [bold]{config.url}[/bold]")
        console.print("  The demo data is being created; the page shows the progress.")

    def ready() -> None:
        console.print(f"\n  窓口 Madoguchi   [bold]{config.url}[/bold]")
        if config.sandbox:
            print_sandbox(config)
        console.print(f"  mails            {config.url}/mailbox")
        console.print("  log in as        山田 太郎 (sales), 佐藤 誠 (store manager),")
        console.print("                   田中 裕子 (headquarters), 渡辺 恵子 (finance company):")
        console.print("                   choose on the login page; no password is asked")
        console.print(f"  data             {config.data}")
        console.print("  Ctrl-C stops it.\n")
        sys.stdout.flush()

    tune_gc()
    tracing.start("madoguchi", config.otlp)
    uvloop.run(run(config, ready=ready, on_demo_start=on_demo_start, embedded=embedded))
    tracing.stop()


def print_sandbox(config: RunConfig) -> None:
    """Print what a dealer's developer needs for the first message."""
    key = (config.data / "sandbox-key").read_text(encoding="utf-8")
    typer.echo(f"  sandbox          {config.url}/sandbox/")
    typer.echo(f"  export MADOGUCHI_URL={config.url} MADOGUCHI_DEALER={config.sandbox}")
    typer.echo(f"  export MADOGUCHI_KEY={key}")


def _end_with(sentence: Exception) -> NoReturn:
    typer.echo(str(sentence), err=True)
    raise typer.Exit(1) from None


def _start_postgres(data: Path) -> Future[str]:
    """Start the embedded server in the background, while this process is still importing."""
    from madoguchi.embedded.postgres import start_embedded

    data.mkdir(parents=True, exist_ok=True)
    return ThreadPoolExecutor(1).submit(start_embedded, data)


@main.command("import-contracts")
def import_contracts(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Japanese header")],
    data: Data = None,
    database: Url = None,
) -> None:
    """Import contracts from a CSV: all rows, or none and every error by its line."""
    from madoguchi.cli.imports import import_files

    raise typer.Exit(asyncio.run(import_files(file, data, database)))


@main.command("import-masters")
def import_masters(
    kind: Annotated[MasterKind, typer.Argument(help="the kind of master")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Japanese header")],
    data: Data = None,
    database: Url = None,
) -> None:
    """Import a master from a CSV: all rows, or none and every error by its line."""
    from madoguchi.cli.imports import import_files

    raise typer.Exit(asyncio.run(import_files(file, data, database, kind)))


@main.command()
def workflow(
    form: Annotated[str, typer.Option("--format", help="mermaid or csv")] = "mermaid",
) -> None:
    """Print every transition of a return application, from the table of steps."""
    from returns_service.return_workflow_diagram import workflow_csv, workflow_mermaid

    forms = {"mermaid": workflow_mermaid, "csv": workflow_csv}
    if form not in forms:
        raise typer.BadParameter("--format is mermaid or csv")
    sys.stdout.write(forms[form]())


if __name__ == "__main__":
    main()
