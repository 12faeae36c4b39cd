"""Compose file and Dockerfile, checked without a container engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from madoguchi.services import PACKAGES, SERVICES

from .required_variables import demanded, known, secret

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, Any] = COMPOSE["services"]
VARIABLE = re.compile(r"\$\{(\w+)(?:(:?[-?])([^}]*))?\}")
PARTS = [f"{name}-{part}" for name in SERVICES for part in ("migrate", "api", "worker")]
PORTAL = ["portal-migrate", "portal"]


def filled_in(text: str) -> str:
    """The text with every variable set or at its default."""
    return VARIABLE.sub(lambda found: found[3] if found[2] in {"-", ":-"} else "x", text)


def test_it_matches_the_compose_specification() -> None:
    read = PyCompose.from_yaml(yaml.safe_dump(yaml.safe_load(filled_in(TEXT))))
    read.validate()
    assert read.to_spec()
    assert set(read.service_names()) == set(CONTAINERS)


@pytest.mark.parametrize("part", [*PARTS, *PORTAL])
def test_a_part_gets_all_required_settings_and_no_unknown_ones(part: str) -> None:
    name = part.partition("-")[0]
    environment = CONTAINERS[part]["environment"]
    assert demanded(name) - set(environment) == set()
    assert set(environment) - known(name) == set()


@pytest.mark.parametrize("part", [*PARTS, *PORTAL])
def test_a_part_is_confined_and_has_a_readiness_check(part: str) -> None:
    container = CONTAINERS[part]
    assert (container["read_only"], container["cap_drop"]) == (True, ["ALL"])
    assert "privileged" not in container
    assert container["command"][:2] == ["python", "-m"]
    if not part.endswith("migrate"):
        assert "/readyz" in str(container["healthcheck"])
        assert container["command"][-2:] == ["--port", "8000"]


@pytest.mark.parametrize("part", PARTS)
def test_only_workers_have_the_brokers_password(part: str) -> None:
    has_it = any("RABBITMQ" in name for name in CONTAINERS[part]["environment"])
    assert has_it == part.endswith("worker")


def test_no_secret_has_a_default() -> None:
    defaults = {found[1] for found in VARIABLE.finditer(TEXT) if found[2] != ":?"}
    assert not [name for name in defaults if re.search("PASSWORD|SECRET|KEY|TOKEN", name)]
    for container in CONTAINERS.values():
        for name, value in container.get("environment", {}).items():
            if secret(name) and value is not None:  # None: only if the environment has it
                assert re.fullmatch(r".*\$\{\w+:\?\}.*", value), name


def test_mounted_files_exist() -> None:
    mounted = [v for c in CONTAINERS.values() for v in c.get("volumes", []) if v.startswith("./")]
    paths = [ROOT / volume.split(":")[0] for volume in mounted]
    assert len(paths) > 5
    assert not [p for p in paths if not p.exists() and "grafana" not in p.parts]


def test_every_list_names_every_service() -> None:
    databases = (ROOT / "deploy/postgres/databases.sh").read_text()
    made = re.search("for service in (.*); do", databases)
    assert made is not None
    assert set(made[1].split()) == set(PACKAGES)
    assert {f"{name}_PASSWORD".upper() for name in PACKAGES} <= set(
        CONTAINERS["postgres"]["environment"]
    )
    gateway = (ROOT / "deploy/gateway/nginx.conf").read_text()
    behind = re.search(r"\^/api/\(\?<name>([a-z|]+)\)/v1/", gateway)
    assert behind is not None
    assert set(behind[1].split("|")) == set(SERVICES)
    for place in ("places.conf", "places.kubernetes.conf"):
        text = (ROOT / "deploy/gateway" / place).read_text()
        assert not [name for name in SERVICES if f"{name}-api:8000" not in text]
    scraped = yaml.safe_load((ROOT / "deploy/observability/prometheus.yml").read_text())
    [names] = scraped["scrape_configs"][0]["dns_sd_configs"]
    running = {part for part in PARTS if not part.endswith("migrate")}
    assert set(names["names"]) == {*running, "portal"}


def test_the_dockerfile_passes_its_lint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "USER 10001" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("password", ["plain", 'a"b\\c$d&e|f', "ab@PASSWORD@"])
def test_the_broker_definitions_contain_the_password_of_the_environment(
    tmp_path: Path, password: str
) -> None:
    place = tmp_path / "place"
    variables = {
        "MADOGUCHI_PASSWORD": password,
        "MADOGUCHI_PLACE": str(place),
        "PATH": "/usr/bin:/bin",
    }
    start = ROOT / "deploy/rabbitmq/start.sh"
    done = subprocess.run(
        ["sh", start, "env"], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"RABBITMQ_CONFIG_FILE={place}/rabbitmq" in done.stdout
    assert "MADOGUCHI_PASSWORD" not in done.stdout
    assert "max_message_size = 1048576\n" in (place / "rabbitmq.conf").read_text()
    written = yaml.safe_load((place / "definitions.json").read_text())
    assert written["users"][0]["password"] == password
    assert (place / "definitions.json").stat().st_mode & 0o077 == 0
    without = subprocess.run(
        ["sh", start, "true"], env={"PATH": variables["PATH"]}, capture_output=True, check=False
    )
    assert without.returncode != 0
