"""Alert rules of deploy/observability, checked by promtool and against the runbook."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml
from prometheus_client import REGISTRY
from typer.core import TyperGroup

from madoguchi.cli.dealer_credentials import dealer
from madoguchi.cli.events import events
from madoguchi.services import SERVICES
from portal_service.access_log import WAITING

ROOT = Path(__file__).parents[2]
OBSERVABILITY = ROOT / "deploy" / "observability"
HOW_TO_GET_IT = (
    "NO PROMTOOL: the alert rules are not tested. Install it (Debian: apt-get install prometheus)."
)
PROMTOOL = shutil.which("promtool")


@pytest.mark.parametrize(
    "command",
    ["check rules alerts.yml", "test rules alerts.test.yml", "check config prometheus.yml"],
)
def test_promtool_passes(command: str, request: pytest.FixtureRequest) -> None:
    if PROMTOOL is None:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{HOW_TO_GET_IT}\n")
        pytest.skip(HOW_TO_GET_IT)
    done = subprocess.run(
        [PROMTOOL, *command.split()], cwd=OBSERVABILITY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_runbook_section_and_a_test() -> None:
    groups = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    alerts = [rule["alert"] for rule in rules]
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert re.findall(r"^### (\w+)$", runbook, re.MULTILINE) == alerts
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    trials = (OBSERVABILITY / "alerts.test.yml").read_text()
    assert [alert for alert in alerts if not re.search(rf"\b{alert}\b", trials)] == []


OF_RABBITMQ = {
    "rabbitmq_disk_space_available_bytes",
    "rabbitmq_disk_space_available_limit_bytes",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_queue_consumers",
    "rabbitmq_queue_messages_ready",
    "rabbitmq_queue_messages_unacked",
    "rabbitmq_resident_memory_limit_bytes",
}
"""At /metrics/per-object; compared with a running broker's answer by hand."""


def own_names() -> set[str]:
    """Every name that our processes expose."""
    assert SERVICES
    assert WAITING
    return {
        name
        for collector, names in REGISTRY._collector_to_names.items()
        for name in names
        if type(collector).__module__.startswith("prometheus_client.metrics")
    }


@pytest.mark.parametrize("file", ["alerts.yml", "grafana/dashboards/madoguchi.json"])
def test_what_is_asked_for_exists(file: str) -> None:
    text = re.sub(r"#.*", "", (OBSERVABILITY / file).read_text())
    asked = set(re.findall(r"\b(?:madoguchi|rabbitmq)_\w+", text))
    assert {name for name in asked if name.startswith("madoguchi_")} <= own_names()
    assert {name for name in asked if name.startswith("rabbitmq_")} <= OF_RABBITMQ


def test_every_metric_of_ours_has_our_prefix() -> None:
    assert [name for name in own_names() if not name.startswith("madoguchi_")] == []


def test_alerts_watch_every_process() -> None:
    alerts = (OBSERVABILITY / "alerts.yml").read_text()
    kinds = {(name, part) for name in SERVICES for part in ("api", "worker")}
    watched = re.findall(r'absent\(madoguchi_process_info{service="(\w+)", part="(\w+)"}\)', alerts)
    assert set(watched) == kinds | {("portal", "pages")}
    read = re.findall(r'absent\(madoguchi_outbox_age_seconds{service="(\w+)"}\)', alerts)
    assert set(read) == set(SERVICES)


def test_the_sample_of_alertmanager_reaches_somebody_for_every_severity() -> None:
    sample = yaml.safe_load((OBSERVABILITY / "alertmanager.yml").read_text())
    known = {receiver["name"] for receiver in sample["receivers"]}
    routes = [sample["route"], *sample["route"]["routes"]]
    assert {route["receiver"] for route in routes} == known
    alerts = {
        rule["alert"]
        for group in yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]
        for rule in group["rules"]
    }
    named = re.findall(
        r"alertname=~?\"([\w|]+)\"", (OBSERVABILITY / "alertmanager.yml").read_text()
    )
    assert {one for group in named for one in group.split("|")} <= alerts


def test_the_runbook_names_existing_commands() -> None:
    runbook = re.sub(r"\s+", " ", (ROOT / "docs" / "runbook.md").read_text())
    groups = {"events": typer.main.get_command(events), "dealer": typer.main.get_command(dealer)}
    named = re.findall(r"`(?:madoguchi )?(events|dealer) ([a-z-]+)", runbook)
    assert len(named) > 5
    for group, name in named:
        command = groups[group]
        assert isinstance(command, TyperGroup)
        assert name in command.commands
