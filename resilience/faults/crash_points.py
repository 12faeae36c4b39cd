"""Crash points: a process dies at a named point, or runs without one guarantee, on order.

Only the programs of the fault runs use this; they receive orders through a pipe. When the pipe
closes, the controlling process is gone and this process exits too, so none is left behind.
"""

import asyncio
import contextlib
import os
import signal
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import get_args

from shared.fault_injection import CrashPoint, FaultHooks

CRASH_POINTS: tuple[CrashPoint, ...] = get_args(CrashPoint)
# Another task writes frames to the socket: shortly afterwards they have really been sent.
FRAMES_ARE_OUT_AFTER = 0.003


@dataclass(slots=True)
class _Order:
    point: CrashPoint | None = None
    passings: int = 0


@dataclass(frozen=True, slots=True)
class ArmedFaults(FaultHooks):
    """Kills its own process at the k-th passing of a point, once ordered to."""

    order: _Order = field(default_factory=_Order)

    def arm(self, point: CrashPoint, passings: int) -> None:
        """Die at the `passings`-th time that `point` is reached from now on."""
        self.order.point, self.order.passings = point, passings

    def crash_point(self, point: CrashPoint) -> None:
        """Die, if ordered for this point and passing."""
        if point != self.order.point:
            return
        self.order.passings -= 1
        if self.order.passings != 0:
            return
        if point == "after_publish_before_confirm":
            asyncio.get_running_loop().call_later(FRAMES_ARE_OUT_AFTER, die)
        else:
            die()

    def obey(self, orders: Connection) -> None:
        """Receive orders through a pipe: a point and a number of passings each."""
        threading.Thread(target=self._obey, args=(orders,), daemon=True).start()

    def _obey(self, orders: Connection) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.arm(*orders.recv())
        os._exit(0)


def die() -> None:
    """End this process as a power failure would."""
    os.kill(os.getpid(), signal.SIGKILL)
