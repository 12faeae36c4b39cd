"""Start failures that a user can fix: each as one sentence with what to do.

Conditions that can be checked in advance are checked before anything is created.
"""

import errno
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from shared.migrate import NewerDatabase

NEW_DATA_MB = 300
NO_SPACE, FULL_BELOW = "No space left on device", 1_000_000


class CannotStart(Exception):
    """The cause of a failed start, and what to do."""


def look_before_start(host: str, port: int, data: Path, *, embedded: bool) -> None:
    """Raise CannotStart if the port, the data folder or the disk prevents the start."""
    _check_port(host, port)
    there = next(folder for folder in (data, *data.parents) if folder.exists())
    if not there.is_dir():
        raise CannotStart(f"{there} is a file, not a folder. Name a folder: --data DIR")
    free_mb = shutil.disk_usage(there).free // 1_000_000
    if embedded and not (data / "postgres" / "PG_VERSION").exists() and free_mb < NEW_DATA_MB:
        raise CannotStart(
            f"The disk of {data} has {free_mb} MB free, and new data take {NEW_DATA_MB} MB."
            " Free some, or name a folder elsewhere: --data DIR"
        )


@contextmanager
def explained(data: Path) -> Iterator[None]:
    """Raise CannotStart instead of an error that a user can fix."""
    try:
        yield
    except Exception as error:
        sentence = _explain(error, data)
        if sentence is None:
            raise
        raise CannotStart(sentence) from error


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            other = f"or choose another one: --port {port + 1 if port > 1023 else 8400}"  # noqa: PLR2004
            if error.errno == errno.EADDRINUSE:
                raise CannotStart(
                    f"Port {port} is in use, perhaps by another Madoguchi. Stop that, {other}"
                ) from error
            raise CannotStart(f"Port {port} cannot be opened: {error.strerror}; {other}") from error


def _explain(error: BaseException, data: Path) -> str | None:
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return _explain(error.exceptions[0], data)
    if isinstance(error, NewerDatabase):
        return (
            f"{data} was written by a newer version ({error}). Update this one (git pull), or start"
            " with other data: --data DIR"
        )
    if isinstance(error.__cause__ or error, asyncpg.DiskFullError):
        return _disk_is_full(data)
    if isinstance(error, OSError):
        return _explain_file(error, data)
    if isinstance(error, subprocess.CalledProcessError | subprocess.TimeoutExpired):
        return _explain_postgres(data)
    return None


def _explain_file(error: OSError, data: Path) -> str | None:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _disk_is_full(data)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}:
        place = error.filename or data
        return f"{place} cannot be written: {error.strerror}. Name another folder: --data DIR"
    return None


def _explain_postgres(data: Path) -> str | None:
    """The cause of a failed start, from the log of the embedded server."""
    log = data / "postgres" / "log"
    log_text = log.read_text(errors="replace") if log.exists() else ""
    if NO_SPACE in log_text or shutil.disk_usage(data).free < FULL_BELOW:
        return _disk_is_full(data)
    if "incompatible with server" in log_text.rpartition("starting PostgreSQL")[2]:
        return (
            f"{data} was written by another version of PostgreSQL. Update this Madoguchi (git"
            " pull), or start with other data: --data DIR"
        )
    return None


def _disk_is_full(data: Path) -> str:
    return f"The disk of {data} is full. Free some space and start again; nothing is lost."
