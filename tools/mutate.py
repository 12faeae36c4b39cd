"""Mutation testing: small changes of our code, and which of them the tests notice.

    ./dev mutate rules --sample 100 --seed 7     a sample of the rules' mutants
    ./dev mutate core --again                    once more what survived, after new tests
    ./dev mutate actions --file PATH             every mutant of one file
    ./dev mutate --page                          writes bench/results/mutation.md

Tests that run the changed line come first, the quickest of them before the others; coverage.py
finds them once and .madoguchi/mutation keeps that. A mutant that nobody could notice is listed with
its reason in tools/mutation/equivalent.toml.

Our own runner. mutmut 3 rewrites every function of one package into a copy beside its mutants and
takes one folder of sources; ours are eight packages with tests that start processes of all of them.
cosmic-ray changes the files of the working tree, and starts pytest with all its imports for each
mutant, which takes longer than our tests do. Neither changes the SQL in our texts, nor the
conditions of a query, where most of what survived was.
"""

import argparse
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from tools.mutation import forked
from tools.mutation.mutants import Mutant, is_python, mutants_of
from tools.mutation.results import GROUPS, Results, equivalents, page
from tools.mutation.tests_of_lines import OF_EVERY_MODULE, TestsOfLines, gather
from tools.mutation.worker import Verdict, Worker
from tools.terminal import say

HOME = Path(__file__).parents[1]
KEPT = HOME / ".madoguchi" / "mutation"
SOURCES = {
    "rules": ("services/*/src/*/rules/*.py", "fare-engine/src/fare_engine/rules/*.py"),
    "core": ("shared/src/shared/*.py",),
    "actions": (
        "services/*/src/*/actions/*.py",
        "services/*/src/*/*queries.py",
        "services/*/src/*/exports/*queries.py",
        "services/*/src/*/subscribers.py",
    ),
}
TESTS_OF = {
    "rules": ("services/*/tests/rules", "services/notifier/tests", "services/interchange/tests"),
    "core": ("shared/tests",),
    "actions": ("services/*/tests", "services/*/tests/service"),
}
WIDER = ("services/*/tests", "services/*/tests/*", "shared/tests", "fare-engine/tests")
ABOUT = (
    "`./dev mutate` changes one place of the code at a time and runs the tests that run the line.",
    "Score: killed of those that are neither equivalent nor undecided; a mutant that no test of",
    "its package runs counts as survived. A sample is drawn by seed from all mutants of a group.",
)


def main() -> int:
    """Run mutants; returns 1 if one survived."""
    args = _arguments()
    results = Results.load(KEPT / "results.json")
    if args.page:
        _write_page(results)
        return 0
    chosen = _chosen(args, results)
    if not chosen:
        say("No mutant is left to run.")
        return 0
    folders = WIDER if args.wide else TESTS_OF[args.group]
    found = _test_files(args.tests, None) if args.tests else _test_files(folders, chosen)
    forked.import_libraries()
    modules = {mutant.path for mutant in chosen}
    tests = gather(HOME, KEPT / "lines", [*found, OF_EVERY_MODULE], modules)
    survived = 0
    for mutant, verdict in _judged(chosen, tests, args):
        results.add(args.group, mutant, verdict)
        survived += verdict.verdict != "killed"
        print(f"{verdict.verdict:9} {mutant.key} {mutant}  {verdict.by}", flush=True)  # noqa: T201
    return 1 if survived else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev mutate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("group", nargs="?", choices=GROUPS, default="rules")
    parser.add_argument("--sample", type=int, help="number of mutants; all without this")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--file", action="append", help="only mutants of this source file")
    parser.add_argument("--key", action="append", help="only this mutant")
    parser.add_argument("--again", action="store_true", help="only those that survived before")
    parser.add_argument("--tests", action="append", help="a folder or file of tests instead")
    parser.add_argument(
        "--wide", action="store_true", help="all tests of the package, not the nearest"
    )
    parser.add_argument("--minutes", type=float, default=20, help="begin no mutant after them")
    parser.add_argument("--longest", type=float, default=90, help="seconds of tests for a mutant")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--page", action="store_true", help="write the page of all results")
    return parser.parse_args()


def _chosen(args: argparse.Namespace, results: Results) -> list[Mutant]:
    """The mutants to run: a sample of those not known yet, or those that are asked for."""
    files = sorted(args.file or _files(SOURCES[args.group]))
    found = [mutant for file in files for mutant in mutants_of(HOME, file)]
    listed = equivalents()
    if args.key:
        return [mutant for mutant in found if mutant.key in args.key]
    if args.again:
        left = set(results.survivors(args.group))
        return [mutant for mutant in found if mutant.key in left]
    random.Random(args.seed).shuffle(found)  # noqa: S311 - the same sample for the same seed
    fresh = (m for m in found if m.key not in results.known and m.key not in listed)
    chosen: list[Mutant] = []
    for mutant in fresh:
        if args.sample is not None and len(chosen) >= args.sample:
            break
        if is_python(HOME, mutant):
            chosen.append(mutant)
    return chosen


def _files(patterns: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        yield from (str(path.relative_to(HOME)) for path in HOME.glob(pattern))


def _test_files(folders: Sequence[str], chosen: list[Mutant] | None) -> list[str]:
    """Test files of the folders; of the packages that are mutated, if they are given."""
    found = []
    for folder in folders:
        pattern = folder if folder.endswith(".py") else f"{folder}/test_*.py"
        found += [str(path.relative_to(HOME)) for path in sorted(HOME.glob(pattern))]
    if chosen is None:
        return found
    packages = {mutant.path.split("/src/")[0] for mutant in chosen}
    return [file for file in found if any(file.startswith(f"{name}/") for name in packages)]


def _judged(
    chosen: list[Mutant], tests: TestsOfLines, args: argparse.Namespace
) -> Iterator[tuple[Mutant, Verdict]]:
    """Each verdict as it comes, from as many workers as there are cores."""
    fork = multiprocessing.get_context("fork")
    todo: SimpleQueue[Mutant | None] = fork.SimpleQueue()
    done: SimpleQueue[tuple[Mutant, Verdict] | None] = fork.SimpleQueue()
    until = time.monotonic() + 60 * args.minutes
    workers = [Worker(HOME, KEPT / f"copy-{number}") for number in range(args.workers)]
    processes = []
    for worker in workers:
        worker.prepare()
        judge = partial(worker.judge, tests=tests, longest_s=args.longest)
        process = fork.Process(target=_work, args=(todo, done, until, judge))
        process.start()
        processes.append(process)
    for mutant in (*chosen, *[None] * len(workers)):
        todo.put(mutant)
    ended = 0
    while ended < len(workers):
        found = done.get()
        if found is None:
            ended += 1
        else:
            yield found
    for process in processes:
        process.join()


def _work(
    todo: "SimpleQueue[Mutant | None]",
    done: "SimpleQueue[tuple[Mutant, Verdict] | None]",
    until: float,
    judge: Callable[[Mutant], Verdict],
) -> None:
    """One worker: mutants of the queue until it is empty or the time is over."""
    while (mutant := todo.get()) is not None:
        if time.monotonic() < until:
            done.put((mutant, judge(mutant)))
    done.put(None)


def _write_page(results: Results) -> None:
    from bench.event_fixture import write

    write("mutation", page(results, ABOUT))


if __name__ == "__main__":
    sys.exit(main())
