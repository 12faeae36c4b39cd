"""`python -m tests.rolling.slow_app PORT`: an application that takes its time, and stops well."""

import asyncio
import sys

import uvloop
from fastapi import FastAPI

from shared.draining import Server

app = FastAPI()


@app.post("/slow/{seconds}")
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


if __name__ == "__main__":
    uvloop.run(Server(app, "127.0.0.1", int(sys.argv[1])).serve())
