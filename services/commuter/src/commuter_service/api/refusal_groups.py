"""Refusals that many routes share, in groups: a route text, a price, a search, a line of a slip."""

from commuter_service.actions.slip_items import (
    AmountIsLookedUp,
    IcCardRowIsFixed,
    LookUpNotForThisKind,
    ReasonForNoPassMissing,
)
from commuter_service.adapters.ekispert import RouteSearchRefused, RouteSearchUnavailable
from commuter_service.fare_errors import StationsRefused, declared
from commuter_service.provider_rides import SourceFareMissing
from commuter_service.rules.month_closing import MonthClosed
from commuter_service.rules.pass_application import NotYourPass, RouteNotDecided
from commuter_service.rules.route_search_policy import MediumNotAccepted, PassMustBeUsed
from commuter_service.rules.slip_approval import (
    AmountChangeNotAllowed,
    FlowChanged,
    SlipRightMissing,
    SlipStepNotPossible,
)
from commuter_service.rules.slip_kind import UnconfirmedPassBlocks
from fare_engine.errors import FareError
from fare_engine.fares.pricing import BusFareMissing
from fare_engine.fares.tariffs import NoFareBetween, NoTariffOnDate
from fare_engine.network.station_closures import StationClosed
from fare_engine.network.station_lookup import AmbiguousStation, StationOutsideArea, UnknownStation
from fare_engine.routing.candidates import NoRouteBetween, SamePlace, UnknownOperator
from fare_engine.routing.route_text import (
    AmbiguousLine,
    PassHasGap,
    RouteDisconnected,
    RouteUnreadable,
    UnknownLine,
)
from fare_engine.rules.period import PeriodReversed
from shared.errors import Refusal

Refusals = tuple[type[Refusal], ...]


def _of_engine(*errors: type[FareError]) -> Refusals:
    return tuple(map(declared, errors))


_STATIONS = _of_engine(UnknownStation, StationOutsideArea, AmbiguousStation)
_NAMES = (*_STATIONS, *_of_engine(RouteUnreadable, UnknownLine, AmbiguousLine))
_FARES = _of_engine(NoTariffOnDate, NoFareBetween, StationClosed, SourceFareMissing)
PERIOD = _of_engine(PeriodReversed)
GAP = _of_engine(PassHasGap)
PRICE: Refusals = (*_NAMES, *_of_engine(RouteDisconnected, BusFareMissing), *_FARES)
SEARCH: Refusals = (
    *(*_STATIONS, StationsRefused, *_of_engine(UnknownOperator, SamePlace, NoRouteBetween)),
    *(*_FARES, RouteSearchUnavailable, RouteSearchRefused),
)
PASS_CONTENT: Refusals = (*_NAMES, *GAP, RouteNotDecided, *PERIOD)
PASS_EDIT: Refusals = (NotYourPass, *PASS_CONTENT)
SLIP_LINES: Refusals = (
    UnconfirmedPassBlocks,
    MediumNotAccepted,
    PassMustBeUsed,
    LookUpNotForThisKind,
    AmountIsLookedUp,
    IcCardRowIsFixed,
    ReasonForNoPassMissing,
    *PRICE,
)
SLIP_EDIT = (
    *(SlipStepNotPossible, SlipRightMissing, FlowChanged, AmountChangeNotAllowed),
    MonthClosed,
)
