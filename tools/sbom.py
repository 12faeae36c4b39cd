"""Software bill of materials: every package that the product ships with, as CycloneDX 1.5.

Python's packages come from uv.lock, those of the pages from the portal's package-lock.json; nothing
is asked of a registry.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NPM_LOCK = ROOT / "services/portal/package-lock.json"
OWN_UV = ROOT / ".madoguchi/uv/bin/uv"
EXPORT = (
    *("export", "--frozen", "--offline", "--no-dev", "--all-packages", "--quiet"),
    *("--preview-features", "sbom-export", "--format", "cyclonedx1.5"),
)


def npm_components(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages of a package-lock.json that are shipped, with their hash."""
    found = []
    for place, package in lock["packages"].items():
        if not place or package.get("dev"):
            continue
        name = place.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        component = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": package["version"],
            "purl": purl,
        }
        if licence := package.get("license"):
            component["licenses"] = [{"expression": licence}]
        found.append(component)
    return found


def bill_of_materials() -> dict[str, Any]:
    """The whole document."""
    uv = shutil.which("uv") or str(OWN_UV)
    done = subprocess.run([uv, *EXPORT], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        sys.exit(done.stderr)
    bill: dict[str, Any] = json.loads(done.stdout)
    bill["components"] += npm_components(json.loads(NPM_LOCK.read_text()))
    return bill


def main() -> None:
    """Write it to a file, or print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="sbom.json, for example")
    args = parser.parse_args()
    text = json.dumps(bill_of_materials(), indent=2, ensure_ascii=False) + "\n"
    if args.file:
        args.file.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
