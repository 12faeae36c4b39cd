"""Python interpreter search: the first that runs and is new enough, regardless of PATH order."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TOOLS = ("bash", "sed", "dirname", "cat")
BROKEN_SHIM = "echo 'pyenv: python3.13: command not found' >&2; exit 127"
OLD = "echo '3.10.13 False /usr/bin/python3'"
WITHOUT_SSL = 'case "$2" in *ssl*) exit 1 ;; esac; echo "3.12.1 True /opt/python3.12"'
GOOD = f'exec "{sys.executable}" "$@"'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without an environment, in a folder with a space in its name."""
    folder = tmp_path / "a clone"
    (folder / "tools").mkdir(parents=True)
    (folder / "bin").mkdir()
    for file in ("pyproject.toml", "dev", "tools/find_python.sh"):
        shutil.copy(REPOSITORY / file, folder / file)
    for tool in TOOLS:
        (folder / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return folder


def put(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def find(clone: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(shutil.which("bash")), clone / "tools" / "find_python.sh"],
        env={"PATH": str(clone / "bin"), **environ},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_shim_that_does_not_run_is_skipped(clone: Path) -> None:
    put(clone / "bin", "python3.13", BROKEN_SHIM)
    put(clone / "bin", "python3.12", WITHOUT_SSL)
    put(clone / "bin", "python3", GOOD)
    assert find(clone).stdout.strip() == sys.executable


def test_the_environments_python_comes_first(clone: Path) -> None:
    put(clone / "bin", "python3.13", "echo '3.13.0 True /on/path'")
    put(clone / ".venv" / "bin", "python", "echo '3.12.0 True /of/the/environment'")
    assert find(clone).stdout.strip() == "/of/the/environment"
    put(clone / ".venv" / "bin", "python", "exit 1")
    assert find(clone).stdout.strip() == "/on/path"


def test_a_named_python_comes_before_those_on_path(clone: Path) -> None:
    put(clone / "bin", "python3.13", "echo '3.13.0 True /on/path'")
    put(clone / "own dir", "python", "echo '3.12.0 True /named'")
    assert find(clone, UV_PYTHON=str(clone / "own dir" / "python")).stdout.strip() == "/named"


def test_a_python_managed_by_uv_is_found(clone: Path) -> None:
    put(clone / "kept", "python3.13", "echo '3.13.0 True /kept/by/uv'")
    put(clone / "bin", "uv", f"echo '{clone}/kept/python3.13'")
    assert find(clone).stdout.strip() == "/kept/by/uv"


def test_no_python_at_all_is_one_sentence_with_a_remedy(clone: Path) -> None:
    done = find(clone)
    assert done.returncode == 1
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first == "No Python 3.11 or newer runs here: none was found."
    assert "apt install python3" in second


def test_rejected_pythons_are_listed(clone: Path) -> None:
    put(clone / "bin", "python3.13", BROKEN_SHIM)
    put(clone / "bin", "python3", OLD)
    done = find(clone)
    assert done.returncode == 1
    assert "python3.13 does not run, python3 is 3.10.13." in done.stderr


@pytest.mark.parametrize("command", ["up", "test", "check", "fix"])
def test_every_command_stops_without_a_python(clone: Path, command: str) -> None:
    done = subprocess.run(
        [str(shutil.which("bash")), clone / "dev", command],
        env={"PATH": str(clone / "bin")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert not (clone / ".venv").exists()
    assert not (clone / ".madoguchi").exists()


@pytest.mark.parametrize("words", [["nonsense"], ["nonsense", "--python", "3.13"]])
def test_an_unknown_command_sets_nothing_up(clone: Path, words: list[str]) -> None:
    done = subprocess.run(
        [str(shutil.which("bash")), clone / "dev", *words],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "There is no command 'nonsense'" in done.stderr
    assert not (clone / ".venv").exists()
