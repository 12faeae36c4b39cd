"""Virus scan of receipts: by a program, and by the socket of clamd (R103)."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from commuter_service.adapters.receipt_store import FolderStore
from commuter_service.adapters.virus_scan import scan_of
from commuter_service.settings import CommuterSettings

from ..receipt_files import EICAR, jpeg  # noqa: TID252 - files for all tests
from .conftest import TARO, CommuterApi, looked_up, refused
from .test_receipts import Serve, Uploads


def settings(**values: Any) -> CommuterSettings:
    needed = {"database_url": "x", "rabbitmq_url": "x", "issuer": "x", "jwks_url": "x"}
    return CommuterSettings.model_validate({**needed, **values})


@pytest.mark.rule("R103")
async def test_a_scanner_refuses_what_is_infected_and_stops_what_it_cannot_scan(
    commuter_api: CommuterApi, commuter_api_url: str, serve: Serve, tmp_path: Path
) -> None:
    program = tmp_path / "scan.py"
    program.write_text("import sys; sys.exit(b'EICAR' in sys.stdin.buffer.read())")
    slip, store = await commuter_api.slip(looked_up()), FolderStore(tmp_path / "kept")
    infected = jpeg(comment=EICAR)
    for command, content, status, code in (
        (f"{sys.executable} {program}", infected, 422, "FORM_ERRORS"),
        (f"{sys.executable} -c exit(2)", jpeg(), 503, "RECEIPT_SCAN_UNAVAILABLE"),
        ("/nowhere/scan", jpeg(), 503, "RECEIPT_SCAN_UNAVAILABLE"),
    ):
        scan = scan_of(settings(scan_command=command))
        async with serve(commuter_api_url, receipts=store, scan=scan) as api:
            problem = refused(await Uploads(api, store).send(TARO, slip, content), status, code)
    scan = scan_of(settings(scan_command=f"{sys.executable} {program}"))
    async with serve(commuter_api_url, receipts=store, scan=scan) as api:
        problem = refused(await Uploads(api, store).send(TARO, slip, infected), 422, "FORM_ERRORS")
        assert problem["errors"][0]["code"] == "RECEIPT_INFECTED"
        assert Uploads(api, store).files() == []
        assert (await Uploads(api, store).send(TARO, slip, jpeg())).status_code == 201


@asynccontextmanager
async def clamd() -> AsyncIterator[str]:
    """A server that speaks the part of clamd's protocol that is used."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(size)
        found = b"EICAR" in content
        writer.write(b"stream: Eicar FOUND\0" if found else b"stream: OK\0")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"127.0.0.1:{port}"


@pytest.mark.rule("R103")
async def test_clamd_scans_by_its_socket(
    commuter_api: CommuterApi, commuter_api_url: str, serve: Serve, tmp_path: Path
) -> None:
    slip, store = await commuter_api.slip(looked_up()), FolderStore(tmp_path)
    async with clamd() as address:
        scan = scan_of(settings(scan_clamd=address))
        async with serve(commuter_api_url, receipts=store, scan=scan) as api:
            infected = await Uploads(api, store).send(TARO, slip, jpeg(comment=EICAR))
            assert refused(infected, 422, "FORM_ERRORS")["errors"][0]["code"] == "RECEIPT_INFECTED"
            assert (await Uploads(api, store).send(TARO, slip, jpeg())).status_code == 201
