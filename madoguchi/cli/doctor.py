"""Doctor command: `madoguchi doctor` checks what a deployment needs from its databases.

For each service, from the environment of its processes (`CONTRACTS_DATABASE_URL` and so on): the
database answers, the role owns no table, the connection is encrypted where it leaves the machine.
Together: the connections that all processes may open fit into what each server accepts.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import typer

from madoguchi.cli.databases import variable
from madoguchi.cli.failures import ExitCode
from madoguchi.cli.options import AsJson, ServiceName, single
from madoguchi.cli.output import print_json, print_line
from shared.postgres_connection import DatabaseUnavailable, connect

LISTENING = 2
"""Connections of a worker besides its pool: the listener's, and one that asks who is there."""
STATE = """
    SELECT current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true), '0')::int AS accepted,
           EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
                   AND relowner = current_user::regrole) AS owns,
           inet_client_addr() IS NULL OR inet_client_addr() << '127.0.0.0/8' AS near,
           (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS encrypted
"""

doctor_command = single()


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes of each service run, and the pool of each."""

    apis: int
    workers: int

    def connections(self, pool: int) -> int:
        """The most connections that they open to their database."""
        return self.apis * pool + self.workers * (pool + LISTENING)


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked of one service's database."""

    server: str
    accepted: int
    needed: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is said of one service or server."""

    about: str
    sound: bool
    text: str


@doctor_command.command()
def doctor(
    apis: Annotated[int, typer.Option(min=0, help="API processes of each service, at most")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="workers of each service, at most")] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Check roles, encryption and the connections that all processes may open; exit 1 if wrong."""
    named = {str(name): os.environ.get(variable(name)) for name in ServiceName}
    urls = {name: url for name, url in named.items() if url}
    if not urls:
        raise typer.BadParameter("Set CONTRACTS_DATABASE_URL and so on, as for the processes.")
    found = asyncio.run(_check(urls, Processes(apis, workers)))
    if as_json:
        print_json(found)
    else:
        for one in found:
            print_line(f"{one.about}: {one.text}")
    if not all(one.sound for one in found):
        raise typer.Exit(ExitCode.REFUSED)


def pool_of(service: str) -> int:
    """The size of the pools of a service's processes. Raises BadParameter."""
    name = f"{service.upper()}_DATABASE_CONNECTIONS"
    written = os.environ.get(name, "10")
    if not written.isascii() or not written.isdigit():
        raise typer.BadParameter(f"{name} is not a number: {written!r}")
    return int(written)


async def _check(urls: Mapping[str, str], processes: Processes) -> list[Diagnosis]:
    found: dict[str, list[Found]] = defaultdict(list)
    said = []
    for name, url in urls.items():
        try:
            one = await examine(url, processes.connections(pool_of(name)))
        except DatabaseUnavailable as cause:
            said.append(Diagnosis(name, sound=False, text=str(cause)))
            continue
        found[one.server].append(one)
        text = f"{'; '.join(one.wrong) or 'sound'}; up to {one.needed} connections"
        said.append(Diagnosis(name, sound=not one.wrong, text=text))
    for server, services in found.items():
        needed, accepted = sum(one.needed for one in services), services[0].accepted
        fits = needed <= accepted
        verdict = "enough" if fits else "TOO FEW: raise max_connections or lower the pools"
        text = f"accepts {accepted}, all processes may open {needed}: {verdict}"
        said.append(Diagnosis(server, sound=fits, text=text))
    return said


async def examine(url: str, needed: int) -> Found:
    """Look at one service's database. Raises DatabaseUnavailable."""
    connection = await connect(url)
    try:
        [state] = await connection.fetch(STATE)
    finally:
        await connection.close()
    parts = urlsplit(url)
    wrong = []
    if state["owns"]:
        wrong.append("its role owns tables: give the processes the app role (docs/deploy.md)")
    if not state["encrypted"] and not state["near"]:
        wrong.append("its connection is not encrypted: add ?sslmode=verify-full&sslrootcert=FILE")
    server = f"{parts.hostname or 'local socket'}:{parts.port or 5432}"
    return Found(server, state["accepted"], needed, tuple(wrong))
