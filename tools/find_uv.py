"""Search for uv: on PATH or in the project's folder, in a version that suffices.

The required versions are in pyproject.toml (`tool.uv.required-version`).
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.terminal import Failure

BOUND = re.compile(r"(>=|<)(\d+(?:\.\d+)*)")
LONGEST_S = 30
Version = tuple[int, ...]


def find_uv(root: Path, environ: Mapping[str, str]) -> Path | None:
    """A uv that runs in a required version: the first on PATH, else the project's own."""
    bounds = required(root)
    on_path = shutil.which("uv", path=environ.get("PATH", ""))
    for candidate in (Path(on_path) if on_path else None, own_uv(root)):
        version = version_of(candidate) if candidate else None
        if version and suffices(version, bounds):
            return candidate
    return None


def own_uv(root: Path) -> Path:
    """The path of the project's own uv."""
    return root / ".madoguchi" / "uv" / "bin" / "uv"


def required(root: Path) -> str:
    """The required versions of uv."""
    found = re.search(
        r'^required-version = "(.+)"', (root / "pyproject.toml").read_text(), re.MULTILINE
    )
    if found is None:
        raise Failure("pyproject.toml says no tool.uv.required-version. Take it from git again.")
    return found[1]


def suffices(version: Version, bounds: str) -> bool:
    """Whether a version is within bounds such as `>=0.9,<0.14`."""
    within = {">=": Version.__ge__, "<": Version.__lt__}
    return all(within[sign](version, parse(bound)) for sign, bound in BOUND.findall(bounds))


def version_of(program: Path) -> Version | None:
    """The version reported by a uv; None if it does not run."""
    try:
        said = subprocess.run(  # noqa: S603
            [program, "--version"], capture_output=True, text=True, timeout=LONGEST_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"uv (\d+(?:\.\d+)+)", said)
    return parse(found[1]) if found else None


def parse(words: str) -> Version:
    """A comparable version."""
    return tuple(int(part) for part in words.split("."))
