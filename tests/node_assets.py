"""Node assets of the tests: the scripts of the pages, axe, and a third-party OIDC provider."""

import shutil
import subprocess
from pathlib import Path

import pytest

import portal_service

PACKAGE = Path(portal_service.__file__).parents[2]
NEEDED = ("htmx.org", "@digital-go-jp/design-tokens", "axe-core", "oidc-provider")
HOW_TO_GET_IT = (
    "NO NODE: the tests that need packages from npm are skipped. Install it (Debian: apt-get"
    " install nodejs npm) and make the npm registry reachable."
)


def node_modules(request: pytest.FixtureRequest) -> Path:
    """The folder with the packages of the portal's package-lock.json."""
    return installed(request, PACKAGE, *NEEDED)


def installed(request: pytest.FixtureRequest, package: Path, *needed: str) -> Path:
    """The folder with the packages of a package-lock.json; skips with a reason if unavailable."""
    modules = package / "node_modules"
    if all((modules / name).is_dir() for name in needed):
        return modules
    npm = shutil.which("npm")
    if npm:
        done = subprocess.run(
            [npm, "ci", "--silent", "--no-audit"], cwd=package, capture_output=True, check=False
        )
        if done.returncode == 0:
            return modules
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{HOW_TO_GET_IT}\n")
    pytest.skip(HOW_TO_GET_IT)
