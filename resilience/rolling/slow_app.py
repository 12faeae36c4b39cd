"""Slow application: `python -m resilience.rolling.slow_app PORT IDLE_S`."""

import asyncio
import sys

import uvloop
from fastapi import FastAPI

from shared.graceful_shutdown import GracefulServer

app = FastAPI()


@app.post("/slow/{seconds}")
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


if __name__ == "__main__":
    port, idle_s = sys.argv[1:]
    uvloop.run(GracefulServer(app, "127.0.0.1", int(port), idle_s=float(idle_s)).serve())
