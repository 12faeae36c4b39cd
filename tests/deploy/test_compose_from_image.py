"""docker-compose.yml from the built image: restored, migrated, worked with, backed up, stopped.

Nothing but the container engine is missing: `containers.py` starts each service with the file's
command, environment, volumes, host names and addresses (`./dev image`).
"""

import os
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import trustme
import uvicorn
from aiosmtpd.controller import Controller
from cryptography.fernet import Fernet
from joserfc.jwk import ECKey

from madoguchi.embedded.demo import demo_masters
from madoguchi.embedded.demo_users import demo_people
from madoguchi.embedded.issuer import IssuerSettings, create_issuer
from madoguchi.embedded.mail_catcher import Mailbox
from madoguchi.services import PACKAGES, SERVICES
from shared.clock import JST
from shared.testing.disposable_servers import rabbitmq_program
from shared.testing.servers import PLAIN
from tests.running_product import (
    completed_mark,
    eventually,
    returnable_contract,
    running,
    step,
    token_at,
)
from tools.image import Buildah

from .compose_file import TEXT, VARIABLE
from .containers import (
    USER,
    Compose,
    compose,
    create_databases,
    psql,
    start_gateway,
    start_nginx,
    start_postgres,
    start_rabbitmq,
    until,
)
from .network import Network, available, listens, network

HOST = "madoguchi.example.jp"
PROCESSES = [*(f"{name}-{part}" for name in SERVICES for part in ("api", "worker")), "portal"]
PROGRAMS = ("postgres", "rabbitmq", "gateway", "front")
MIGRATIONS = [f"{name}-migrate" for name in PACKAGES]
YAMADA, SATO, TANAKA, TFC = "D01-E101", "D01-M100", "D01-H001", "T001"
FRONT = """
events {{}}
http {{
  access_log off;
  server {{
    listen 443 ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass http://{gateway}:8080;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


def variables(net: Network) -> dict[str, str]:
    """An .env: every variable that the file demands, with values of this test."""
    demanded = {found[1] for found in VARIABLE.finditer(TEXT) if found[2] == ":?"}
    login = f"http://{net.gateway}:9000"
    return {name: secrets.token_hex(16) for name in demanded} | {
        "OIDC_ISSUER": "https://login.example.jp",
        "OIDC_JWKS_URL": f"{login}/jwks",
        "OIDC_TOKEN_URL": f"{login}/token",
        "PUBLIC_URL": f"https://{HOST}",
        "PUBLIC_HOST": HOST,
        "MAIL_SENDER": "madoguchi@example.jp",
        "MAIL_EXPENSE_SENDER": "keihi@example.jp",
        "INTERCHANGE_WEBHOOK_KEYS": Fernet.generate_key().decode(),
        "TRUSTED_PROXY": net.address("front"),
    }


@dataclass
class Stack:
    """The started compose file."""

    compose: Compose
    mails: Path
    clients: list[httpx.Client] = field(default_factory=list)

    def as_person(self, user_id: str) -> httpx.Client:
        """A client of the gateway's API with the token of a demo person."""
        net = self.compose.network
        token = token_at(f"https://{HOST}", user_id, issuer=f"http://{net.gateway}:9000")
        headers = {"Authorization": f"Bearer {token}", "Host": HOST}
        url = f"http://{net.address('gateway')}:8080/api"
        client = httpx.Client(base_url=url, headers=headers, timeout=60, verify=PLAIN)
        self.clients.append(client)
        return client


def serve_issuer(net: Network, secret: str) -> uvicorn.Server:
    """The development issuer under the name of a real one."""
    settings = IssuerSettings(
        url="https://login.example.jp",
        audience="madoguchi",
        client_id="madoguchi-portal",
        redirect_uris=frozenset({f"https://{HOST}/auth/callback"}),
        signed_out_uris=frozenset(),
        people=demo_people(demo_masters()),
        embedded=True,
        services={"madoguchi-notifier": secret},
    )
    app = create_issuer(settings, ECKey.generate_key("P-256", {"kid": "test"}))
    server = uvicorn.Server(uvicorn.Config(app, host=net.gateway, port=9000, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    until(lambda: server.started)
    return server


def demo_backup(folder: Path) -> None:
    """A backup of the demo, as another installation left it."""
    with running(verbose=False) as product:
        command = [sys.executable, "-m", "madoguchi.cli.main", "backup"]
        where = ["--data", str(product.data), "--to", str(folder)]
        subprocess.run([*command, *where], check=True, capture_output=True)


@pytest.fixture(scope="module")
def stack(long: bool) -> Iterator[Stack]:
    if not (long and available() and shutil.which("buildah") and rabbitmq_program()):
        pytest.skip("Only `./dev image` starts every container (as root, with RabbitMQ).")
    Buildah().build()
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-compose-"))
    folder.chmod(0o755)
    with network([*PROGRAMS, *PROCESSES, *MIGRATIONS, "backup", "restore"]) as net:
        (folder / "hosts").write_text(net.hosts(mail=net.gateway))
        with compose(net, folder, variables(net)) as containers:
            mails = folder / "mails"
            mails.mkdir()
            catcher = Controller(Mailbox(mails), hostname=net.gateway, port=1025)
            catcher.start()
            server = serve_issuer(net, containers.variables["NOTIFIER_CLIENT_SECRET"])
            made = Stack(containers, mails)
            yield made
            for client in made.clients:
                client.close()
            server.should_exit = True
            catcher.stop()
    shutil.rmtree(folder)


def start_everything(containers: Compose) -> None:
    """Migrate, and start every process; returns when each is healthy in the file's own words."""
    for name in MIGRATIONS:
        containers.run(name)
    for name in PROCESSES:
        containers.start(name)
    for name in PROCESSES:
        until_ready(containers.network.address(name))
        assert containers.healthy(name), containers.running[name].log.read_text()[-3000:]


def until_ready(address: str) -> None:
    """Wait for the readiness of a process at an address."""
    until(lambda: listens(address, 8000))
    ready = f"http://{address}:8000/readyz"
    until(lambda: httpx.get(ready, timeout=60, verify=PLAIN).status_code == 200)


def test_1_a_backup_of_another_installation_is_restored(stack: Stack) -> None:
    containers = stack.compose
    start_postgres(containers)
    start_rabbitmq(containers)
    until(lambda: listens(containers.network.address("rabbitmq"), 5672))
    backups = containers.volume("volume-backups")
    demo_backup(backups / "demo")
    for path in [backups / "demo", *(backups / "demo").iterdir()]:
        os.chown(path, USER, USER)
    said = containers.run("restore", RESTORE_FROM="demo")
    assert "The services are consistent." in said


def test_2_every_process_becomes_ready(stack: Stack) -> None:
    start_everything(stack.compose)
    for name in PROCESSES:
        assert stack.compose.running[name].own().uids().effective == USER


def test_3_a_return_goes_its_way_to_the_mails(stack: Stack) -> None:
    start_gateway(stack.compose)
    until(lambda: listens(stack.compose.network.address("gateway"), 8080))
    yamada, sato, tanaka, tfc = map(stack.as_person, (YAMADA, SATO, TANAKA, TFC))
    contract_no = returnable_contract(yamada)
    report = {
        "contract_no": contract_no,
        "kind": "RETURNED",
        "received_on": f"{datetime.now(JST):%Y-%m-%d}",
        "contact_3": "yamada@d01.example.jp",
    }
    key = {"Idempotency-Key": secrets.token_hex(8)}
    sent = yamada.post("/returns/v1/applications", json=report, headers=key)
    assert sent.status_code == 201, sent.text
    application = sent.json()["application_id"]
    step(sato, application, "approval", contact_3="sato@d01.example.jp")
    step(tanaka, application, "approval")
    step(tfc, application, "acceptance")
    assert step(tfc, application, "completion") == "完了"
    eventually(lambda: completed_mark(yamada, contract_no), lambda mark: mark == "完了")
    everybody = {"yamada@d01.example.jp", "sato@d01.example.jp", "h001@d01.example.jp"}
    caught = Mailbox(stack.mails)

    def notified() -> set[str]:
        sent = [(str(mail["To"]), str(mail["Subject"])) for mail in caught.mails()]
        return {to for to, said in sent if "完了" in said and contract_no in said}

    eventually(notified, lambda addresses: addresses == everybody)
    (stack.compose.folder / "contract").write_text(contract_no)


def test_4_people_come_through_a_second_proxy_by_https(stack: Stack) -> None:
    containers, net = stack.compose, stack.compose.network
    folder = containers.folder / "front"
    folder.mkdir()
    authority = trustme.CA()
    made = authority.issue_cert(HOST)
    made.private_key_and_cert_chain_pem.write_to_path(str(folder / "pem"))
    conf = FRONT.format(
        certificate=folder / "pem", key=folder / "pem", gateway=net.address("gateway")
    )
    (folder / "nginx.conf").write_text(conf)
    start_nginx(containers, "front", folder)
    until(lambda: listens(net.address("front"), 443))
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)

    def ask(path: str, address: str) -> httpx.Response:
        wire = httpx.HTTPTransport(verify=trusted, local_address=address)
        with httpx.Client(transport=wire, timeout=60) as http:
            url = f"https://{net.address('front')}{path}"
            return http.get(url, headers={"Host": HOST}, extensions={"sni_hostname": HOST})

    page = ask("/auth/signed-out", net.gateway)
    assert "<html" in page.text
    assert page.headers["strict-transport-security"]
    other = f"{net.subnet}.2"
    subprocess.run(["ip", "addr", "add", f"{other}/24", "dev", net.bridge], check=True)
    flood = [ask("/auth/signed-out", net.gateway).status_code for _ in range(300)]
    assert 429 in flood
    assert ask("/auth/signed-out", other).status_code == 200


def test_5_backed_up_stopped_and_restored(stack: Stack) -> None:
    containers = stack.compose
    containers.run("backup")
    [newest] = {path.name for path in containers.volume("volume-backups").iterdir()} - {"demo"}
    for name in PROCESSES:
        assert containers.running.pop(name).stop() == 0, name
    for name in PACKAGES:
        psql(containers, f"DROP DATABASE {name}")
    create_databases(containers)
    said = containers.run("restore", RESTORE_FROM=newest)
    assert "The services are consistent." in said
    start_everything(containers)
    contract_no = (containers.folder / "contract").read_text()
    yamada = stack.as_person(YAMADA)
    eventually(lambda: completed_mark(yamada, contract_no), lambda mark: mark == "完了")


def test_6_sigterm_ends_every_process_in_order(stack: Stack) -> None:
    for name in PROCESSES:
        started = stack.compose.running.pop(name)
        assert started.stop() == 0, name
        assert "Traceback" not in started.log.read_text(errors="replace"), name
