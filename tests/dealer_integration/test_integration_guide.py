"""Integration guide: the pages for integrators match the code."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_contracts.dealer import DealerEvent
from event_contracts.sender_schema import DEALER_EVENTS as TYPES
from interchange_service.api.events import STATUS_OF
from interchange_service.rules.credentials import KeyExpired, KeyNotTrusted, KeyRevoked
from interchange_service.rules.message_checks import (
    CLOCK_AHEAD,
    LARGEST_BODY,
    LONGEST_ID,
    LONGEST_TEXT,
    MESSAGES,
    OLDEST,
    Reason,
)
from interchange_service.settings import InterchangeSettings
from madoguchi.cli.interface_conformance_cases import NOT_TRIED, cases
from tests.node_assets import installed

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["integration.md", "integration.en.md"]
ROW = re.compile(r"^\| (\d{3}) \| `([A-Z_]+)` \| (.+) \|$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_every_refusal_is_documented_with_its_status(page: str) -> None:
    rows = {code: (int(status), words) for status, code, words in ROW.findall(read(page))}
    for reason in Reason:
        assert rows[reason][0] == STATUS_OF.get(reason, 422)
        if page == "integration.md":
            assert rows[reason][1] == MESSAGES[reason]
    keys = {key.code for key in (KeyNotTrusted, KeyRevoked, KeyExpired)}
    assert rows.keys() == set(Reason) | keys | {"TOKEN_MISSING", "TOO_MANY_MESSAGES"}


@pytest.mark.parametrize("page", PAGES)
def test_every_event_that_a_dealer_sends_is_named_with_its_key(page: str) -> None:
    named = dict(re.findall(r"\| `(dealer\.[a-z_.0-9]+)` \| `(\w+)` \|", read(page)))
    kinds: dict[str, type[DealerEvent]] = TYPES
    assert named == {wire_type: kind.aggregate_key for wire_type, kind in kinds.items()}


@pytest.mark.parametrize("page", PAGES)
def test_the_documented_limits_match_the_code(page: str) -> None:
    words = read(page)
    often = InterchangeSettings.model_fields["requests_per_minute"].default
    for limit in (
        rf"{LARGEST_BODY // 1024} ?KiB",
        rf"{LONGEST_TEXT}( |文字)",
        rf"{LONGEST_ID}( |文字)",
        rf"{OLDEST.days}( days|日前)",
        rf"{2 * OLDEST.days}( days|日間)",
        rf"{CLOCK_AHEAD.seconds // 60}( minutes|分先)",
        rf"{often}( messages|件)",
    ):
        assert re.search(limit, words), limit


def test_every_example_has_a_number_of_its_own() -> None:
    """Pasted one after the other, no two messages may have the same id with another content."""
    examples = (DOCS / "integration").glob("*.[mpst]*")
    used = [re.findall(r"R-1\d{3}", file.read_text(encoding="utf-8")) for file in examples]
    named = [number for numbers in used for number in set(numbers)]
    assert len(named) == len(set(named)) == 6
    assert "R-1001" not in named, "the first message of the guide has it"
    assert all({*re.findall(r"R-1\d{3}", read(page))} == {"R-1001"} for page in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_webhook_is_registered_before_its_receiver_starts(page: str) -> None:
    """The receiver needs the secret of the answer, and the test needs the receiver."""
    steps = ['/hook", "events": ["all"]}', "export WEBHOOK_SECRET=", "verify.py 8080", '/ping"']
    found = [read(page).index(step) for step in steps]
    assert found == sorted(found)


@pytest.mark.parametrize("page", [*PAGES, "events.md"])
def test_every_link_resolves(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", read(page))
    inside = [link for link in links if not link.startswith("https:")]
    assert inside
    assert [link for link in inside if not (DOCS / link).exists()] == []


@pytest.mark.parametrize("file", ["asyncapi.yaml", "dealers/asyncapi.yaml"])
def test_the_catalogues_are_valid_asyncapi_documents(
    request: pytest.FixtureRequest, file: str
) -> None:
    """Validated by the parser of the AsyncAPI Initiative; the one for dealers stands alone."""
    whole = (DOCS.parent / "contracts-schema" / file).read_text(encoding="utf-8")
    assert ("$ref: ./" in whole) is (file == "asyncapi.yaml")
    installed(request, DOCS / "integration", "@asyncapi/parser")
    done = subprocess.run(
        ["node", "check-asyncapi.mjs", f"../../contracts-schema/{file}"],
        cwd=DOCS / "integration", capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_conformance_tries_every_documented_refusal(page: str) -> None:
    """Those that it cannot provoke alone are listed with the reason."""
    documented = {code for _, code, _ in ROW.findall(read(page))}
    tried = {case.expected.split()[1] for case in cases("D01", datetime.now(UTC))
             if not case.expected.startswith("202")}  # fmt: skip
    assert not tried & set(NOT_TRIED)
    assert tried | set(NOT_TRIED) == documented


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")
