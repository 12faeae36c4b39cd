"""Workflow diagram of a return application: docs/workflow.md, drawn from the table of steps."""

import argparse
import sys
from pathlib import Path

from returns_service.return_workflow_diagram import allowed_transitions, workflow_mermaid
from returns_service.rules.approval_route import SETTINGS
from shared.roles import Role

PAGE = Path(__file__).parent.parent / "docs" / "workflow.md"


def as_page() -> str:
    """The page: first the longest path alone, then every transition."""
    return (
        "# The workflow of a return application\n\n"
        "Drawn by `./dev workflow` from the one table in\n"
        "[return_approval.py](../services/returns/src/returns_service/rules/return_approval.py).\n"
        f"Over four approval settings and three kinds of originator it allows "
        f"{len(list(allowed_transitions()))} transitions;\n"
        "`madoguchi workflow --format csv` lists them one by one. Not drawn: headquarters may\n"
        "change the originator while the dealer holds the application (T22), and edit its note\n"
        "while it waits for headquarters (T21).\n\n"
        "## Reported by sales staff, approved by store and headquarters\n\n"
        f"```mermaid\n{workflow_mermaid(SETTINGS[3], Role.SALES)}```\n\n"
        "## Every setting, every originator\n\n"
        f"```mermaid\n{workflow_mermaid()}```\n"
    )


def main() -> int:
    """Write the page; with --check only check whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(as_page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == as_page():
        return 0
    sys.stderr.write("docs/workflow.md is stale: run ./dev workflow\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
