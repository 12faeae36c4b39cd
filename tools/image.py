"""Build the image without a container engine: `./dev image`.

Debian's buildah executes the Dockerfile over base images made by debootstrap (image_bases.py), and
runs its processes in a chroot. It needs root and a Debian mirror, and keeps everything in
`.madoguchi/image`.
"""

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.bare_root import check_this_machine
from tools.image_bases import BASES, forget, root_of
from tools.terminal import Failure, say

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".madoguchi" / "image"
NAME = "localhost/madoguchi"
TESTS = ("tests/deploy/test_built_image.py", "tests/deploy/test_compose_from_image.py")
LARGEST_MB = 220
"""Of the image without its base."""


@dataclass(frozen=True)
class Layer:
    """A layer of the image: its size unpacked, and the instruction that made it."""

    megabytes: float
    made_by: str


@dataclass(frozen=True)
class Buildah:
    """Debian's buildah with a storage of its own in a folder."""

    folder: Path = FOLDER

    @cached_property
    def command(self) -> list[str]:
        """The program with its storage; overlay where the kernel mounts it, else copies."""
        storage = self.folder.resolve() / "storage"
        driver = "overlay" if _overlay_works(self.folder) else "vfs"
        return [
            "buildah", "--root", str(storage), "--runroot", str(storage / "run"),
            "--storage-driver", driver,
        ]  # fmt: skip

    def __call__(self, *words: str | Path) -> str:
        """Run one command; returns what it prints. Raises Failure with the end of its errors."""
        done = subprocess.run(  # noqa: S603
            [*self.command, *map(str, words)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failure(f"buildah {words[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout.strip()

    def has(self, image: str) -> bool:
        """Whether the storage has this image."""
        return image in self("images", "--format", "{{.Name}}:{{.Tag}}").splitlines()

    def make_bases(self) -> None:
        """Make the base images that are missing, under the names that the Dockerfile uses."""
        for name in BASES:
            image = f"docker.io/library/{name}"
            if not self.has(image):
                container = self("from", "scratch")
                self("copy", container, root_of(name, self.folder), "/")
                self("config", "--env", "PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin", container)
                self("commit", "--rm", container, image)

    def build(self) -> None:
        """Execute the Dockerfile; layers that did not change are kept."""
        how = ["--isolation", "chroot", "--layers", "--pull-never", "--format", "oci"]
        self("bud", *how, "-t", NAME, "-f", ROOT / "Dockerfile", ROOT)

    def layers(self) -> list[Layer]:
        """The layers above the base image, the lowest first."""
        of_base = len(self._inspected(f"docker.io/library/{BASES[0]}")["rootfs"]["diff_ids"])
        config = self._inspected(NAME)
        made_by = [e["created_by"] for e in config["history"] if not e.get("empty_layer")]
        sizes = self._sizes()
        diffs = config["rootfs"]["diff_ids"]
        return [
            Layer(sizes[diff] / 1e6, words)
            for diff, words in list(zip(diffs, made_by, strict=True))[of_base:]
        ]

    def _inspected(self, image: str) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(self("inspect", "--type", "image", image))["OCIv1"]
        return config

    def _sizes(self) -> dict[str, int]:
        [kept] = (self.folder / "storage").glob("*-layers/layers.json")
        return {one["diff-digest"]: one["diff-size"] for one in json.loads(kept.read_text())}


def _overlay_works(folder: Path) -> bool:
    """Whether the kernel mounts an overlay in this folder (not inside every container)."""
    place = folder / "overlay-try"
    for name in ("lower", "upper", "work", "merged"):
        (place / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
    mounting = f"mount -t overlay overlay -o {options} {place}/merged"
    tried = subprocess.run(  # noqa: S603
        ["unshare", "--mount", "sh", "-c", mounting],  # noqa: S607
        capture_output=True,
        check=False,
    )
    shutil.rmtree(place)
    return tried.returncode == 0


def main() -> int:
    """Build; print the layers; run the tests of the image in their long form."""
    options = argparse.ArgumentParser(prog="./dev image", description=__doc__)
    options.add_argument("--no-tests", action="store_true", help="only build, and print the layers")
    options.add_argument("--fresh", action="store_true", help="make the base images again")
    chosen = options.parse_args()
    try:
        check_this_machine()
        if shutil.which("buildah") is None:
            raise Failure("buildah is missing. Install it (Debian: apt install buildah).")
        image = Buildah()
        if chosen.fresh:
            image("rmi", "--all", "--force")
            forget(image.folder)
        image.make_bases()
        image.build()
    except Failure as failure:
        say(str(failure))
        return 1
    layers = image.layers()
    for layer in layers:
        say(f"{layer.megabytes:7.1f} MB  {layer.made_by[:90]}")
    say(f"{sum(one.megabytes for one in layers):7.1f} MB without the base; at most {LARGEST_MB}")
    if chosen.no_tests:
        return 0
    tests = ["pytest", "--long", "-n", "0", "-q", *(map(str, TESTS))]
    return subprocess.run([sys.executable, "-m", *tests], check=False, cwd=ROOT).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
