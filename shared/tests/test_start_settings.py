"""A process without its settings: one line that names them, and an exit code of its own."""

import os
import subprocess
import sys

import pytest

WRONG_SETTINGS = 78
GIVEN = {"DATABASE_URL": "postgresql://x:a-secret@127.0.0.1:9/x", "ISSUER": "x", "JWKS_URL": "x"}


def started(words: list[str], settings: dict[str, str]) -> tuple[int, str]:
    """Exit code and standard error of a process with these settings of contracts."""
    environment = {f"CONTRACTS_{name}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("part", ["api", "worker", "migrate"])
def test_what_is_missing_is_named_with_its_prefix(part: str) -> None:
    words = ["shared.main", "contracts_service", part]
    code, said = started(words, {"DATABASE_URL": GIVEN["DATABASE_URL"]})
    assert code == WRONG_SETTINGS
    assert (
        said == "contracts: CONTRACTS_ISSUER, CONTRACTS_JWKS_URL are not set. See docs/deploy.md.\n"
    )


def test_a_wrong_value_is_named_but_not_shown() -> None:
    wrong = {**GIVEN, "DATABASE_CONNECTIONS": "a-secret"}
    code, said = started(["shared.main", "contracts_service", "api"], wrong)
    assert code == WRONG_SETTINGS
    assert said.startswith("contracts: CONTRACTS_DATABASE_CONNECTIONS: ")
    assert said.count("\n") == 1
    assert "a-secret" not in said


def test_a_worker_without_a_broker_says_so() -> None:
    code, said = started(["shared.main", "contracts_service", "worker"], GIVEN)
    assert (code, said) == (
        WRONG_SETTINGS, "contracts: CONTRACTS_RABBITMQ_URL is not set: a worker needs it.\n",
    )  # fmt: skip


def test_the_portal_does_the_same() -> None:
    code, said = started(["portal_service"], {})
    assert code == WRONG_SETTINGS
    assert said.startswith("portal: PORTAL_PUBLIC_URL, PORTAL_SESSION_SECRET, ")
    assert said.endswith(" are not set. See docs/deploy.md.\n")
    assert said.count("\n") == 1
