"""S3 server of tests: moto as a process of its own, with an empty bucket."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

BUCKET = "receipts"
TRIES, PAUSE_S = 300, 0.1


@asynccontextmanager
async def s3_server() -> AsyncIterator[str]:
    """Its address, with the bucket `receipts`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _make_bucket(url)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _make_bucket(url: str) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(TRIES):
            try:
                (await http.put(f"{url}/{BUCKET}", content=b"")).raise_for_status()
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_S)
            else:
                return
    raise TimeoutError(url)
