"""Kubernetes manifests of deploy/k8s: schemas, consistency, and required settings of all parts."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from sqlalchemy import text

from event_contracts import SUBSCRIPTIONS
from madoguchi.services import PACKAGES, SERVICES
from shared.db import Database
from shared.rabbitmq import Topology

from .keda import OF_TRIGGER, SCALED_OBJECT
from .required_variables import demanded, known, secret

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy/k8s"
BASE, EXAMPLE, COMPONENT = K8S / "base", K8S / "overlays/example", K8S / "components/backup"
KUBERNETES = "1.33"
Thing = dict[str, Any]
PARTS = [f"{name}-{part}" for name in SERVICES for part in ("migrate", "api", "worker")]
PORTAL = ["portal-migrate", "portal"]


@cache
def files(folder: Path) -> dict[str, list[Thing]]:
    found = [file for file in sorted(folder.glob("*.yaml")) if file.name != "kustomization.yaml"]
    return {file.name: list(yaml.safe_load_all(file.read_text())) for file in found}


@cache
def kustomization(folder: Path) -> Thing:
    read: Thing = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return read


def things(kind: str | None = None) -> list[Thing]:
    every = [thing for made in files(BASE).values() for thing in made]
    return [thing for thing in every if kind in {None, thing["kind"]}]


def named(kind: str, name: str) -> Thing:
    [thing] = [thing for thing in things(kind) if thing["metadata"]["name"] == name]
    return thing


WORKLOADS = [*things("Deployment"), *things("Job")]
PODS = {thing["metadata"]["name"]: thing["spec"]["template"] for thing in WORKLOADS}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Match as Kubernetes does; an empty selector selects everything."""
    return all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items()) and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", ())
    )


def selected(selector: Mapping[str, Any]) -> set[str]:
    return {name for name, pod in PODS.items() if selects(selector, pod["metadata"]["labels"])}


def validate(thing: Thing) -> None:
    """Check a manifest against the schema of its kind, in which no other field is allowed."""
    if thing["kind"] == "ScaledObject":
        jsonschema.validate(thing, SCALED_OBJECT)
        for trigger in thing["spec"]["triggers"]:
            assert set(trigger["metadata"]) == OF_TRIGGER[trigger["type"]]
    else:
        kubernetes_validate.validate(thing, KUBERNETES, strict=True)


BACKUP = files(COMPONENT)["backup.yaml"]


@pytest.mark.parametrize("thing", [*things(), *files(EXAMPLE)["ingress.yaml"], *BACKUP],
                         ids=lambda t: f"{t['kind']}/{t['metadata']['name']}")  # fmt: skip
def test_a_manifest_matches_its_schema(thing: Thing) -> None:
    validate(thing)


@pytest.mark.parametrize("folder", [BASE, EXAMPLE, COMPONENT, ROOT / "deploy/gateway"])
def test_listed_files_and_existing_files_agree(folder: Path) -> None:
    listed = kustomization(folder)
    resources = listed.get("resources", [])
    assert not [name for name in resources if not (folder / name).exists()]
    patches = {patch["path"] for patch in listed.get("patches", []) if "path" in patch}
    assert {name for name in resources if name.endswith(".yaml")} | patches == set(files(folder))
    for made in listed.get("configMapGenerator", []):
        paths = [name.rpartition("=")[2] for name in made.get("files", [])]
        assert not [path for path in paths if not (folder / path).is_file()]


def test_every_service_runs_as_job_api_and_worker() -> None:
    assert set(PODS) == {*PARTS, *PORTAL, "gateway"}
    for thing in things("Deployment"):
        assert selected(thing["spec"]["selector"]) == {thing["metadata"]["name"]}
        assert "replicas" not in thing["spec"], "the autoscaler's decision"
    for part in (*PARTS, *PORTAL):
        [container] = PODS[part]["spec"]["containers"]
        name, _, kind = part.partition("-")
        assert PACKAGES[name] in container["args"]
        assert part == "portal" or kind in container["args"]


@pytest.mark.parametrize("part", [*PARTS, *PORTAL])
def test_a_part_gets_all_required_settings_and_secrets_by_reference(part: str) -> None:
    [container] = PODS[part]["spec"]["containers"]
    name = part.partition("-")[0]
    environment = {one["name"]: one for one in container["env"]}
    assert demanded(name) - set(environment) == set()
    assert set(environment) - known(name) == set()
    [installation] = [
        made
        for made in kustomization(EXAMPLE)["configMapGenerator"]
        if made["name"] == "installation"
    ]
    given = {line.partition("=")[0] for line in installation["literals"]}
    for variable, one in environment.items():
        source = one.get("valueFrom", {})
        assert ("secretKeyRef" in source) == secret(variable), variable
        if reference := source.get("configMapKeyRef"):
            assert reference["name"] == installation["name"]
            assert reference["key"] in given


def test_the_manifests_contain_no_secret() -> None:
    assert not things("Secret")
    assert "secretGenerator" not in {**kustomization(BASE), **kustomization(EXAMPLE)}


@pytest.mark.parametrize("part", PODS)
def test_a_pod_is_confined(part: str) -> None:
    pod = PODS[part]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("thing", things("Deployment"), ids=lambda t: t["metadata"]["name"])
def test_replicas_are_spread_over_nodes_and_zones(thing: Thing) -> None:
    constraints = thing["spec"]["template"]["spec"]["topologySpreadConstraints"]
    keys = [one["topologyKey"] for one in constraints]
    assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    for one in constraints:
        assert selected(one["labelSelector"]) == {thing["metadata"]["name"]}
        assert one["matchLabelKeys"] == ["pod-template-hash"], "each version by itself"


@pytest.mark.parametrize("part", [*(p for p in PARTS if "migrate" not in p), "portal"])
def test_a_part_has_a_readiness_probe(part: str) -> None:
    [container] = PODS[part]["spec"]["containers"]
    [port] = container["ports"]
    assert container["args"][-2:] == ["--port", str(port["containerPort"])]
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("readiness", "liveness")}
    assert asked["readiness"] == {"path": "/readyz", "port": port["name"]}
    assert asked["liveness"] == {"path": "/livez", "port": port["name"]}


def test_services_autoscalers_and_budgets_refer_to_existing_workloads() -> None:
    for service in things("Service"):
        [name] = selected({"matchLabels": service["spec"]["selector"]})
        ports = {p["name"] for p in PODS[name]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
        assert service["metadata"]["name"] == name
    for budget in things("PodDisruptionBudget"):
        assert selected(budget["spec"]["selector"]) == {budget["metadata"]["name"]}
    scaled = {
        thing["spec"]["scaleTargetRef"]["name"]
        for thing in (*things("HorizontalPodAutoscaler"), *things("ScaledObject"))
    }
    deployed = {thing["metadata"]["name"] for thing in things("Deployment")}
    assert scaled == deployed
    assert {budget["metadata"]["name"] for budget in things("PodDisruptionBudget")} == deployed


@pytest.mark.parametrize("name", SERVICES)
async def test_a_worker_is_scaled_by_its_queue_and_its_database(
    name: str, new_database: Callable[[str], Awaitable[str]]
) -> None:
    scaled = named("ScaledObject", f"{name}-worker")
    [container] = PODS[f"{name}-worker"]["spec"]["containers"]
    environment = {one["name"] for one in container["env"]}
    assert scaled["spec"]["minReplicaCount"] >= 1
    queue, *questions = [trigger["metadata"] for trigger in scaled["spec"]["triggers"]]
    assert queue["queueName"] == Topology(SUBSCRIPTIONS).queue(name)
    assert queue["hostFromEnv"] in environment
    database = Database(await new_database("shared"))
    for asked in questions:
        assert asked["connectionFromEnv"] in environment
        async with database.transaction() as tx:
            assert float((await tx.execute(text(asked["query"]))).scalar_one()) == 0
    await database.close()


@pytest.mark.parametrize("name", SERVICES)
def test_workers_are_not_scaled_by_a_broker_or_database_that_is_away(name: str) -> None:
    """One number of all triggers: without one of them there is none, and KEDA keeps what runs."""
    spec = named("ScaledObject", f"{name}-worker")["spec"]
    modifiers = spec["advanced"]["scalingModifiers"]
    assert spec["fallback"]["behavior"] == "currentReplicas"
    assert modifiers["metricType"] == "AverageValue"
    words = set(re.findall(r"[a-z_]+", modifiers["formula"])) - {"max"}
    assert words == {trigger["name"] for trigger in spec["triggers"]}
    for key in ("value", "targetQueryValue"):  # what each would be alone
        for trigger in spec["triggers"]:
            if limit := trigger["metadata"].get(key):
                assert f"{trigger['name']} / {limit}" in modifiers["formula"]


def may(way: str, own: str, other: str, port: int) -> bool:
    """Whether a policy allows traffic between `own` and `other` (or the world, if empty)."""
    side, peers = ("ingress", "from") if way == "Ingress" else ("egress", "to")
    for policy in things("NetworkPolicy"):
        if own in selected(policy["spec"]["podSelector"]):
            for rule in policy["spec"].get(side, []):
                whom = [peer.get("podSelector") for peer in rule.get(peers, [])]
                anybody = not rule.get(peers)
                if port in {p["port"] for p in rule["ports"]} and (
                    anybody or any(s is not None and other in selected(s) for s in whom)
                ):
                    return True
    return False


@pytest.mark.parametrize(
    ("asking", "asked", "allowed"),
    [
        ("gateway", "portal", True),
        ("gateway", "contracts-api", True),
        ("gateway", "interchange-api", True),
        ("portal", "commuter-api", True),
        ("notifier-worker", "returns-api", True),
        ("notifier-worker", "commuter-api", True),
        ("notifier-worker", "contracts-api", False),
        ("gateway", "contracts-worker", False),
        ("returns-api", "contracts-api", False),
        ("contracts-worker", "returns-api", False),
        ("portal", "notifier-worker", False),
        ("contracts-migrate", "portal", False),
    ],
)
def test_allowed_connections_between_parts(asking: str, asked: str, *, allowed: bool) -> None:
    port = 8000
    both = may("Egress", asking, asked, port) and may("Ingress", asked, asking, port)
    assert both == allowed


@pytest.mark.parametrize(
    ("part", "ports"),
    [
        ("contracts-api", {5432, 443}),
        ("contracts-worker", {5432, 5672, 443}),
        ("notifier-worker", {5432, 5672, 443, 587}),
        ("commuter-api", {5432, 443, 3310}),
        ("contracts-migrate", {5432}),
        ("portal", {5432, 443}),
        ("portal-migrate", {5432}),
        ("gateway", set()),
    ],
)
def test_allowed_outside_connections_of_a_part(part: str, ports: set[int]) -> None:
    assert {p for p in (443, 587, 3310, 5432, 5672, 8000) if may("Egress", part, "", p)} == ports


def test_every_policy_selects_a_pod() -> None:
    assert named("NetworkPolicy", "nobody")["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    for policy in things("NetworkPolicy"):
        assert selected(policy["spec"]["podSelector"]), policy["metadata"]["name"]
