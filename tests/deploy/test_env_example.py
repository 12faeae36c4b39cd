""".env.example: every variable of docker-compose.yml, explained, with the default of the file."""

import re

from .compose_file import ROOT, TEXT, VARIABLE, compose_file

EXAMPLE = (ROOT / ".env.example").read_text()
LINE = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
WRITTEN = {found[2]: found for found in LINE.finditer(EXAMPLE)}
ASKED = {found[1]: found for found in VARIABLE.finditer(TEXT)}
FROM_ENVIRONMENT = {
    name
    for container in compose_file(dict.fromkeys(ASKED, "x"))["services"].values()
    for name, value in container.get("environment", {}).items()
    if value is None
}
"""Variables without a value in the file: taken from .env where they are set."""


def test_it_has_every_variable_of_the_file_and_no_other() -> None:
    assert set(WRITTEN) == set(ASKED) | FROM_ENVIRONMENT
    assert len(WRITTEN) == len(LINE.findall(EXAMPLE)), "one twice"


def test_optional_ones_are_commented_out_and_show_their_default() -> None:
    for name, found in WRITTEN.items():
        asked = ASKED.get(name)
        required = asked is not None and asked[2] == ":?"
        assert bool(found[1]) != required, name
        if not required:
            assert found[3] == (asked[3] if asked else ""), name


def test_every_variable_stands_below_an_explanation() -> None:
    explained = False
    for line in EXAMPLE.splitlines():
        if LINE.match(line):
            assert explained, line
        else:
            explained = bool(re.match("# (?!---)", line))


def test_no_secret_is_in_it() -> None:
    for name, found in WRITTEN.items():
        if re.search("PASSWORD|SECRET|KEYS", name):
            assert found[3] == "", name
