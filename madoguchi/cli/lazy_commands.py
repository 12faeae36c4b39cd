"""The group of all commands: each is imported when it runs, so that every command starts fast."""

from importlib import import_module
from importlib.metadata import version
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from madoguchi.cli.failures import explain


class Elsewhere(NamedTuple):
    """A command in another module; `help` is its first line, for the list of all commands."""

    module: str
    name: str
    help: str


class LazyCommands(TyperGroup):
    """Imports a command when it is used; ends with one line for a failure that can be explained."""

    elsewhere: ClassVar[dict[str, Elsewhere]] = {
        "backup": Elsewhere(
            "madoguchi.cli.backup",
            "backup_command",
            "Dump the databases of all services, consistent at one instant.",
        ),
        "restore": Elsewhere(
            "madoguchi.cli.backup",
            "restore_command",
            "Fill empty databases from a backup; no service may be running on them.",
        ),
        "erase-customer": Elsewhere(
            "madoguchi.cli.retention",
            "erase_command",
            "Erase the customer of a contract in every service. This cannot be undone.",
        ),
        "retention": Elsewhere(
            "madoguchi.cli.retention", "retention", "Customers whose contracts ended long ago."
        ),
        "events": Elsewhere(
            "madoguchi.cli.events", "events", "Dead letters, gaps, replay and the event log."
        ),
        "doctor": Elsewhere(
            "madoguchi.cli.doctor",
            "doctor_command",
            "Check roles, encryption and the connections that all processes may open.",
        ),
        "dealer": Elsewhere(
            "madoguchi.cli.dealer_credentials", "dealer", "Dealers' systems that may send events."
        ),
        "conformance": Elsewhere(
            "madoguchi.cli.interface_conformance",
            "conformance",
            "Check a test system, or one message, against the documentation.",
        ),
        "sessions": Elsewhere(
            "madoguchi.cli.sessions", "sessions", "Sessions of people at the portal."
        ),
        "commuter": Elsewhere(
            "madoguchi.cli.transit_data", "commuter", "Network and tariffs of the route search."
        ),
        "fare": Elsewhere(
            "commuter_service.cli", "app", "Candidates between two stations, or prices of a file."
        ),
    }

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return [*super().list_commands(ctx), *self.elsewhere]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What the list of commands shows of this one."""
        if found := self.elsewhere.get(cmd_name):
            return TyperCommand(cmd_name, help=found.help, short_help=found.help)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, imported now."""
        if args and (found := self.elsewhere.get(args[0])):
            command = typer.main.get_command(getattr(import_module(found.module), found.name))
            command.name = args[0]
            return args[0], command, args[1:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a failure that an operator can end is one line on standard error."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            is_wrong_use = hasattr(error, "format_message")
            explained = None if is_wrong_use else explain(error)
            if explained is None:
                raise
            code, sentence = explained
            typer.echo(" ".join(sentence.split()), err=True)
            raise typer.Exit(code) from None


def print_version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        typer.echo(f"madoguchi {version('madoguchi')}")
        raise typer.Exit
