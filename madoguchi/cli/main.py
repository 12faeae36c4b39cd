"""The product's command line: `uv run madoguchi ...`."""

import asyncio
import signal
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn

import typer
from rich.console import Console
from typer.core import TyperGroup

from contracts_service.rules.master_file import MasterKind
from madoguchi.cli.options import DATA_FOLDER, Data, Url
from madoguchi.embedded.demo.size import Demo


class LazyCommands(TyperGroup):
    """Loads the commands that stand elsewhere when they are called: some bring much along."""

    elsewhere: ClassVar[dict[str, str]] = {
        "backup": "madoguchi.cli.backup:backup_command",
        "restore": "madoguchi.cli.backup:restore_command",
        "erase-customer": "madoguchi.cli.retention:erase_command",
        "retention": "madoguchi.cli.retention:retention",
        "events": "madoguchi.cli.events:events",
        "dealer": "madoguchi.cli.dealer_credentials:dealer",
        "conformance": "madoguchi.cli.ingress_conformance:conformance",
        "commuter": "madoguchi.cli.transit_data:commuter",
        "fare": "commuter_service.cli:app",
    }

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all."""
        return [*super().list_commands(ctx), *self.elsewhere]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name."""
        if place := self.elsewhere.get(cmd_name):
            module, _, name = place.partition(":")
            command = typer.main.get_command(getattr(import_module(module), name))
            command.name = cmd_name
            return command
        return super().get_command(ctx, cmd_name)


main = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
console = Console()


@main.command()
def up(  # noqa: PLR0913 - every flag is an argument
    port: Annotated[int, typer.Option(help="where the pages are")] = 8400,
    data: Data = DATA_FOLDER,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget everything first")] = False,
    rabbitmq: Annotated[str | None, typer.Option(help="amqp://...: events go over it")] = None,
    postgres: Annotated[
        str | None, typer.Option(help="postgresql://... of a superuser: databases lie there")
    ] = None,
    processes: Annotated[
        bool, typer.Option("--processes", help="each service as processes; needs --rabbitmq")
    ] = False,
    event_prefix: Annotated[
        str, typer.Option(help="keeps several installations on one broker apart")
    ] = "",
    otlp: Annotated[
        str | None, typer.Option(help="http://host:4318 of a collector: traces go there")
    ] = None,
    demo: Annotated[
        Demo, typer.Option(help="what a first start finds: living, small (no work done) or none")
    ] = Demo.LIVING,
    verbose: Annotated[bool, typer.Option("--verbose", help="log every request")] = False,
) -> None:
    """Start everything in one process, with demo data, a mail catcher and demo logins."""
    if processes and rabbitmq is None:
        raise typer.BadParameter("--processes needs --rabbitmq amqp://user:password@host:5672/")
    from madoguchi.embedded.start_failures import CannotStart, explained, look_before_start

    try:
        look_before_start("127.0.0.1", port, data.resolve(), embedded=postgres is None)
    except CannotStart as sentence:
        _end_with(sentence)
    new = "" if data.exists() else ": databases and demo data are made first"
    typer.echo(f"Starting with the data in {data.resolve()}{new} ...", err=True)
    embedded = None if postgres else _start_postgres(data.resolve())

    import uvloop

    from madoguchi.embedded.all_in_one import Application, RunConfig, run
    from shared import logging, tracing
    from shared.main import tune_gc

    level = "INFO" if verbose else "WARNING"
    logging.configure(pretty=True, level=level)
    plan = RunConfig(
        port,
        data.resolve(),
        fresh=fresh,
        rabbitmq=rabbitmq,
        postgres=postgres,
        processes=processes,
        event_prefix=event_prefix,
        otlp=otlp,
        demo=demo,
        log_level=level,
    )

    def making(parts: Application) -> None:
        console.print(f"\n  窓口 Madoguchi   [bold]{parts.plan.url}[/bold]")
        console.print("  The demo data is being made; the page says how far it is.")

    def ready(parts: Application) -> None:
        console.print(f"\n  窓口 Madoguchi   [bold]{parts.plan.url}[/bold]")
        console.print(f"  mails            {parts.plan.url}/mailbox")
        console.print("  log in as        山田 太郎 (sales), 佐藤 誠 (store manager),")
        console.print("                   田中 裕子 (headquarters), 渡辺 恵子 (finance company):")
        console.print("                   choose on the login page; no password is asked")
        console.print(f"  data             {parts.plan.data}")
        console.print("  Ctrl-C stops it.\n")
        sys.stdout.flush()

    tune_gc()
    tracing.start("madoguchi", otlp)
    try:
        with explained(plan.data):
            uvloop.run(run(plan, ready=ready, making=making, embedded=embedded))
    except CannotStart as sentence:
        _end_with(sentence)
    tracing.stop()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the embedded parts stop at exit, undisturbed


def _end_with(sentence: Exception) -> NoReturn:
    typer.echo(str(sentence), err=True)
    raise typer.Exit(1) from None


def _start_postgres(data: Path) -> Future[str]:
    """Start the embedded server while this process still imports what it needs."""
    from madoguchi.embedded.postgres import start_embedded

    data.mkdir(parents=True, exist_ok=True)
    return ThreadPoolExecutor(1).submit(start_embedded, data)


@main.command("import-contracts")
def import_contracts(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Japanese header")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Take contracts in from a CSV: all of them, or none and every fault by its line."""
    from madoguchi.cli.imports import import_files

    raise typer.Exit(asyncio.run(import_files(file, data, database, console)))


@main.command("import-masters")
def import_masters(
    kind: Annotated[MasterKind, typer.Argument(help="what the file is about")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Japanese header")],
    data: Data = DATA_FOLDER,
    database: Url = None,
) -> None:
    """Take a master in from a CSV: all of its rows, or none and every fault by its line."""
    from madoguchi.cli.imports import import_files

    raise typer.Exit(asyncio.run(import_files(file, data, database, console, kind)))


@main.command()
def workflow(
    form: Annotated[str, typer.Option("--format", help="mermaid or csv")] = "mermaid",
) -> None:
    """Print every transition of a return application, from the one table that decides them."""
    from returns_service.return_workflow_diagram import workflow_csv, workflow_mermaid

    forms = {"mermaid": workflow_mermaid, "csv": workflow_csv}
    if form not in forms:
        raise typer.BadParameter("--format is mermaid or csv")
    sys.stdout.write(forms[form]())


if __name__ == "__main__":
    main()
