"""Errors of the fare engine as refusals of this service: same code, sentence and facts.

The only place that translates them: `install` for requests, `declared` for the OpenAPI document.
"""

from typing import cast

from fastapi import FastAPI, Request, Response

from fare_engine.errors import FareError
from fare_engine.network.station_lookup import SeveralStationsRefused
from shared.errors import FieldError, FormErrors, Refusal
from shared.http import answer_refusal


def declared(error: type[FareError]) -> type[Refusal]:
    """The refusal that stands for an error of the engine."""
    members = {"code": error.code, "__doc__": error.__doc__, "__module__": error.__module__}
    return cast("type[Refusal]", type(error.__name__, (Refusal,), members))


class StationsRefused(FormErrors):
    """Several of the station names are refused; facts hold the names to take instead, by field."""

    code = SeveralStationsRefused.code
    message = "駅名を確認してください。"

    def __init__(self, several: SeveralStationsRefused) -> None:
        refused = several.refused.items()
        super().__init__(*[FieldError(field, one.code, one.message) for field, one in refused])
        self.facts = {
            field: one.facts.get("choices", one.facts.get("suggestions", []))
            for field, one in refused
        }


def refusal_of(error: FareError) -> Refusal:
    """One error as a refusal."""
    if isinstance(error, SeveralStationsRefused):
        return StationsRefused(error)
    return declared(type(error))(error.message, **error.facts)


def install(app: FastAPI) -> None:
    """Answer errors of the engine as problem+json."""

    async def refused(request: Request, cause: FareError) -> Response:
        return await answer_refusal(request, refusal_of(cause))

    app.add_exception_handler(FareError, refused)  # type: ignore[arg-type]
