"""A real browser for tests: Chromium of the system, or from Debian where it may be installed."""

import os
import shutil
import subprocess
import sys

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET_IT = (
    "NO BROWSER: the browser tests are skipped. Install Chromium and what its driver needs "
    "(Debian: apt-get install chromium libatomic1), or set CHROMIUM=/path/to/it."
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def chromium_or_skip(request: pytest.FixtureRequest) -> str:
    """The path of a Chromium that the driver can start; skips the test where there is none."""
    program = _chromium() or _chromium(install=True)
    if program and not _driver_runs():
        _install()
    if program and _driver_runs():
        return program
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{HOW_TO_GET_IT}\n")
    pytest.skip(HOW_TO_GET_IT)


def _chromium(*, install: bool = False) -> str | None:
    if install:
        _install()
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> None:
    """Install both from Debian, where this is root; a bare machine lacks the driver's library."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-q"], ["install", "-y", "-q", "chromium", "libatomic1"]):
        subprocess.run([apt, *words], capture_output=True, check=False, env=quiet)


def _driver_runs() -> bool:
    command = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
