"""The word list refuses each of its words, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.word_list import WORDS, check, checked_files, find_words


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "text",
    ["# Here {} stands.\n", '"""{}"""\n', "{}_now = 1\n", "Some **{}** in a page.\n"],
    ids=["comment", "docstring", "identifier", "page"],
)
def test_each_word_is_refused(word: str, text: str) -> None:
    text = "\n" + text.format(word.capitalize())
    assert [(f.line, f.word) for f in find_words("a.py", text)] == [(2, word)]


@pytest.mark.parametrize("word", [word for word in WORDS if " " in word])
def test_a_line_break_hides_nothing(word: str) -> None:
    first, rest = word.split(" ", 1)
    assert [f.word for f in find_words("a.md", f"It {first}\n    {rest} there.")] == [word]


@pytest.mark.parametrize(
    "text",
    [
        "the history of this",
        "there, then, they",
        "springs",
        "renewal",
        "told_at = column()",
        "hers",
    ],
)
def test_other_words_pass(text: str) -> None:
    assert not list(find_words("a.py", text))


def test_tracked_files_are_read_and_history_is_left_out(tmp_path: Path) -> None:
    for name in ("src/a.py", "docs/b.md", "src/migrations/versions/c.py", "picture.png"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("anew\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    files = checked_files(tmp_path)
    assert files == ["docs/b.md", "src/a.py"]
    assert [f.file for f in check(tmp_path, files)] == files


@pytest.mark.parametrize(("text", "code"), [("again\n", 0), ("anew\n", 1)])
def test_the_command_ends_with_1_where_a_word_is_found(
    tmp_path: Path, text: str, code: int
) -> None:
    file = tmp_path / "a.md"
    file.write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "tools.word_list", str(file)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert ("'anew': write again" in ran.stdout) == bool(code)
