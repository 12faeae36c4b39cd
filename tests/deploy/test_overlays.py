"""Overlays of deploy/k8s as they are rendered: sizes, images by digest, ports, backups."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_kubernetes import EXAMPLE, K8S, KUBERNETES, validate

HOW_TO_GET_IT = "NO KUBECTL: the overlays are not rendered. Install kubectl or kustomize."
OVERLAYS = ("example", "small", "large")
Thing = dict[str, Any]


def test_every_overlay_is_tested() -> None:
    assert {folder.name for folder in (K8S / "overlays").iterdir()} == set(OVERLAYS)
    assert KUBERNETES


@cache
def build(folder: Path) -> list[Thing]:
    program = shutil.which("kustomize") or shutil.which("kubectl")
    assert program is not None
    word = "build" if program.endswith("kustomize") else "kustomize"
    done = subprocess.run([program, word, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def rendered(request: pytest.FixtureRequest, name: str) -> list[Thing]:
    if not (shutil.which("kustomize") or shutil.which("kubectl")):
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{HOW_TO_GET_IT}\n")
        pytest.skip(HOW_TO_GET_IT)
    return build(K8S / "overlays" / name)


def of_kind(everything: list[Thing], kind: str) -> dict[str, Thing]:
    return {thing["metadata"]["name"]: thing for thing in everything if thing["kind"] == kind}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_renders_valid_manifests(request: pytest.FixtureRequest, name: str) -> None:
    everything = rendered(request, name)
    for thing in everything:
        validate(thing)
    maps = of_kind(everything, "ConfigMap")
    assert len(maps) == 2
    deployed = json.dumps(list(of_kind(everything, "Deployment").values()))
    assert all(f'"name": "{made}"' in deployed for made in maps)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_image_is_named_by_its_digest(request: pytest.FixtureRequest, name: str) -> None:
    found = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            found.extend([part["image"]] if "image" in part else [])
            part = list(part.values())
        if isinstance(part, list):
            for one in part:
                walk(one)

    walk(rendered(request, name))
    assert len(found) > 15
    assert not [image for image in found if "@sha256:" not in image]


def test_the_ports_outside_are_those_of_the_overlay(request: pytest.FixtureRequest) -> None:
    """Each policy of ports.yaml replaces the ports of the base, and keeps whom it is for."""
    policies = of_kind(rendered(request, "example"), "NetworkPolicy")
    wanted = list(yaml.safe_load_all((EXAMPLE / "ports.yaml").read_text()))
    assert {one["metadata"]["name"] for one in wanted} == {
        "databases", "broker", "mail-server", "https-outwards", "clamd",
    }  # fmt: skip
    for one in wanted:
        policy = policies[one["metadata"]["name"]]["spec"]
        assert policy["egress"] == one["spec"]["egress"]
        assert policy["podSelector"]
        assert policy["policyTypes"] == ["Egress"]


@pytest.mark.parametrize(
    ("name", "fewest", "most", "workers"), [("small", 1, 2, (1, 2)), ("large", 3, 20, (2, 8))]
)
def test_sizes(
    request: pytest.FixtureRequest, name: str, fewest: int, most: int, workers: tuple[int, int]
) -> None:
    everything = rendered(request, name)
    scaled = of_kind(everything, "HorizontalPodAutoscaler").values()
    assert {one["spec"]["minReplicas"] for one in scaled} == {fewest}
    assert max(one["spec"]["maxReplicas"] for one in scaled) == most
    for one in of_kind(everything, "ScaledObject").values():
        spec = one["spec"]
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == workers
        assert spec["fallback"]["replicas"] == workers[0]


def test_the_backup_is_confined_and_may_only_reach_the_database(
    request: pytest.FixtureRequest,
) -> None:
    everything = rendered(request, "example")
    [job] = of_kind(everything, "CronJob").values()
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    [container] = pod["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    [setting] = container["env"]
    assert setting["valueFrom"]["secretKeyRef"] == {"name": "backup", "key": "superuser-url"}
    component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    [policy] = [
        thing["spec"]
        for thing in of_kind(everything, "NetworkPolicy").values()
        if component in json.dumps(thing["spec"]["podSelector"])
    ]
    assert policy["egress"] == [{"ports": [{"port": 5432, "protocol": "TCP"}]}]
