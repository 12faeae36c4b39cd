"""Stop signals of a process: SIGTERM, Ctrl-C, or the end of its parent process."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine


async def run_until_signalled(part: Coroutine[None, None, None], *, by_stdin: bool) -> None:
    """Run until finished, or until SIGTERM, Ctrl-C or, with `by_stdin`, the end of stdin."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(part)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    if by_stdin:
        loop.add_reader(0, lambda: os.read(0, 1) or task.cancel())
    with contextlib.suppress(asyncio.CancelledError):
        await task
