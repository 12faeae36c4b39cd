"""A real browser: Chromium from the system, or from Debian where it may be installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.product import Product, running

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET_IT = (
    "NO CHROMIUM: the browser tests are skipped. Install it (Debian: apt-get install chromium), or "
    "set CHROMIUM=/path/to/it."
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


expect.set_options(timeout=30_000)  # a machine may be busy; a right answer comes at once


def find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    apt = shutil.which("apt-get")
    if found is None and apt and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-y", "-q", "chromium"]):
            subprocess.run([apt, *words], capture_output=True, check=False, env=quiet)
        found = shutil.which("chromium")
    return found


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Ends with its module: while it lives, its event loop leaves no room for another."""
    program = find_chromium()
    if program is None:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{HOW_TO_GET_IT}\n")
        pytest.skip(HOW_TO_GET_IT)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running() as started:
        yield started
