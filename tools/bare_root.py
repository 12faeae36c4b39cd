"""Bare roots: a Debian with only python3 and git, made by debootstrap, to run commands in.

Commands in a root have separate process and mount namespaces: their child processes and mounts end
with them. The network is this machine's, with its proxies, indexes and certificates.
"""

import os
import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.terminal import Failure, say

PACKAGES = "python3,git,ca-certificates"
HANDED_ON = re.compile(
    r"PIP_(?!CACHE).*|UV_(DEFAULT_INDEX|INDEX_URL|SYSTEM_CERTS)|npm_config_(?!cache).*"
    r"|(?i:https?|all|no)_(?i:proxy)|SSL_CERT_FILE|(REQUESTS|CURL)_CA_BUNDLE|NODE_EXTRA_CA_CERTS"
)
NEEDED = ("debootstrap", "unshare", "chroot", "git", "cp")
ENTER = """
set -e
mount --bind /dev "$0/dev"
mount --bind /dev/shm "$0/dev/shm"
mount --bind /dev/pts "$0/dev/pts"
mount -t proc proc "$0/proc"
chroot "$@"
exit $?
"""


@dataclass(frozen=True)
class BareRoot:
    """A root in a folder of this machine, with the user that commands run as, and their home."""

    folder: Path
    user: str = "root"
    home: str = "/root"

    def command(self, words: Sequence[str], folder: str = "/") -> list[str]:
        """The command line that runs `words` in the root; the shell in between reaps orphans."""
        inside = f"cd {shlex.quote(folder)} && exec {shlex.join(words)}"
        who = f"--userspec={self.user}:{self.user}"
        cage = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return [*cage, "sh", "-c", ENTER, str(self.folder), who, str(self.folder),
                "/bin/sh", "-c", inside]  # fmt: skip

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a new user's shell, with this machine's network settings."""
        handed = {name: value for name, value in os.environ.items() if HANDED_ON.fullmatch(name)}
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {
            **handed,
            "PATH": path,
            "HOME": self.home,
            "USER": self.user,
            "LANG": "C.UTF-8",
        } | more

    def run(self, *words: str, folder: str = "/", **more: str) -> str:
        """Run a command to its end; returns its standard output."""
        done = subprocess.run(  # noqa: S603
            self.command(words, folder),
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise Failure(f"`{shlex.join(words)}` failed in {self.folder}: {done.stderr[-500:]}")
        return done.stdout


def check_this_machine() -> None:
    """Raise unless this machine can make roots."""
    if os.geteuid() != 0:
        raise Failure("Only root can make bare roots. Type the same with sudo.")
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        raise Failure(
            f"{', '.join(missing)} is missing. Install it (Debian: apt install debootstrap git)."
        )


def base_root(folder: Path, suite: str, mirror: str | None, packages: str = PACKAGES) -> Path:
    """A root of a Debian suite as debootstrap makes it; an existing one is reused."""
    made = folder / suite
    if made.exists():
        return made
    source = mirror or find_mirror(suite, apt_sources())
    say(f"Making a bare {suite} in {made} (about a minute) ...")
    half = folder / f"{suite}.half"
    remove(half)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{suite}.log"
    with log.open("w") as file:
        done = subprocess.run(  # noqa: S603
            ["debootstrap", "--variant=minbase", f"--include={packages}", suite, half, source],  # noqa: S607
            stdout=file, stderr=file, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        remove(half)
        raise Failure(f"debootstrap could not make {suite}; {log} says why.")
    half.rename(made)
    return made


def copy_root(base: Path, target: Path) -> None:
    """A copy of the root for one run, with this machine's host names and certificates."""
    remove(target)
    subprocess.run(["cp", "-a", "--reflink=auto", base, target], check=True)  # noqa: S603, S607
    for name in ("/etc/resolv.conf", "/etc/hosts", *_certificates()):
        place = target / name.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        shutil.copyfile(name, place)


def remove(folder: Path) -> None:
    """Remove a root; refuses while something is mounted in it."""
    inside = f"{folder.resolve()}/"
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in mounts:
        if f"{mount}/".startswith(inside):
            raise Failure(f"{mount} is still mounted. Type: umount {mount}")
    if folder.exists():
        shutil.rmtree(folder)


def find_mirror(suite: str, sources: Iterable[str]) -> str:
    """The first of this machine's apt sources that has the suite."""
    for source in dict.fromkeys(sources):
        try:
            with urllib.request.urlopen(f"{source}/dists/{suite}/Release", timeout=30):  # noqa: S310
                return source
        except (urllib.error.URLError, ValueError):
            continue
    raise Failure(f"No apt source of this machine has {suite}. Name a mirror: --mirror URL")


def apt_sources(folder: Path = Path("/etc/apt")) -> Iterator[str]:
    """The URLs of the configured apt sources."""
    lists = [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]
    for file in lists:
        if file.exists():
            text = file.read_text(encoding="utf-8")
            if file.suffix == ".sources":
                for line in re.findall(r"^URIs:\s*(.+)$", text, re.MULTILINE):
                    yield from (address.rstrip("/") for address in line.split())
            else:
                found = re.findall(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)", text, re.MULTILINE)
                yield from (address.rstrip("/") for address in found)


def _certificates() -> set[str]:
    named = {"SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
    files = {os.environ[name] for name in named if os.environ.get(name)}
    return {file for file in files if Path(file).is_file()}
