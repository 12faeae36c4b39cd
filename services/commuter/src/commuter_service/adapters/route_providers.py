"""Route providers: our own engine, or 駅すぱあと over HTTP (ekispert.py), as the settings say.

Both answer a `SearchRequest` with `Candidate`s, so pages and API do not know the difference.
"""

import threading
from collections.abc import Sequence
from datetime import date
from typing import Literal, Protocol

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from commuter_service.adapters.ekispert import Ekispert
from commuter_service.provider_rides import SourcePass
from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.routing.candidates import Candidate, SearchRequest, candidates
from fare_engine.rules.fare_rounding import Medium


class RouteProvider(Protocol):
    """Answers questions; raises Refusal."""

    def candidates(
        self, question: SearchRequest, tariffs: Tariffs, source_passes: Sequence[SourcePass] = (), /
    ) -> list[Candidate]:
        """Candidates in the asked order, at least one; `source_passes` deduct beside the others."""


class OwnEngine:
    """The engine of this package; needs no network connection.

    Prepared, it works out in the background what makes the searches of a day quick: some seconds
    and 20 MB. Answers are the same before, after and without it.
    """

    def __init__(self, *, prepared_for: date | None = None) -> None:
        if prepared_for is not None:
            threading.Thread(target=_prepare, args=(prepared_for,), daemon=True).start()

    def candidates(
        self, question: SearchRequest, tariffs: Tariffs, _: Sequence[SourcePass] = (), /
    ) -> list[Candidate]:
        """As `candidates`; passes over the source's own lines meet none of ours."""
        return candidates(question, tariffs)


def _prepare(day: date) -> None:
    from fare_engine.routing.cheapest_route import prepare_fares  # both bring NumPy
    from fare_engine.routing.fastest_journeys import rounds_of

    tariffs = packaged_tariffs()
    rounds_of(tariffs.network)
    for medium in Medium:
        prepare_fares(tariffs.book(day, medium))


OWN_ENGINE = OwnEngine()


class RouteProviderSettings(BaseSettings):
    """Read from the environment with the prefix COMMUTER_LOOK_UP_."""

    model_config = SettingsConfigDict(env_prefix="COMMUTER_LOOK_UP_", frozen=True)

    source: Literal["own", "ekispert"] = "own"
    prepare: bool = False
    """Work out at start what makes our own searches of today quick."""
    ekispert_url: str = "https://api.ekispert.jp"
    ekispert_key: SecretStr = SecretStr("")
    timeout_seconds: float = 10


def route_provider_of(settings: RouteProviderSettings, today: date | None = None) -> RouteProvider:
    """The source that the settings name; ValueError if its key is missing."""
    if settings.source == "own":
        return OwnEngine(prepared_for=today) if settings.prepare else OWN_ENGINE
    if not settings.ekispert_key.get_secret_value():
        raise ValueError("COMMUTER_LOOK_UP_EKISPERT_KEY is needed for the source ekispert")
    return Ekispert(
        settings.ekispert_url,
        settings.ekispert_key.get_secret_value(),
        timeout_s=settings.timeout_seconds,
    )
