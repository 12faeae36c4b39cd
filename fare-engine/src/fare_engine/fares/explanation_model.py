"""Explanation of what an item costs: the model behind page, printed slip and API.

Only facts and short reasons: every candidate price with its parts, the winner, the passes and the
tables that were used. `as_json` gives the one form that leaves the service.
"""

from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from fare_engine.fares.fare_with_source import TariffRef


class PriceKind(StrEnum):
    """What a candidate price pays for."""

    THROUGH = "through"
    OUTSIDE = "outside"


class Reason(StrEnum):
    """Why the winner of a run won."""

    NO_PASS = "NO_PASS"  # noqa: S105 - a commuter pass
    NOT_ON_PASS = "NOT_ON_PASS"  # noqa: S105
    INSIDE_PASS = "INSIDE_PASS"  # noqa: S105
    OUTSIDE_CHEAPER = "OUTSIDE_CHEAPER"
    THROUGH_CHEAPER = "THROUGH_CHEAPER"


class PassUse(StrEnum):
    """What became of a pass."""

    USED = "USED"
    NOT_CHEAPER = "NOT_CHEAPER"
    NOT_ON_ROUTE = "NOT_ON_ROUTE"
    NOT_VALID_ON_DAY = "NOT_VALID_ON_DAY"
    BUS_EXCLUDED = "BUS_EXCLUDED"
    STATION_CLOSED = "STATION_CLOSED"


@dataclass(frozen=True, slots=True)
class Leg:
    """One section of the ride along one line; km10 and operator are empty for a bus."""

    operator: str
    line: str
    from_station: str
    to_station: str
    km10: int | None
    stations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainLeg:
    """A train or a walk of the ride; `stops` counts the stops up to the end.

    `operators`: those whose tracks the train runs on, in riding order; none for a walk. `minutes`
    do not include the wait for the train.
    """

    kind: Literal["train", "walk"]
    name: str
    operators: tuple[str, ...]
    start: str
    end: str
    minutes: int
    stops: int


@dataclass(frozen=True, slots=True)
class PaidPart:
    """A part of a run with its tariff fare."""

    from_station: str
    to_station: str
    yen: int
    tariff: TariffRef


@dataclass(frozen=True, slots=True)
class CandidatePrice:
    """One way to pay a run, and the passes it rides on."""

    kind: PriceKind
    yen: int
    parts: tuple[PaidPart, ...]
    pass_ids: tuple[str, ...]
    wins: bool


@dataclass(frozen=True, slots=True)
class CoveredEdge:
    """A track of the ride that lies on passes."""

    operator: str
    line: str
    from_station: str
    to_station: str
    pass_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiddenEdge:
    """A track of the ride in riding order; charged, or ridden on a pass."""

    from_station: str
    to_station: str
    charged: bool


@dataclass(frozen=True, slots=True)
class RunExplanation:
    """One through fare and what became of it; `edges` are all its tracks in riding order."""

    operator: str
    from_station: str
    to_station: str
    through_yen: int
    charged_yen: int
    deduction_yen: int
    reason: Reason
    why: str
    candidates: tuple[CandidatePrice, ...]
    covered: tuple[CoveredEdge, ...]
    edges: tuple[RiddenEdge, ...]


@dataclass(frozen=True, slots=True)
class DiscountExplanation:
    """Two operators charged together on the cheapest combined ride."""

    operators: tuple[str, str]
    through_yen: int
    charged_yen: int
    discount_yen: int


@dataclass(frozen=True, slots=True)
class PassExplanation:
    """A pass that was offered for the deduction, in the order given."""

    pass_id: str
    version: int
    route: str
    period: str
    use: PassUse
    why: str
    guaranteed: bool


@dataclass(frozen=True, slots=True)
class ExtraCharge:
    """A charge beside the fare (特急料金, グリーン, バス), never reduced."""

    kind: str
    yen: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A priced ride. Totals are for all trips; runs, discounts and charges are one way."""

    on: date
    medium: str
    child: bool
    trips: int
    route: str
    legs: tuple[Leg, ...]
    runs: tuple[RunExplanation, ...]
    discounts: tuple[DiscountExplanation, ...]
    charges: tuple[ExtraCharge, ...]
    passes: tuple[PassExplanation, ...]
    notices: tuple[Notice, ...]
    through_yen: int
    charged_yen: int
    deduction_yen: int
    why: str
    data_version: str
    trains: tuple[TrainLeg, ...] = ()  # none where kept before trains were recorded


def as_json(value: Any) -> Any:
    """Plain lists, dicts, strings and numbers of an explanation or any part of it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [as_json(element) for element in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value
