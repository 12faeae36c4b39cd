"""`./dev bench idle`: what the product costs while nobody uses it, and how fast it starts.

`--against REV` measures another revision beside this one, from a worktree of its own: starts in
turn, idle times at the same time, so that a busy neighbour hits both.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop

from bench.event_fixture import drop_events, write
from event_contracts import SUBSCRIPTIONS
from shared.rabbitmq import Topology
from shared.testing import servers
from shared.testing.servers import free_port

HERE = Path(__file__).resolve().parent.parent
PATIENCE_S, LOOK_S = 180, 0.01
READY = "Ctrl-C stops it."

METHOD = """\
Method: `./dev up` with an embedded PostgreSQL and a data folder of its own, the environment and the
bytecode made before. A start lasts from the command to the first answer to `GET /`, the redirects
to the login page included; beside it the CPU seconds (user and system) that every process of the
product has used by then. "Kept data" is the second start on the same folder. Idle times begin
{settle:g} s after everything is ready and last {seconds:g} s: CPU seconds by wall seconds, of one
core, and how often the main threads woke. PostgreSQL is the sum of its processes, those that ended
meanwhile included. Starts are medians of {rounds}. With `--processes` the events go over RabbitMQ,
which is not counted."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout of the product, with the figures that were measured: values by row."""

    name: str
    folder: Path
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, row: str, value: float) -> None:
        """Keep one value."""
        self.figures.setdefault(row, []).append(value)


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds and wake-ups of a process, or of several."""

    cpu: float = 0
    woken: float = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu + other.cpu, self.woken + other.woken)


@dataclass(slots=True)
class Product:
    """A product started by `./dev up`, at `began` by the monotonic clock."""

    tree: Tree
    data: Path
    url: str
    process: subprocess.Popen[bytes]
    began: float

    def spent(self) -> dict[str, Spent]:
        """What each process has used up to now, by its name."""
        found: dict[str, Spent] = {}
        root = psutil.Process(self.process.pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                name = name_of(process)
                found[name] = found.get(name, Spent()) + spent_by(process)
        found["PostgreSQL"] = self._postgres()
        return found

    def _postgres(self) -> Spent:
        """The whole server; a process that ended counts with the postmaster's children."""
        file = self.data / "postgres" / "postmaster.pid"
        if not file.exists():
            return Spent()
        total = Spent()
        with contextlib.suppress(psutil.Error, ValueError, IndexError):
            postmaster = psutil.Process(int(file.read_text().splitlines()[0]))
            for process in (postmaster, *postmaster.children()):
                with contextlib.suppress(psutil.Error):
                    total += spent_by(process)
        return total

    def until_first_page(self) -> float:
        """Seconds from the command to the login page."""
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url, timeout=30) as page:
                page.read()
                return time.monotonic() - self.began
            self._still_there()
            time.sleep(LOOK_S)

    def until_ready(self) -> None:
        """Return when everything runs."""
        while READY not in (self.data / "log.txt").read_text():
            self._still_there()
            time.sleep(0.2)

    def _still_there(self) -> None:
        if self.process.poll() is not None or time.monotonic() - self.began > PATIENCE_S:
            raise RuntimeError((self.data / "log.txt").read_text()[-4000:])

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        root = psutil.Process(self.process.pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                if "up" in process.cmdline() and process.name() not in {"bash", "uv"}:
                    process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def spent_by(process: psutil.Process) -> Spent:
    """CPU seconds of a process and its ended children, and how often its main thread slept."""
    return Spent(sum(process.cpu_times()[:4]), process.num_ctx_switches().voluntary)


def name_of(process: psutil.Process) -> str:
    """What a process is, by its command line."""
    words = process.cmdline()
    if "shared.main" in words:
        at = words.index("shared.main")
        return f"{words[at + 1].removesuffix('_service')} {words[at + 2]}"
    if "portal_service" in words:
        return "portal"
    if process.name() == "nginx":
        return "nginx"
    if process.name() in {"bash", "uv"}:
        return "./dev"
    if "up" not in words:
        return process.name()
    return "issuer and mail catcher" if "--processes" in words else "all-in-one"


@contextmanager
def started(tree: Tree, data: Path, *flags: str) -> Iterator[Product]:
    """The product on a data folder; stopped at the end."""
    data.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), data / "log.txt"
    log.write_text("")
    clean = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    command = ["./dev", "up", "--port", str(port), "--data", str(data), *flags]
    with log.open("ab") as said:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=tree.folder, stdout=said, stderr=said, env=clean, start_new_session=True
        )
    product = Product(tree, data, f"http://127.0.0.1:{port}/", process, began)
    try:
        yield product
    finally:
        product.stop()


def time_starts(trees: Sequence[Tree], folder: Path, rounds: int) -> None:
    """Start each tree without data, and again with what it then has, in turn."""
    for turn in range(rounds):
        for tree in trees:
            data = folder / tree.name / str(turn)
            for kind in ("no data", "kept data"):
                with started(tree, data) as product:
                    tree.note(f"{kind}: first page", product.until_first_page())
                    spent = product.spent()
                    product.until_ready()
                    tree.note(f"{kind}: ready", time.monotonic() - product.began)
                postgres = spent.pop("PostgreSQL").cpu
                own = sum(one.cpu for one in spent.values())
                tree.note(f"{kind}: CPU of the product", own)
                tree.note(f"{kind}: CPU of PostgreSQL", postgres)
                print(f"  {tree.name}, {kind}: {tree.figures[f'{kind}: first page'][-1]:.2f} s, "
                      f"CPU {own:.2f} s + {postgres:.2f} s", flush=True)  # fmt: skip
            shutil.rmtree(data, ignore_errors=True)


def time_idle(trees: Sequence[Tree], folder: Path, asked: argparse.Namespace, *flags: str) -> None:
    """Let every tree stand idle, all at once, and note what each process used per second."""
    kind = "processes" if flags else "one process"
    with ExitStack() as stack:
        products = []
        for tree in trees:
            own = ["--event-prefix", f"{flags[-1]}{tree.name}-"] if flags else []
            data = folder / tree.name / kind.replace(" ", "-")
            products.append(stack.enter_context(started(tree, data, *flags[:-1], *own)))
            products[-1].until_ready()
        time.sleep(asked.settle)
        began, before = time.monotonic(), [product.spent() for product in products]
        time.sleep(asked.seconds)
        seconds = time.monotonic() - began
        for product, earlier in zip(products, before, strict=True):
            for name, now in product.spent().items():
                was = earlier.get(name, Spent())
                row = f"{kind}: {name}"
                product.tree.note(row, 100 * (now.cpu - was.cpu) / seconds)
                product.tree.note(f"{row}, woken", (now.woken - was.woken) / seconds)


@contextmanager
def tree_of(revision: str) -> Iterator[Tree]:
    """Another revision, checked out beside this one."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-idle-") as parent:
        folder, git = Path(parent) / "tree", ["git", "-C", str(HERE), "worktree"]
        subprocess.run([*git, "add", "--detach", str(folder), revision], check=True)
        try:
            yield Tree(revision, folder)
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def report(trees: Sequence[Tree], asked: argparse.Namespace) -> list[str]:
    """The tables."""
    names = [tree.name for tree in trees]
    rows = list(dict.fromkeys(row for tree in trees for row in tree.figures))
    kinds = list(dict.fromkeys(row.split(": ")[0] for row in rows))
    lines = [METHOD.format(settle=asked.settle, seconds=asked.seconds, rounds=asked.rounds)]
    for kind in kinds:
        start = "data" in kind
        unit = "seconds" if start else "idle, % of one core (wake-ups a second)"
        heads = "".join(f" {name} |" for name in names)
        lines += ["", f"| {kind}: {unit} |{heads}", "|---|" + "---|" * len(trees)]
        for row in rows:
            if row.startswith(f"{kind}: ") and not row.endswith(", woken"):
                cells = "".join(f" {cell(tree.figures, row)} |" for tree in trees)
                lines.append(f"| {row.split(': ')[1]} |{cells}")
    return lines


def cell(figures: dict[str, list[float]], row: str) -> str:
    """One figure, with its wake-ups where they were counted."""
    if row not in figures:
        return "-"
    value = statistics.median(figures[row])
    woken = figures.get(f"{row}, woken")
    return f"{value:.2f}" if woken is None else f"**{value:.2f}** ({woken[-1]:.1f})"


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", help="another revision, measured beside this one")
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind")
    parser.add_argument("--settle", type=float, default=30, help="seconds before idle is measured")
    parser.add_argument("--seconds", type=float, default=60, help="how long idle is measured")
    parser.add_argument("--no-file", action="store_true", help="print only")
    return parser.parse_args(argv)


def main() -> None:
    """Start, measure, write."""
    asked = options()
    found = servers.find_rabbitmq()
    if found is None:
        raise SystemExit(servers.HOW_TO_GET_RABBITMQ)
    prefix = f"idle-{secrets.token_hex(3)}-"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="madoguchi-idle-")))
        trees = [Tree("now", HERE)]
        if asked.against:
            trees.insert(0, stack.enter_context(tree_of(asked.against)))
        for tree in trees:  # makes environment, assets and bytecode
            with started(tree, folder / tree.name / "first") as product:
                product.until_ready()
        time_starts(trees, folder, asked.rounds)
        time_idle(trees, folder, asked)
        try:
            time_idle(trees, folder, asked, "--processes", "--rabbitmq", found[0], prefix)
        finally:
            for tree in trees:
                topology = Topology(SUBSCRIPTIONS, prefix=f"{prefix}{tree.name}-")
                uvloop.run(drop_events(found[0], topology))
            found[1]()
    lines = report(trees, asked)
    if asked.no_file:
        print("\n".join(lines))
    else:
        write("idle", lines)


if __name__ == "__main__":
    main()
