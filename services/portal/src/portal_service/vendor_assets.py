"""Vendor assets: scripts and styles of others, served from our own address.

`npm ci` in services/portal installs what package-lock.json names; `python -m
portal_service.vendor_assets` copies the few files that pages use into static/vendor, which the
repository ignores. Pages work without any of them.
"""

import shutil
import sys
from pathlib import Path

from portal_service.rendering import STATIC

WANTED = {
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "@digital-go-jp/design-tokens/dist/tokens.css": "tokens.css",
}


def copy_vendor_files(node_modules: Path, target: Path = STATIC / "vendor") -> list[Path]:
    """Copy the wanted files; returns those that were there to copy."""
    target.mkdir(parents=True, exist_ok=True)
    copied = []
    for source, name in WANTED.items():
        if (node_modules / source).is_file():
            copied.append(Path(shutil.copyfile(node_modules / source, target / name)))
    return copied


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else "node_modules"
    for path in copy_vendor_files(Path(given)):
        sys.stdout.write(f"{path}\n")
