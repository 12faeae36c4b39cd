"""Portal benchmark: `./dev bench portal` counts the CPU time of a page in every process.

The product with its demo data, as one process and as processes behind nginx, beside a monolith
(bench/monolith.py) that shows the same list from the same rows with the same template. The weight
of a page is what a browser with an empty cache receives.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus

import httpx
import psutil

from bench.event_fixture import drop_events, write
from event_contracts import SUBSCRIPTIONS
from madoguchi.cli.databases import own_database
from shared.rabbitmq import Topology
from shared.testing import servers
from shared.testing.servers import free_port
from tests.running_product import Product, running

METHOD = """\
Method: the product with the living demo, headquarters of the first dealer, one page
after the other from one client. CPU is user and system time of all processes of the product,
PostgreSQL apart, divided by the pages; each figure is the median of {turns} turns of {pages} pages,
the layouts in turn. A page that nobody asked for in the last seconds costs more: names, rights and
counts are kept for 2 to 10 s. Goals: 10 ms without rows and 20 ms with a hundred in one process,
1.6 times that over processes, 2.5 times the monolith."""
HQ = "D01-H001"
PAGES = {
    "customer list, no rows": "/contracts?mode=individual&contract_no=NONE",
    "customer list, a hundred rows": "/contracts?mode=general&final_to=2099-12",
    "customer detail": "/contracts/{contract_no}",
    "progress list": "/returns",
    "slips": "/commuter/slips",
    "トップ": "/",
}
OF_MONOLITH = list(PAGES)[:2]
PAUSE_S = 0.05  # the gateway lets a person through twenty times a second
ROWS = 50  # at least, on the page of a hundred


@dataclass
class Subject:
    """Something that serves pages: its client, its processes, and seconds per page by name."""

    name: str
    http: httpx.Client
    processes: Callable[[], list[psutil.Process]]
    pages: Mapping[str, str]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, name: str, pages: int) -> None:
        """Ask for a page many times, and note the CPU time of one."""
        path = self.pages[name]
        for _ in range(5):
            self._get(path)
        before = self._cpu()
        for _ in range(pages):
            self._get(path)
        used = self._cpu() - before
        self.seconds.setdefault(name, []).append(used / pages)

    def _get(self, path: str) -> None:
        time.sleep(PAUSE_S)
        answer = self.http.get(path)
        assert answer.status_code == HTTPStatus.OK, (self.name, path, answer.status_code)
        assert "を表示できません" not in answer.text, (self.name, path)

    def _cpu(self) -> float:
        times = [one.cpu_times() for one in self.processes() if one.name() != "postgres"]
        return sum(each.user + each.system for each in times)


def family(pid: int) -> list[psutil.Process]:
    """A process and all below it."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def signed_in(product: Product) -> httpx.Client:
    """A browser in which headquarters has logged in."""
    http = httpx.Client(base_url=product.url, timeout=60)
    login = httpx.URL(http.get("/auth/login").headers["location"])
    asked = {**dict(login.params), "person": HQ}
    back = http.post(str(login.copy_with(query=None)), data=asked)
    http.get(back.headers["location"])
    return http


def of_product(name: str, product: Product) -> Subject:
    """The product as a subject; with a contract for the detail page."""
    http = signed_in(product)
    shown: list[str] = []
    while len(shown) < ROWS:  # the demo data is being created while pages are served
        time.sleep(1)
        listed = http.get(PAGES["customer list, a hundred rows"]).text
        shown = list(dict.fromkeys(re.findall(r'href="/contracts/(\d+)"', listed)))
    pages = {page: path.format(contract_no=shown[0]) for page, path in PAGES.items()}
    return Subject(name, http, lambda: family(product.process.pid), pages)


def of_monolith(process: subprocess.Popen[bytes], port: int) -> Subject:
    """The monolith as a subject, once it answers."""
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    while True:
        try:
            http.get("/login", params={"person": HQ})
            break
        except httpx.TransportError:
            assert process.poll() is None
            time.sleep(0.1)
    pages = {name: PAGES[name] for name in OF_MONOLITH}
    return Subject("monolith", http, lambda: family(process.pid), pages)


def weight(http: httpx.Client, path: str) -> int:
    """Bytes of a page, compressed as nginx does, and of every file that it references."""
    page = http.get(path, headers={"accept-encoding": "gzip"})
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    answers = [page, *[http.get(unescape(address)) for address in named]]
    heads = (len(name) + len(value) + 4 for answer in answers for name, value in answer.headers.raw)
    return sum(answer.num_bytes_downloaded for answer in answers) + sum(heads)


def report(one: Subject, many: Subject, peer: Subject) -> list[str]:
    """The table: milliseconds of CPU per page."""
    lines = [
        "| page | one process | processes | ratio | monolith | ratio | first load |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in PAGES:
        alone, spread = (statistics.median(each.seconds[name]) for each in (one, many))
        cells = [name, f"{alone * 1000:.1f} ms", f"{spread * 1000:.1f} ms", f"{spread / alone:.2f}"]
        if name in peer.seconds:
            beside = statistics.median(peer.seconds[name])
            cells += [f"{beside * 1000:.1f} ms", f"{alone / beside:.2f}"]
        else:
            cells += ["", ""]
        heavy = weight(many.http, many.pages[name])
        cells.append(f"{heavy / 1000:.0f} kB")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def run(turns: int, pages: int) -> list[str]:
    """Start all three, measure in turn."""
    found = servers.find_rabbitmq()
    if found is None:
        raise SystemExit("needs RabbitMQ")
    rabbitmq, end = found
    prefix, port = f"bench-portal-{free_port()}", free_port()
    demo = ("--demo", "living")
    spread = ("--processes", "--rabbitmq", rabbitmq, "--event-prefix", prefix)
    try:
        with (
            running(*demo, first_start=True, verbose=False) as alone,
            running(*demo, *spread, first_start=True, verbose=False) as many,
        ):
            url = asyncio.run(own_database("contracts", alone.data))
            command = [sys.executable, "-m", "bench.monolith", "--port", str(port)]
            process = subprocess.Popen([*command, "--database", url])
            try:
                one, several = of_product("one process", alone), of_product("processes", many)
                subjects = [one, several, of_monolith(process, port)]
                for _ in range(turns):
                    for name in PAGES:
                        for subject in subjects:
                            if name in subject.pages:
                                subject.measure(name, pages)
                return report(*subjects)
            finally:
                process.terminate()
                process.wait()
    finally:
        asyncio.run(drop_events(rabbitmq, Topology(SUBSCRIPTIONS, prefix=prefix)))
        end()


def main() -> None:
    """Parse the command line and run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--pages", type=int, default=60)
    asked = parser.parse_args()
    lines = run(asked.turns, asked.pages)
    method = METHOD.format(turns=asked.turns, pages=asked.pages)
    write("portal", [*method.splitlines(), "", *lines])


if __name__ == "__main__":
    main()
