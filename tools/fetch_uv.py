"""Download of uv: its wheel is fetched from the package index, verified, tried, and installed.

Neither pip nor venv is needed. A failure leaves nothing behind.
"""

import platform
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.find_uv import Version, own_uv, parse, required, suffices, version_of
from tools.package_index import IndexFile, PackageIndex
from tools.terminal import Failure, say

WHEEL = re.compile(r"uv-(\d+(?:\.\d+)*)-py3-none-(.+)\.whl")


@dataclass(frozen=True)
class Machine:
    """The platform that a wheel must match."""

    system: str
    processor: str
    glibc: Version | None

    @classmethod
    def here(cls) -> "Machine":
        """The current machine."""
        library, version = platform.libc_ver()
        glibc = parse(version) if library == "glibc" else None
        return cls(platform.system(), platform.machine().lower(), glibc)

    def runs(self, tag: str) -> bool:
        """Whether a wheel with this platform tag is for this machine."""
        found = re.fullmatch(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_(\w+)", tag)
        if found is None or found[4] != self.processor:
            return False
        if self.system == "Darwin":
            return found[1] == "macosx"
        if found[1] == "manylinux":
            return self.glibc is not None and self.glibc >= (int(found[2]), int(found[3]))
        return found[1] == "musllinux" and self.glibc is None


def fetch_uv(root: Path, index: PackageIndex, machine: Machine) -> Path:
    """Install the newest uv within the required versions into the project's folder."""
    say(f"Fetching uv, which installs all else, from {index.host} ...")
    bounds = required(root)
    wheel = choose_wheel(index.files("uv"), bounds, machine)
    if wheel is None:
        raise Failure(
            f"{index.host} has no uv {bounds} for {machine.system} on {machine.processor}."
            " Install uv yourself and run ./dev again: it takes the uv on PATH."
        )
    own = own_uv(root)
    own.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=own.parent) as folder:
        program = Path(folder) / "uv"
        with tempfile.TemporaryFile(dir=folder) as file:
            index.download(wheel, file)
            _take_program(wheel.name, zipfile.ZipFile(file), program)
        if version_of(program) is None:
            raise Failure(
                f"uv from {wheel.name} does not run here (a folder mounted noexec?). Install uv"
                " yourself and run ./dev again: it takes the uv on PATH."
            )
        program.replace(own)
    return own


def choose_wheel(files: Iterable[IndexFile], bounds: str, machine: Machine) -> IndexFile | None:
    """The newest wheel within the bounds that matches the machine."""
    fitting: list[tuple[Version, str, IndexFile]] = []
    for file in files:
        found = WHEEL.fullmatch(file.name)
        if found is None or not any(machine.runs(tag) for tag in found[2].split(".")):
            continue
        if suffices(version := parse(found[1]), bounds):
            fitting.append((version, file.name, file))
    return max(fitting)[2] if fitting else None


def _take_program(name: str, wheel: zipfile.ZipFile, into: Path) -> None:
    member = next((m for m in wheel.namelist() if m.endswith(".data/scripts/uv")), None)
    if member is None:
        raise Failure(f"{name} holds no uv program. Install uv yourself and run ./dev again.")
    with wheel.open(member) as packed, into.open("wb") as program:
        shutil.copyfileobj(packed, program)
    into.chmod(0o755)
