"""A data folder as the product's first start leaves it, made once and copied for every test.

A first start creates a server, migrates five databases and fills them: most of what a start costs.
The folder is kept under `.madoguchi/prepared`, for all workers and for the next run, until the
product's code or the day (from which the demo data counts) is another. Copies share nothing: each
product starts a server of its own on its copy.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from shared.clock import SystemClock, jst_day

HOME = Path(__file__).parents[1]
KEPT = HOME / ".madoguchi" / "prepared"
PRODUCT = (
    *("madoguchi", "shared/src", "contracts-schema/src", "fare-engine/src"),
    "services/*/src",
)
CLONING = ("--reflink=auto",) if sys.platform == "linux" else ()


def copy_prepared(to: Path, make: Callable[[Path], None]) -> None:
    """Copy the prepared folder to `to`; `make` fills a folder by a first start, once."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers wait here for the one that makes it
        prepared = KEPT / _key()
        if not prepared.exists():
            for old in [path for path in KEPT.iterdir() if path.is_dir()]:
                shutil.rmtree(old)
            make(to)
            unfinished = KEPT / "unfinished"
            _copy(to, unfinished)
            unfinished.rename(prepared)
        else:
            _copy(prepared, to)


def _copy(source: Path, to: Path) -> None:
    """With owners, which Python's own copy loses: the server refuses a folder of another user."""
    to.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", *CLONING, f"{source}/.", str(to)], check=True)


def _key() -> str:
    """Names the code of the product, its libraries, the interpreter and the day."""
    found = hashlib.sha256(f"{sys.version} {sys.prefix} {jst_day(SystemClock().now())}".encode())
    for path in (HOME / "uv.lock", *_files()):
        found.update(str(path.relative_to(HOME)).encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _files() -> Iterator[Path]:
    folders = [folder for pattern in PRODUCT for folder in sorted(HOME.glob(pattern))]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
