"""The product as a newcomer starts it: a process, an address, people who log in."""

import asyncio
import base64
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
from sqlalchemy import text

from madoguchi.cli.databases import own_database
from madoguchi.embedded.mail_catcher import Mailbox
from shared.db import EVERY_DEALER, Database
from shared.testing.servers import PLAIN, free_port
from tests.prepared_data import copy_prepared

LONGEST_START = 240
T = TypeVar("T")


@dataclass(slots=True)
class Product:
    """A running all-in-one."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]
    command: Sequence[str]
    clients: list[httpx.Client] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def as_person(self, user_id: str) -> httpx.Client:
        """An HTTP client with the access token of a demo person."""
        if user_id not in self.tokens:
            self.tokens[user_id] = token_at(self.url, user_id)
        self.clients.append(client_at(self.url, self.tokens[user_id]))
        return self.clients[-1]

    def completion_mails(self) -> list[tuple[str, str]]:
        """Recipient and subject of each completion mail."""
        caught = [(str(m["To"]), str(m["Subject"])) for m in Mailbox(self.data / "mail").mails()]
        return [(to, subject) for to, subject in caught if "完了" in subject]

    def in_database(self, service: str, statement: str, **values: object) -> None:
        """Run a statement on a service's database (in a thread: Playwright has an event loop)."""

        async def run() -> None:
            database = Database(await own_database(service, self.data))
            async with database.transaction(EVERY_DEALER) as tx:
                await tx.execute(text(statement), values)
            await database.close()

        with ThreadPoolExecutor() as threads:
            threads.submit(asyncio.run, run()).result()

    def kill(self) -> None:
        """End the process without warning."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, times: int = 1) -> None:
        """Stop it as Ctrl-C does, pressed `times` times."""
        for _ in range(times):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGINT)
            time.sleep(0.1)
        self.process.wait(30)

    def start(self) -> float:
        """Start the same command again; returns the seconds to the first page."""
        (self.data / "log.txt").rename(self.data / "log-before.txt")
        begun = time.monotonic()
        self.process = _spawn(self.command, self.data)
        _wait(self)
        return time.monotonic() - begun


def person_at(url: str, user_id: str) -> httpx.Client:
    """An HTTP client with the access token of a demo person of the product at `url`."""
    return client_at(url, token_at(url, user_id))


def client_at(url: str, token: str) -> httpx.Client:
    """An HTTP client of the product's APIs with an access token."""
    bearer = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{url}/api", headers=bearer, timeout=60, verify=PLAIN)


def token_at(url: str, user_id: str) -> str:
    """The access token of a demo person, who logs in at the product's issuer."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "client_id": "madoguchi-portal",
        "redirect_uri": f"{url}/auth/callback",
        "response_type": "code",
        "scope": "openid",
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    with httpx.Client(base_url=f"{url}/issuer", timeout=60, verify=PLAIN) as http:
        back = http.post("/authorize", data={**asked, "person": user_id})
        redeemed = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(back.headers["location"]).query)["code"][0],
            "code_verifier": verifier,
            "client_id": asked["client_id"],
            "redirect_uri": asked["redirect_uri"],
        }
        answer = http.post("/token", data=redeemed)
    return str(answer.raise_for_status().json()["access_token"])


def _spawn(command: Sequence[str], data: Path) -> subprocess.Popen[bytes]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _wait(product: Product) -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline:
        assert product.process.poll() is None, (product.data / "log.txt").read_text()[-4000:]
        if "Ctrl-C stops it.\n" in (product.data / "log.txt").read_text():
            return
        time.sleep(0.1)
    raise AssertionError((product.data / "log.txt").read_text()[-4000:])


def _first_start(data: Path) -> None:
    """Start it on an empty folder until it is ready, and stop it."""
    command = _command(data, free_port())
    product = Product("", data, _spawn(command, data), command)
    try:
        _wait(product)
        product.stop()
    finally:
        with contextlib.suppress(ProcessLookupError):
            product.kill()
    assert product.process.returncode == 0, (data / "log.txt").read_text()[-4000:]
    (data / "log.txt").unlink()


def _command(data: Path, port: int, *flags: str, sandbox: bool = False) -> list[str]:
    first = ["sandbox"] if sandbox else ["up", "--demo", "small"]
    return [
        sys.executable, "-m", "madoguchi.cli.main", *first, "--port", str(port),
        "--data", str(data), *flags,
    ]  # fmt: skip


def _restore(backup: Path, data: Path) -> None:
    command = ["restore", "--from", str(backup), "--data", str(data)]
    done = subprocess.run(
        [sys.executable, "-m", "madoguchi.cli.main", *command],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def running(
    *flags: str,
    first_start: bool = False,
    killed_when: Callable[[Product], bool] | None = None,
    backup: Path | None = None,
    verbose: bool = True,
    sandbox: bool = False,
) -> Iterator[Product]:
    """The product on a free port and a folder of its own, stopped and cleared away at the end.

    Its data is a copy of what a first start made (prepared_data.py); with `first_start` the folder
    is empty. With `killed_when` its first start is killed in that moment, and it is started again.
    With `backup` its data is restored from that folder before the first start. With `sandbox`
    it is the one of a dealer's developer. `verbose` logs every request, which costs time.
    """
    data, port = Path(tempfile.mkdtemp(prefix="madoguchi-test-")), free_port()
    if backup is not None:
        _restore(backup, data)
    elif not first_start and killed_when is None:
        copy_prepared(data, _first_start)
    logged = ["--verbose"] if verbose and not sandbox else []
    command = _command(data, port, *logged, *flags, sandbox=sandbox)
    product = Product(f"http://127.0.0.1:{port}", data, _spawn(command, data), command)
    try:
        if killed_when is not None:
            eventually(lambda: killed_when(product), bool, LONGEST_START)
            product.kill()
            product.start()
        else:
            _wait(product)
        yield product
    finally:
        for client in product.clients:
            client.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            product.stop()
        with contextlib.suppress(ProcessLookupError):
            product.kill()
        shutil.rmtree(data, ignore_errors=True)


def eventually(question: Callable[[], T], right: Callable[[T], bool], seconds: float = 90) -> T:
    """Ask until the answer is right; fails with the last answer."""
    deadline = time.monotonic() + seconds
    while not right(answer := question()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


def returnable_contract(http: httpx.Client) -> str:
    """A contract of the person's store whose car may be reported as returned."""
    found = http.get("/contracts/v1/contracts", params={"mode": "general", "final_to": "2099-12"})
    for row in found.raise_for_status().json()["rows"]:
        form = http.get(f"/returns/v1/contracts/{row['contract_no']}/form")
        if form.status_code == httpx.codes.OK and form.json()["eligible"]:
            return str(row["contract_no"])
    raise AssertionError("no contract can be returned")


def step(http: httpx.Client, application_id: str, action: str, **body: Any) -> str:
    """Take a step of a return application; the status that it then has."""
    shown = http.get(f"/returns/v1/applications/{application_id}").raise_for_status()
    answer = http.post(
        f"/returns/v1/applications/{application_id}/{action}",
        json=body,
        headers={"If-Match": shown.headers["etag"]},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"]["label"])


def completed_mark(http: httpx.Client, contract_no: str) -> str:
    """What the customer list shows in its column 完了."""
    params = {"mode": "individual", "contract_no": contract_no}
    [row] = http.get("/contracts/v1/contracts", params=params).raise_for_status().json()["rows"]
    return str(row["completed_mark"])
