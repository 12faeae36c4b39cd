"""Start failures: one sentence with a remedy, exit code 1, and nothing created."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from madoguchi.embedded.start_failures import CannotStart, explained, look_before_start
from shared import migrate
from shared.testing.databases import TestDatabases
from shared.testing.servers import free_port


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root on Linux can mount a small file system")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def up(data: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "madoguchi.cli.main", "up", "--port", str(port), "--data", data],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = up(tmp_path / "data", port)
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_disk_too_small_for_new_data(small_disk: Path) -> None:
    done = up(small_disk / "data", free_port())
    assert done.returncode == 1
    assert "MB free, and new data take 300 MB" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(small_disk.iterdir())


def test_a_disk_that_becomes_full(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(19_900_000))
    with pytest.raises(CannotStart, match="is full"), explained(small_disk):
        (small_disk / "more").write_bytes(bytes(2_000_000))


def test_a_database_that_is_out_of_space(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="is full"), explained(tmp_path):
        raise ExceptionGroup("tasks", [asyncpg.DiskFullError("could not extend file")])


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(CannotStart, match="is a file"):
        look_before_start("127.0.0.1", free_port(), tmp_path / "data", embedded=True)


def test_a_data_folder_that_is_not_writable(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="/read/only cannot be written"), explained(tmp_path):
        raise OSError(errno.EROFS, "Read-only file system", "/read/only")


async def test_data_of_a_newer_version(
    tmp_path: Path, new_database: Callable[[str], Awaitable[str]], databases: TestDatabases
) -> None:
    url = databases.owner_url(await new_database("contracts_service"))
    connection = await asyncpg.connect(url)
    await connection.execute(
        "UPDATE alembic_version SET version_num = 'tomorrow'"
        " WHERE version_num = (SELECT max(version_num) FROM alembic_version)"
    )
    await connection.close()
    with (
        pytest.raises(CannotStart, match=r"written by a newer version .*git pull"),
        explained(tmp_path),
    ):
        await migrate.upgrade(url, "contracts_service")


def test_data_of_another_postgresql(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "log").write_text(
        "FATAL:  database files are incompatible with server\n"
        "DETAIL:  The data directory was initialized by PostgreSQL version 99\n"
    )
    with pytest.raises(CannotStart, match="another version of PostgreSQL"), explained(tmp_path):
        raise subprocess.CalledProcessError(1, "pg_ctl")


def test_an_unexpected_error_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ours"), explained(tmp_path):
        raise ValueError("ours")
