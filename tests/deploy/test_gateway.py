"""Gateway of deploy/gateway: a real nginx in front of the real processes."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from contracts_service.imports import import_masters
from madoguchi.embedded.gateway import nginx_command, nginx_program
from madoguchi.embedded.issuer import create_issuer
from madoguchi.services import SERVICES
from shared.clock import SystemClock
from shared.db import Database
from shared.testing.databases import TestDatabases
from tests.portal.conftest import AWAY, KEY, SECRET, free_port, issuer_settings, serving
from tests.portal.contract_files import DEALERS, VEHICLES

HOW_TO_GET_IT = (
    "NO NGINX: the tests of deploy/gateway are skipped. Install it (Debian: apt-get install nginx)."
)
NGINX = nginx_program()


@dataclass
class Gateway:
    """Nginx on its own port, in front of portal and contracts; commuter does not respond."""

    url: str
    log: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, timeout=60)

    def flood(self, path: str, count: int, **headers: str) -> list[httpx.Response]:
        """Send many requests at once over kept connections."""
        with httpx.Client(timeout=60, headers=headers) as http, ThreadPoolExecutor(20) as crowd:
            http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            return list(crowd.map(http.get, [self.url + path] * count))


@pytest.fixture(scope="module")
async def contracts_url(databases: TestDatabases) -> str:
    url = await databases.create("contracts_service")
    database = Database(url)
    await import_masters(database, DEALERS, VEHICLES, now=SystemClock().now())
    await database.close()
    return url


@pytest.fixture(scope="module")
def gateway(request: pytest.FixtureRequest, contracts_url: str) -> Iterator[Gateway]:
    if NGINX is None:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{HOW_TO_GET_IT}\n")
        pytest.skip(HOW_TO_GET_IT)
    ports = {name: free_port() for name in ("gateway", "portal", "contracts", "nobody", "issuer")}
    own, issuer = (f"http://127.0.0.1:{ports[name]}" for name in ("gateway", "issuer"))
    identity = {"ISSUER": issuer, "JWKS_URL": f"{issuer}/jwks", "AUDIENCE": "madoguchi"}
    places = {f"PORTAL_{name}_URL".upper(): own for name in SERVICES}
    with contextlib.ExitStack() as stack:
        made = lambda url: create_issuer(issuer_settings(url, own), KEY)  # noqa: E731
        stack.enter_context(serving(made, ports["issuer"]))
        stack.enter_context(
            process(
                ["shared.main", "contracts_service", "api", "--port", str(ports["contracts"])],
                {f"CONTRACTS_{name}": value for name, value in identity.items()}
                | {"CONTRACTS_DATABASE_URL": contracts_url, "CONTRACTS_RABBITMQ_URL": "amqp://x/"},
                ports["contracts"],
            )
        )
        stack.enter_context(
            process(
                ["portal_service", "--port", str(ports["portal"])],
                {
                    "PORTAL_PUBLIC_URL": own, "PORTAL_SESSION_SECRET": SECRET,
                    "PORTAL_OIDC_ISSUER": issuer, "PORTAL_MAIL_SENDER": "desk@example.jp", **places,
                    "PORTAL_DATABASE_URL": AWAY, "PORTAL_EMBEDDED": "true",  # speaks plain HTTP
                },
                ports["portal"],
            )
        )  # fmt: skip
        yield stack.enter_context(nginx(own, ports))


@contextlib.contextmanager
def process(words: list[str], environment: Mapping[str, str], port: int) -> Iterator[None]:
    command = [sys.executable, "-m", *words]
    started = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port, started)
        yield
    finally:
        started.terminate()
        started.wait(20)


@contextlib.contextmanager
def nginx(own: str, ports: Mapping[str, int], site: str = "") -> Iterator[Gateway]:
    """The shipped configuration with lines for site.conf; addresses and port are this machine's."""
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-gateway-"))
    places = {
        part: f"127.0.0.1:{ports.get(part, ports['nobody'])}" for part in (*SERVICES, "portal")
    }
    command = nginx_command(str(NGINX), folder, ports["gateway"], places)
    with (folder / "site.conf").open("a") as written:
        written.write(site)
    started = subprocess.Popen(command)
    try:
        wait_for(ports["gateway"], started)
        yield Gateway(own, folder / "error.log")
    finally:
        started.terminate()
        started.wait(20)
        shutil.rmtree(folder)


def wait_for(port: int, started: subprocess.Popen[bytes]) -> None:
    while started.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError(f"ended with {started.returncode}: {started.args!r}")


def sign_in(gateway: Gateway, http: httpx.Client) -> str:
    """Log in through the gateway; returns the access token for a direct API call."""
    login = http.get("/auth/login", params={"next": "/help"})
    where = httpx.URL(login.headers["location"])
    chosen = httpx.post(
        str(where.copy_with(query=None)), data={**where.params, "person": "m100"}, timeout=60
    )
    back = http.get(chosen.headers["location"])
    assert back.headers["location"] == "/help"
    return str(back.status_code)


def test_all_other_paths_go_to_the_portal(gateway: Gateway) -> None:
    with httpx.Client(base_url=gateway.url, timeout=60) as http:
        sign_in(gateway, http)
        shown = http.get("/contracts?mode=general&status=open")
        assert shown.status_code == 200
        assert "プリウス" in shown.text  # the dropdown came from contracts, through the gateway
        assert shown.headers["content-security-policy"].startswith("default-src 'none'; script-src")
        assert shown.headers.get_list("x-content-type-options") == ["nosniff"]
        style = shown.text.split('href="/static/madoguchi.css')[1].split('"')[0]
        assert http.get(f"/static/madoguchi.css{style}").status_code == 200


def test_services_respond_below_api_with_their_own_headers(gateway: Gateway) -> None:
    refused = gateway.get("/api/contracts/v1/contracts")
    assert (refused.status_code, refused.json()["code"]) == (401, "TOKEN_MISSING")
    assert (
        refused.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    )
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert len(refused.headers["x-request-id"]) == 32
    assert "nginx/" not in refused.headers["server"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/returns/v1/internal/people",
        "/api/unheard/v1/x",
        "/api/contracts/metrics",
        "/api/contracts/v2/contracts",
        "/metrics",
        "/readyz",
        "/api/contracts/v1/openapi.json",
        "/gateway/away.html",
    ],
)
def test_internal_paths_are_blocked(gateway: Gateway, path: str) -> None:
    answer = gateway.get(path)
    assert answer.status_code == 404
    if path.startswith("/api/"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "NOT_FOUND"
    else:
        assert "ページが見つかりません" in answer.text


def test_an_unknown_host_is_refused_and_never_becomes_a_redirect(gateway: Gateway) -> None:
    for path in ("/contracts/", "/static/", "/api/contracts/v1/contracts/"):
        foreign = gateway.get(path, host="evil.example.com")
        assert (foreign.status_code, foreign.headers.get("location")) == (421, None)
        assert foreign.headers["cache-control"] == "no-store"
        own = gateway.get(path)
        assert urlsplit(own.headers.get("location", "/")).netloc in {
            "",
            urlsplit(gateway.url).netloc,
        }
    assert gateway.get("/api/x", host="evil.example.com").json()["code"] == "HOST_UNKNOWN"
    assert "アドレスが違います" in gateway.get("/", host="evil.example.com").text


def test_headers_that_are_too_large_get_a_page_of_ours(gateway: Gateway) -> None:
    fits = gateway.get("/livez", cookie="c=" + "x" * 15_000)
    assert fits.status_code == 404
    large = gateway.get("/", cookie="c=" + "x" * 17_000)
    assert large.status_code == 400
    assert "Cookieを削除して" in large.text
    assert gateway.get("/api/x", cookie="c=" + "x" * 17_000).status_code == 400


def test_an_unavailable_service_is_a_502_and_the_portal_names_the_part(gateway: Gateway) -> None:
    assert gateway.get("/api/commuter/v1/passes").status_code == 502
    with httpx.Client(base_url=gateway.url, timeout=60) as http:
        sign_in(gateway, http)
        shown = http.get("/returns")
        assert shown.status_code == 200
        assert "車両返却の情報を表示できません。" in shown.text


def test_a_body_that_is_too_large_gets_an_error_page(gateway: Gateway) -> None:
    large = httpx.post(f"{gateway.url}/contracts/C1/memo", content=b"x" * (1024 * 1024 + 1))
    assert large.status_code == 413
    assert "送られた内容が大きすぎます" in large.text
    fits = httpx.post(f"{gateway.url}/contracts/C1/memo", content=b"x" * (1024 * 1024))
    assert fits.status_code != 413
    url = f"{gateway.url}/api/interchange/v1/events"
    refused = httpx.post(url, content=b"x" * (640 * 1024 + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "TOO_LARGE")
    assert httpx.post(url, content=b"x" * (640 * 1024)).status_code == 502


def test_a_photograph_gets_as_far_as_the_service(gateway: Gateway) -> None:
    """Commuter does not respond; the gateway alone would answer 413."""
    below = f"{gateway.url}/api/commuter/v1/slips/S1"
    photograph = b"x" * (12 * 1024 * 1024)
    for path in ("items/I1/receipts", "receipts/R1/versions"):
        assert httpx.post(f"{below}/{path}", content=photograph).status_code == 502
    assert httpx.post(f"{below}/copies", content=photograph).status_code == 413
    assert httpx.post(
        f"{gateway.url}/commuter/slips/S1/items/I1/receipts", content=photograph
    ).status_code not in {413, 502}


def test_an_endless_body_is_cut_off(gateway: Gateway) -> None:
    url = httpx.URL(gateway.url)
    with socket.create_connection((url.host, url.port or 80)) as wire:
        wire.sendall(
            b"POST /contracts/C1/memo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"
        )
        wire.settimeout(60)
        answer = wire.recv(1000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_many_logins_are_rate_limited_and_others_continue(gateway: Gateway) -> None:
    answers = gateway.flood("/auth/login", 300)
    assert {answer.status_code for answer in answers} == {303, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"]
    assert "操作が集中しています" in refused.text
    assert gateway.get("/").status_code == 303


def behind_a_proxy(gateway: Gateway, person: str, count: int) -> set[int]:
    """Statuses of logins that a proxy forwards for the address of a person."""
    asked = gateway.flood("/auth/login", count, **{"x-forwarded-for": person})
    return {one.status_code for one in asked}


def test_a_flood_behind_the_trusted_proxy_locks_out_nobody_else(contracts_url: str) -> None:
    ports = {name: free_port() for name in ("gateway", "portal", "contracts", "nobody")}
    if NGINX is None:
        pytest.skip(HOW_TO_GET_IT)
    url = f"http://127.0.0.1:{ports['gateway']}"
    with nginx(url, ports, "set_real_ip_from 127.0.0.1;") as proxied:
        assert behind_a_proxy(proxied, "203.0.113.7", 200) == {429, 502}
        assert behind_a_proxy(proxied, "203.0.113.8", 5) == {502}
    with nginx(url, ports) as direct:
        assert behind_a_proxy(direct, "203.0.113.7", 200) == {429, 502}
        assert 429 in behind_a_proxy(direct, "203.0.113.8", 30)


def test_a_flood_with_one_session_is_limited_and_others_continue(contracts_url: str) -> None:
    ports = {name: free_port() for name in ("gateway", "portal", "contracts", "nobody")}
    if NGINX is None:
        pytest.skip(HOW_TO_GET_IT)
    url = f"http://127.0.0.1:{ports['gateway']}"
    with nginx(url, ports) as alone:
        for header, one, other in (
            ("cookie", "__Host-madoguchi_session=a.first", "x=1; madoguchi_session=a.second; y=2"),
            ("authorization", "Bearer a.first", "Bearer a.second"),
        ):
            asked = alone.flood("/x", 400, **{header: one})
            assert {answer.status_code for answer in asked} == {429, 502}
            assert alone.get("/x", **{header: other}).status_code == 502


def test_an_unavailable_portal_gets_an_error_page(contracts_url: str) -> None:
    ports = {name: free_port() for name in ("gateway", "portal", "contracts", "nobody")}
    if NGINX is None:
        pytest.skip(HOW_TO_GET_IT)
    with nginx(f"http://127.0.0.1:{ports['gateway']}", ports) as alone:
        away = alone.get("/contracts")
        assert away.status_code == 502
        assert "ただいま接続できません" in away.text
