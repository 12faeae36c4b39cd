"""Settings at the start of a process: a wrong one ends it with one line and its own exit code.

The line names variables, never their values: some are secrets.
"""

import sys
from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from shared.settings import BrokerMissing

WRONG_SETTINGS = 78
"""EX_CONFIG of sysexits.h: starting again without another setting is of no use."""

T = TypeVar("T")


def or_exit(part: str, make: Callable[[], T]) -> T:
    """What `make` reads from the environment; the process ends if a setting is missing or wrong."""
    try:
        return make()
    except ValidationError as refused:
        sys.stderr.write(f"{part}: {_in_one_line(f'{part}_'.upper(), refused)}\n")
    except BrokerMissing as missing:
        sys.stderr.write(f"{part}: {part.upper()}_{missing}\n")
    sys.exit(WRONG_SETTINGS)


def _in_one_line(prefix: str, refused: ValidationError) -> str:
    missing, wrong = [], []
    for fault in refused.errors(include_input=False, include_url=False, include_context=False):
        name = prefix + "_".join(str(part) for part in fault["loc"]).upper()
        if fault["type"] == "missing":
            missing.append(name)
        else:
            wrong.append(f"{name}: {fault['msg'].rstrip('.')}")
    unset = [f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"]
    return "; ".join([*(unset if missing else []), *wrong]) + ". See docs/deploy.md."
