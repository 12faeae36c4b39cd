"""Rule coverage: which rule is proved by which test, and which by none. Run as `./dev rules`.

Collects every test with @pytest.mark.rule, compares them with docs/rules/catalogue.toml, prints the
result and writes docs/rules.md. With --check it writes nothing and fails if that page is stale, a
marker names no rule, or a marked test is hollow (it could not fail).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
NO_TESTS_COLLECTED = 5


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue."""

    number: str
    title: str
    says: str
    area: str


@dataclass(frozen=True)
class Case:
    """One collected case of a test with a rule marker; `hollow` is why it proves nothing."""

    test: str
    file: str
    rules: tuple[str, ...]
    hollow: str | None


@dataclass(frozen=True)
class Proof:
    """The catalogue compared with the tests: cases per test for each rule, and the faults."""

    rules: list[Rule]
    cases: dict[str, Counter[tuple[str, str]]]
    hollow: list[str]
    unknown: list[str]

    @property
    def proved(self) -> list[Rule]:
        """Rules with a test, in the order of the catalogue."""
        return [rule for rule in self.rules if self.cases.get(rule.number)]

    @property
    def open(self) -> list[Rule]:
        """Rules without one."""
        return [rule for rule in self.rules if not self.cases.get(rule.number)]


def read_catalogue(path: Path) -> list[Rule]:
    """Read the rules by area, in the order of the file. A number given twice raises ValueError."""
    areas = tomllib.loads(path.read_text(encoding="utf-8"))
    rules = [
        Rule(number, entry["title"], entry["says"], area)
        for area, entries in areas.items()
        for number, entry in entries.items()
    ]
    twice = [number for number, times in Counter(r.number for r in rules).items() if times > 1]
    if twice:
        raise ValueError(f"numbered twice in {path.name}: {', '.join(twice)}")
    return rules


def collect(root: Path, paths: list[str]) -> list[Case]:
    """Collect tests below root with pytest without a run. Fails with pytest's output."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "cases.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--no-header"]
        command += [
            "-p",
            "tools.collect_rules",
            "-p",
            "no:cacheprovider",
            "--rule-tests",
            str(target),
        ]
        search = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
        run = subprocess.run(  # noqa: S603  our own interpreter on our own tests
            [*command, *paths],
            cwd=root,
            env={**os.environ, "PYTHONPATH": search},
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode not in (0, NO_TESTS_COLLECTED):
            sys.exit(f"pytest could not collect the tests:\n{run.stdout}{run.stderr}")
        records = json.loads(target.read_text(encoding="utf-8"))
    return [Case(r["test"], r["file"], tuple(r["rules"]), r["hollow"]) for r in records]


def compare_with_catalogue(rules: list[Rule], cases: list[Case]) -> Proof:
    """Assign tests to rules; separate hollow cases and markers without a rule."""
    known = {rule.number for rule in rules}
    found: dict[str, Counter[tuple[str, str]]] = {}
    hollow: Counter[tuple[str, str, str]] = Counter()
    unknown: set[str] = set()
    for case in cases:
        for number in case.rules:
            if number not in known:
                unknown.add(f"{case.test} names {number or 'no rule'}")
            elif case.hollow is None:
                found.setdefault(number, Counter())[(case.file, case.test)] += 1
        if case.hollow is not None:
            hollow[(case.test, ", ".join(case.rules), case.hollow)] += 1
    lines = [f"{test}{_times(n)} ({numbers}): {why}" for (test, numbers, why), n in hollow.items()]
    return Proof(rules, found, sorted(lines), sorted(unknown))


def as_page(proof: Proof) -> str:
    """Write the proof as docs/rules.md; deterministic for the same tests."""
    lines = [
        "# Rules and their tests",
        "",
        "Written by `./dev rules`: [the catalogue](rules/catalogue.toml) beside the markers.",
        f"{len(proof.proved)} of {len(proof.rules)} rules have a test.",
    ]
    area = None
    for rule in proof.proved:
        if rule.area != area:
            area = rule.area
            lines += ["", f"## {area}", "", "| rule | what it says | tests |", "|---|---|---|"]
        links = "<br>".join(
            f"[{_name(test)}](../{file}){_times(cases)}"
            for file, test, cases in _tests(proof, rule)
        )
        lines.append(f"| **{rule.number}** {rule.title} | {rule.says} | {links} |")
    if proof.hollow:
        lines += ["", "## Hollow tests", "", *(f"- {line}" for line in proof.hollow)]
    if proof.open:
        lines += ["", "## Rules without a test", "", "| rule | what it says |", "|---|---|"]
        lines += [f"| **{rule.number}** {rule.title} | {rule.says} |" for rule in proof.open]
    return "\n".join(lines) + "\n"


def as_text(proof: Proof) -> str:
    """Write the proof for the terminal: proved rules, open ones, faults, the count."""
    lines = []
    for rule in proof.proved:
        lines.append(f"{rule.number:<5}{rule.title}")
        lines += [f"       {test}{_times(cases)}" for _, test, cases in _tests(proof, rule)]
    lines += [f"{rule.number:<5}{rule.title} — no test" for rule in proof.open]
    lines += [f"hollow: {line}" for line in proof.hollow]
    lines += [f"unknown rule: {line}" for line in proof.unknown]
    lines.append(
        f"{len(proof.rules)} rules: {len(proof.proved)} with a test, {len(proof.open)} without;"
        f" {len(proof.hollow)} hollow tests, {len(proof.unknown)} unknown markers"
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the proof, write or check the page; returns 1 on faults."""
    parser = argparse.ArgumentParser(
        prog="./dev rules", description="Compare the tests with the rules"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail on a stale page or a hollow test"
    )
    parser.add_argument("--root", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", help="tests to collect (default: all)")
    options = parser.parse_args()
    root = options.root.resolve()
    rules = read_catalogue(root / "docs/rules/catalogue.toml")
    proof = compare_with_catalogue(rules, collect(root, options.paths))
    page, text = root / "docs/rules.md", as_page(proof)
    listing = as_text(proof)
    faults = ("hollow:", "unknown")
    lines = [
        *(ln for ln in listing.splitlines() if ln.startswith(faults)),
        listing.splitlines()[-1],
    ]
    sys.stdout.write("\n".join(lines) + "\n" if options.check else listing)
    if not options.check:
        if not options.paths:
            page.write_text(text, encoding="utf-8")
        return 1 if proof.unknown else 0
    stale = not page.exists() or page.read_text(encoding="utf-8") != text
    if stale:
        sys.stdout.write("docs/rules.md is stale: run ./dev rules\n")
    return 1 if stale or proof.hollow or proof.unknown else 0


def _tests(proof: Proof, rule: Rule) -> Iterator[tuple[str, str, int]]:
    for (file, test), cases in sorted(proof.cases[rule.number].items()):
        yield file, test, cases


def _name(test: str) -> str:
    return test.partition("::")[2]


def _times(cases: int) -> str:
    return f" ×{cases}" if cases > 1 else ""


if __name__ == "__main__":
    sys.exit(main())
