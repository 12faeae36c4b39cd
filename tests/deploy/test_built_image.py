"""The image, really built: its size and layers, its user, its tools, and how it says what it lacks.

`./dev image` builds it and runs this file; the suite runs it where that was done before.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.image import FOLDER, LARGEST_MB, NAME, Buildah
from tools.image_bases import BASES

from .compose_file import ROOT, TEXT
from .containers import USER
from .required_variables import demanded, plausible
from .test_image import SOURCE

HOW_TO_GET_IT = (
    "NO IMAGE: type ./dev image once (as root; Debian: apt install buildah debootstrap)."
)


@pytest.fixture(scope="module")
def image(long: bool) -> Buildah:
    """The image of the Dockerfile as it is; base images are made in the long form only."""
    if os.geteuid() != 0 or shutil.which("buildah") is None:
        pytest.skip(HOW_TO_GET_IT)
    made = Buildah()
    if long:
        made.make_bases()
    elif not FOLDER.exists() or not all(made.has(f"docker.io/library/{b}") for b in BASES):
        pytest.skip(HOW_TO_GET_IT)
    made.build()
    return made


@pytest.fixture(scope="module")
def container(image: Buildah) -> Iterator[str]:
    made = image("from", "--pull-never", NAME)
    yield made
    image("rm", made)


def run(
    image: Buildah, container: str, *words: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    command = [*image.command, "run", "--isolation", "chroot", "--cap-drop", "all", *settings]
    return subprocess.run(
        [*command, container, "--", *words], capture_output=True, text=True, check=False
    )


def test_the_image_is_small_and_what_changes_often_is_above(image: Buildah) -> None:
    layers = image.layers()
    assert sum(layer.megabytes for layer in layers) <= LARGEST_MB
    *_, packages, own = layers
    assert "/app/.venv" in packages.made_by
    assert own.megabytes < 15 < packages.megabytes


def test_its_processes_are_nobody_and_own_nothing(image: Buildah, container: str) -> None:
    owned = "find / -xdev -user 10001 2>/dev/null"
    said = run(image, container, "sh", "-c", f"id -u; touch /app/.venv/x /etc/x /x; {owned}")
    user, *found = said.stdout.split()
    assert user == str(USER)
    assert said.stderr.count("Permission denied") == 3
    assert set(found) == {"/receipts", "/backups"}


def test_it_has_the_tools_of_composes_postgresql(image: Buildah, container: str) -> None:
    [version] = re.findall(r"image: postgres:(\d+)", TEXT)
    for tool in ("pg_dump", "pg_restore"):
        said = run(image, container, f"/usr/lib/postgresql/{version}/bin/{tool}", "--version")
        assert f"(PostgreSQL) {version}" in said.stdout, said.stderr
    libraries = run(image, container, "ldd", f"/usr/lib/postgresql/{version}/bin/pg_dump").stdout
    assert f"/usr/lib/postgresql/{version}/lib/libpq" in libraries
    assert "libssl" in libraries
    assert "not found" not in libraries


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("contracts", ["shared.main", "contracts_service", "api"]),
        ("notifier", ["shared.main", "notifier_service", "worker"]),
        ("portal", ["portal_service"]),
    ],
)
def test_a_missing_setting_is_one_line(
    image: Buildah, container: str, part: str, words: list[str]
) -> None:
    given = dict(plausible(part))
    lacking = min(demanded(part))
    del given[lacking]
    done = run(image, container, "python", "-m", *words, **given)
    said = [line for line in done.stderr.splitlines() if "exit" not in line]
    assert said == [f"{part}: {lacking} is not set. See docs/deploy.md."]
    assert done.returncode == 78


def test_every_module_of_ours_can_be_imported(image: Buildah, container: str) -> None:
    """Also those that no flow of this file reaches: nothing that they need was taken out."""
    done = run(
        image, container, "python", "-c", (Path(__file__).parent / "import_all.py").read_text()
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-3000:]


def test_nothing_but_sources_gets_into_the_build() -> None:
    """Neither a .env nor a data folder: all is left out, and the packages' folders are let in."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(SOURCE)
