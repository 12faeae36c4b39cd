"""Set-up settings of `./dev`: uv, the Python, the environment, caches and certificates.

They are printed for the shell. Standard library only: this runs before anything is installed.
"""

import argparse
import configparser
import errno
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.find_uv import find_uv
from tools.terminal import Failure, say

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Print the settings; a failure goes to standard error."""
    options = argparse.ArgumentParser(prog="./dev")
    options.add_argument("--python", help="another Python than the first that runs")
    wanted: str | None = options.parse_args().python
    try:
        for name, value in settings(ROOT, os.environ, wanted).items():
            print(f"export {name}={shlex.quote(value)}")  # noqa: T201
    except Failure as failure:
        say(str(failure))
    except OSError as error:
        place = error.filename or ROOT / ".madoguchi"
        todo = "Free some space" if error.errno == errno.ENOSPC else "Make that possible"
        say(f"{place} cannot be written: {error.strerror}. {todo} and type the same again.")
    else:
        return 0
    return 1


def settings(root: Path, environ: Mapping[str, str], wanted: str | None) -> dict[str, str]:
    """The settings; fetches uv if necessary."""
    pip = pip_settings(environ)
    made: dict[str, str] = {"UV_SYSTEM_CERTS": environ.get("UV_SYSTEM_CERTS", "true")}
    if trusted := certificates(environ, pip):
        made["SSL_CERT_FILE"] = trusted
    mirror = chosen_index(environ, pip)
    if mirror:
        made |= {"UV_DEFAULT_INDEX": mirror, "MADOGUCHI_MIRROR": mirror}
    made |= caches(root, environ)
    uv = find_uv(root, environ)
    if uv is None:
        from tools.fetch_uv import Machine, fetch_uv
        from tools.package_index import PackageIndex

        index = PackageIndex(mirror or locked_index(root / "uv.lock"), trusted)
        uv = fetch_uv(root, index, Machine.here())
    made["UV"] = str(uv)
    return made | interpreter(root, environ, uv, wanted)


def interpreter(
    root: Path, environ: Mapping[str, str], uv: Path, wanted: str | None
) -> dict[str, str]:
    """The environment and its Python: one environment for each requested Python."""
    if wanted:
        python = named_python(wanted, environ, uv)
        said = subprocess.run(  # noqa: S603
            [python, "-c", "import platform; print(platform.python_version())"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        own = root / ".madoguchi" / f"python-{said}"
        return {"UV_PROJECT_ENVIRONMENT": str(own), "UV_PYTHON": python}
    own = root / environ.get("UV_PROJECT_ENVIRONMENT", ".venv")
    made = {"UV_PROJECT_ENVIRONMENT": str(own)}
    if "UV_PYTHON" not in environ and Path(sys.prefix) != own:
        made["UV_PYTHON"] = str(getattr(sys, "_base_executable", sys.executable))
    return made


def named_python(wanted: str, environ: Mapping[str, str], uv: Path) -> str:
    """The Python of a version or at a path: on PATH, of pyenv, or one that uv has or can fetch."""
    pyenv = Path(environ.get("PYENV_ROOT", Path(environ.get("HOME", "/")) / ".pyenv"))
    candidates = [
        shutil.which(wanted),
        shutil.which(f"python{wanted}"),
        *sorted(pyenv.glob(f"versions/{wanted}*/bin/python"), reverse=True),
    ]
    for candidate in candidates:
        if candidate and _runs(str(candidate)):
            return str(candidate)
    for steps in (["find"], ["install", "find"]):
        for step in steps:
            done = subprocess.run(  # noqa: S603
                [uv, "python", step, wanted], stdout=subprocess.PIPE, text=True, check=False,
                stderr=subprocess.DEVNULL if steps == ["find"] else None,
            )  # fmt: skip
        if done.returncode == 0:
            return done.stdout.strip()
    raise Failure(
        f"There is no Python {wanted}: not on PATH, not in {pyenv}, and uv could not fetch one."
        f" Install it, or name it: --python /path/to/python{wanted}"
    )


def _runs(python: str) -> bool:
    try:
        done = subprocess.run([python, "-c", "import ssl"], capture_output=True, check=False)  # noqa: S603
    except OSError:
        return False
    return done.returncode == 0


def caches(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The package caches: in the project's folder if the home is not writable."""
    places = {"UV_CACHE_DIR": "uv", "npm_config_cache": "npm"}
    home = Path(environ.get("HOME", "/nonexistent"))
    usual = {
        "UV_CACHE_DIR": Path(environ.get("XDG_CACHE_HOME", home / ".cache")) / "uv",
        "npm_config_cache": home / ".npm",
    }
    return {
        name: str(root / ".madoguchi" / f"{tool}-cache")
        for name, tool in places.items()
        if name not in environ and not _can_be_written(usual[name])
    }


def _can_be_written(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)


def certificates(environ: Mapping[str, str], pip: Mapping[str, str]) -> str | None:
    """The certificates file trusted instead of the system's: uv's setting, else pip's."""
    names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return next((environ[name] for name in names if environ.get(name)), pip.get("cert"))


def chosen_index(environ: Mapping[str, str], pip: Mapping[str, str]) -> str | None:
    """The index used instead of the one in the lock file: uv's setting, else pip's."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    return next((environ[name] for name in names if environ.get(name)), pip.get("index-url"))


def locked_index(lock: Path) -> str:
    """The index that the lock file was written from."""
    found = re.search(r'registry = "(.+?)"', lock.read_text(encoding="utf-8"))
    if found is None:
        raise Failure(f"{lock} names no package index. Take it from git again.")
    return found[1]


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Configuration of pip: the machine's files, overridden by the user's."""
    config = configparser.RawConfigParser(strict=False)
    for place in _pip_files(environ):
        try:
            config.read(place, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            say(f"{place} is left out: {error}")
    sections = {name: dict(config[name]) for name in config.sections()}
    return sections.get("global", {}) | sections.get("install", {})


def _pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME", "/nonexistent"))
    yield Path("/etc/pip.conf")
    yield home / "Library/Application Support/pip/pip.conf"
    yield home / ".pip/pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME", home / ".config")) / "pip/pip.conf"
    if "PIP_CONFIG_FILE" in environ:
        yield Path(environ["PIP_CONFIG_FILE"])


if __name__ == "__main__":
    sys.exit(main())
