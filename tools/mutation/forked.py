"""pytest in a child of a process that has imported the libraries already.

A start of pytest with FastAPI, SQLAlchemy and Hypothesis takes three seconds of processor time,
more than most tests of a mutant. The child inherits the imports and nothing of our own code.
"""

import contextlib
import importlib
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

LIBRARIES = (
    *("aio_pika", "aiosmtpd.controller", "alembic.command", "asyncpg"),
    *("cryptography.fernet", "fastapi", "httpx", "hypothesis"),
    *("hypothesis.stateful", "jaconv", "joserfc.jwt", "jpholiday"),
    *("numpy", "opentelemetry.sdk.trace", "orjson", "prometheus_client"),
    *("pydantic_settings", "pytest", "pytest_asyncio", "pytest_timeout"),
    *(
        "sqlalchemy.dialects.postgresql.asyncpg",
        "sqlalchemy.ext.asyncio",
        "starlette.templating",
        "structlog",
    ),
    *("uvicorn", "uvloop", "xdist.plugin", "xdist.remote"),
)
SOURCES = ("", "contracts-schema/src", "shared/src", "fare-engine/src")


MOST_BYTES = 4 << 30
"""An endless loop that collects something must not take the memory of the machine."""


class Ended(NamedTuple):
    """How a child ended: what it returned, or nothing where it was stopped or died."""

    answer: Any
    stopped: bool
    cpu_s: float


def import_libraries() -> None:
    """Import what the children share, once; a library that is not there is imported by nobody."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def sources_of(root: Path) -> list[str]:
    """The folders that modules of a copy of the repository are imported from."""
    services = sorted(str(path) for path in (root / "services").glob("*/src"))
    return [*(str(root / source) for source in SOURCES), *services]


def run(root: Path, work: Callable[[], Any], *, cpu_s: int, seconds: float) -> Ended:
    """Call `work` in a child whose modules come from `root`, within so much time."""
    reading, writing = os.pipe()
    begun = _children_cpu()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_child(root, work, writing, cpu_s)
    os.close(writing)
    answer, stopped = _wait_for(reading, child, time.monotonic() + seconds)
    os.waitpid(child, 0)
    _kill(child)
    return Ended(answer, stopped, _children_cpu() - begun)


def _be_child(root: Path, work: Callable[[], Any], writing: int, cpu_s: int) -> None:
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(root)
        sys.path[:0] = sources_of(root)
        os.environ["PYTHONPATH"] = os.pathsep.join(sources_of(root))
        answer = pickle.dumps(work())
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
    finally:
        os._exit(0)


def _wait_for(reading: int, child: int, until: float) -> tuple[Any, bool]:
    """The child's answer, and whether it had to be stopped."""
    import select

    with os.fdopen(reading, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            _kill(child)
            return None, True
        written = pipe.read()
    return (pickle.loads(written) if written else None), False  # noqa: S301 - from our own child


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
