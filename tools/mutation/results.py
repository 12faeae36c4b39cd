"""Verdicts kept between runs, mutants that change nothing, and the page of both."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.mutation.mutants import Mutant
from tools.mutation.worker import KILLED, SURVIVED, UNDECIDED, UNTESTED, Verdict

EQUIVALENT = "equivalent"
LISTED = Path(__file__).parent / "equivalent.toml"
GROUPS = {
    "rules": "rules of the services and of the fare engine",
    "core": "the shared event core, HTTP, sign-in, timers",
    "actions": "actions, queries and subscribers of the services",
}


@dataclass(slots=True)
class Results:
    """What is known of each mutant, by its key, newest verdict last."""

    place: Path
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, place: Path) -> "Results":
        """Those kept in a file, if there are any."""
        known = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
        return cls(place, known)

    def add(self, group: str, mutant: Mutant, verdict: Verdict) -> None:
        """Keep a verdict; written at once, so that a stopped run loses nothing."""
        self.known[mutant.key] = {"group": group, "mutant": str(mutant), **verdict._asdict()}
        self.place.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.known, ensure_ascii=False, indent=1)
        self.place.write_text(text, encoding="utf-8")

    def survivors(self, group: str) -> list[str]:
        """Keys of a group's mutants that no test noticed, or of which nothing is known."""
        left = (SURVIVED, UNTESTED, UNDECIDED)
        return [
            key
            for key, one in self.known.items()
            if one["group"] == group and one["verdict"] in left and key not in equivalents()
        ]

    def of(self, group: str) -> dict[str, dict[str, Any]]:
        """A group's mutants, those that change nothing as such."""
        listed = equivalents()
        return {
            key: {**one, "verdict": EQUIVALENT} if key in listed else one
            for key, one in self.known.items()
            if one["group"] == group
        }


def equivalents() -> dict[str, str]:
    """The reason of each listed mutant that changes nothing anybody could see."""
    listed = tomllib.loads(LISTED.read_text(encoding="utf-8")).get("mutant", [])
    return {one["key"]: one["reason"] for one in listed}


def page(results: Results, about: Iterable[str]) -> list[str]:
    """The table of the groups, the survivors, and the mutants that change nothing."""
    lines = [
        *about,
        "",
        "| group | mutants run | killed | equivalent | undecided | survived | no test | score |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for group, what in GROUPS.items():
        lines.append(_row(what, Counter(one["verdict"] for one in results.of(group).values())))
    for heading, verdicts in (
        ("Survivors", (SURVIVED, UNTESTED)),
        (
            "Undecided (the time of a test ran out, which proves nothing on a busy machine)",
            (UNDECIDED,),
        ),
        ("Equivalent (tools/mutation/equivalent.toml has the reasons)", (EQUIVALENT,)),
    ):
        found = [
            f"- {key} {one['mutant']}"
            for group in GROUPS
            for key, one in results.of(group).items()
            if one["verdict"] in verdicts
        ]
        lines += ["", f"{heading}: {len(found)}", "", *found]
    return lines


def _row(what: str, count: Counter[str]) -> str:
    decided = count.total() - count[EQUIVALENT] - count[UNDECIDED]
    score = f"{100 * count[KILLED] / decided:.1f} %" if decided else "–"
    shown = (KILLED, EQUIVALENT, UNDECIDED, SURVIVED, UNTESTED)
    return f"| {what} | {count.total()} | {' | '.join(str(count[v]) for v in shown)} | {score} |"
