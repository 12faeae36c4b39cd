"""Which services are there, and how is each one's HTTP side made?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

import commuter_service.app
import contracts_service.app
import notifier_service.app
import returns_service.app
from shared.service import Service


@dataclass(frozen=True, slots=True)
class Entry:
    """A service and the maker of its app: `(database=, clock=, principal_of=, **state)`."""

    service: Service
    create_app: Callable[..., FastAPI]


def _entry(app: Any) -> Entry:
    return Entry(app.SERVICE, app.create_app)


SERVICES: dict[str, Entry] = {
    "contracts": _entry(contracts_service.app),
    "returns": _entry(returns_service.app),
    "commuter": _entry(commuter_service.app),
    "notifier": _entry(notifier_service.app),
}
