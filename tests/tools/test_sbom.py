"""Bill of materials: every shipped package of both lock files, and none of the tests'."""

import json
import tomllib
from pathlib import Path

from tools.sbom import NPM_LOCK, bill_of_materials, npm_components

ROOT = Path(__file__).parents[2]


def test_it_lists_what_is_shipped_with_version_and_address() -> None:
    bill = bill_of_materials()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    found = {one["name"]: one for one in bill["components"]}
    locked = {
        one["name"]: one["version"]
        for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
        if "version" in one
    }
    for name in ("fastapi", "sqlalchemy", "asyncpg", "aio-pika"):
        assert found[name]["version"] == locked[name]
        assert found[name]["purl"].startswith(f"pkg:pypi/{name}@")
    assert found["htmx.org"]["purl"].startswith("pkg:npm/htmx.org@")
    assert not {"pytest", "playwright", "hypothesis"} & found.keys()


def test_packages_of_the_pages_are_those_of_the_lock() -> None:
    lock = json.loads(NPM_LOCK.read_text())
    lock["packages"]["node_modules/@scope/tool"] = {"version": "1.0.0", "dev": True}
    lock["packages"]["node_modules/@scope/part"] = {"version": "2.0.0", "license": "MIT"}
    found = {one["name"]: one["purl"] for one in npm_components(lock)}
    assert "@scope/tool" not in found
    assert found["@scope/part"] == "pkg:npm/%40scope/part@2.0.0"
