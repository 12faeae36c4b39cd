"""Alert rules of deploy/observability, checked by promtool and against the runbook."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup

from madoguchi.cli.dealer_credentials import dealer
from madoguchi.cli.events import events

ROOT = Path(__file__).parents[2]
OBSERVABILITY = ROOT / "deploy" / "observability"
HOW_TO_GET_IT = (
    "NO PROMTOOL: the alert rules are not tested. Install it (Debian: apt-get install prometheus)."
)
PROMTOOL = shutil.which("promtool")


@pytest.mark.parametrize("command", ["check rules alerts.yml", "test rules alerts.test.yml"])
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


def test_the_runbook_names_existing_commands() -> None:
    runbook = re.sub(r"\s+", " ", (ROOT / "docs" / "runbook.md").read_text())
    groups = {"events": typer.main.get_command(events), "dealer": typer.main.get_command(dealer)}
    named = re.findall(r"`(?:madoguchi )?(events|dealer) ([a-z-]+)", runbook)
    assert len(named) > 5
    for group, name in named:
        command = groups[group]
        assert isinstance(command, TyperGroup)
        assert name in command.commands
