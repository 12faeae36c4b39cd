"""Installation: uv's steps are shown, and a failure is two lines with a remedy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.install import explain

REPOSITORY = Path(__file__).parents[2]
DNS = """error: Failed to fetch: `https://index/simple/rich/rich-15.0.0-py3-none-any.whl`
  Caused by: Request failed after 3 retries
  Caused by: client error (Connect)
  Caused by: dns error: failed to lookup address information: Name or service not known

hint: `rich` (v15.0.0) was included because `madoguchi` depends on `rich`
"""
FORBIDDEN = """  × Failed to download `rich==15.0.0`
  ├─▶ Failed to fetch: `https://index/rich-15.0.0-py3-none-any.whl`
  ╰─▶ HTTP status client error (403 Forbidden) for url (https://index/rich.whl)
"""
FULL = """error: Failed to install: numpy-2.4.6-cp311-cp311-linux.whl (numpy==2.4.6)
  Caused by: failed to copy file: No space left on device (os error 28)
"""


@pytest.mark.parametrize(
    ("said", "why", "remedy"),
    [
        (DNS, "Name or service not known", "Check the network"),
        (FORBIDDEN, "403 Forbidden", "PIP_INDEX_URL"),
        (FULL, "No space left on device", "Free some space"),
        ("error: something new\n", "something new", "type the same again"),
        ("", "uv said nothing", "type the same again"),
    ],
)
def test_a_failure_is_two_lines(said: str, why: str, remedy: str) -> None:
    first, second = explain(said.splitlines()).splitlines()
    assert why in first
    assert remedy in second
    assert "hint" not in first


def install(
    tmp_path: Path, script: str, mirror: str = "", *groups: str
) -> subprocess.CompletedProcess[str]:
    uv = tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >>"$0.asked"\n{script}\n')
    uv.chmod(0o755)
    settings = {"UV": str(uv), "UV_PROJECT_ENVIRONMENT": str(tmp_path / "env")}
    return subprocess.run(
        [sys.executable, "-m", "tools.install", *groups],
        env={**os.environ, **settings, "MADOGUCHI_MIRROR": mirror},
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_steps_are_shown_and_package_lists_are_not(tmp_path: Path) -> None:
    done = install(tmp_path, "echo 'Downloading numpy (16.1MiB)\n + numpy==2' >&2", "", "--no-dev")
    assert done.returncode == 0
    assert "Downloading numpy" in done.stderr
    assert "+ numpy" not in done.stderr
    assert (tmp_path / "uv.asked").read_text() == "run --frozen --no-dev python -c \n"


def test_a_failure_stops_the_installation(tmp_path: Path) -> None:
    done = install(tmp_path, f"cat >&2 <<'X'\n{FULL}X\nexit 2")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2].endswith("No space left on device (os error 28).")


def test_a_mirror_is_used_by_names_and_hashes(tmp_path: Path) -> None:
    done = install(tmp_path, '[ "$1" != sync ]', "http://mirror", "--no-dev")
    assert done.returncode == 0
    asked = [line.split() for line in (tmp_path / "uv.asked").read_text().splitlines()]
    assert [words[0] for words in asked] == ["sync", "venv", "export", "pip", "run"]
    assert "--no-dev" in asked[2]


def test_a_mirror_is_not_used_for_cached_packages(tmp_path: Path) -> None:
    assert install(tmp_path, "exit 0", "http://mirror").returncode == 0
    asked = (tmp_path / "uv.asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["sync", "run"]
