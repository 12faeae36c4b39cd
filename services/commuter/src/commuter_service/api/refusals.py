"""Refusals that many routes share, in groups: a route text, a price, a search, a line of a slip."""

from commuter_service.actions.slip_items import (
    AmountIsLookedUp,
    IcCardRowIsFixed,
    LookUpNotForThisKind,
    ReasonForNoPassMissing,
)
from commuter_service.adapters.route_providers import RouteSearchRefused, RouteSearchUnavailable
from commuter_service.engine.fares.pricing import BusFareMissing
from commuter_service.engine.fares.tariffs import NoFareBetween, NoTariffOnDate
from commuter_service.engine.network.station_closures import StationClosed
from commuter_service.engine.network.station_lookup import AmbiguousStation, UnknownStation
from commuter_service.engine.routing.candidates import NoRouteBetween, SamePlace, UnknownOperator
from commuter_service.engine.routing.route_text import (
    AmbiguousLine,
    PassHasGap,
    RouteDisconnected,
    RouteUnreadable,
    UnknownLine,
)
from commuter_service.rules.pass_application import NotYourPass, RouteNotDecided
from commuter_service.rules.pass_period import PeriodReversed
from commuter_service.rules.route_search_policy import MediumNotAccepted, PassMustBeUsed
from commuter_service.rules.slip_approval import (
    AmountChangeNotAllowed,
    FlowChanged,
    SlipRightMissing,
    SlipStepNotPossible,
)
from commuter_service.rules.slip_kind import UnconfirmedPassBlocks

_NAMES = (RouteUnreadable, UnknownLine, AmbiguousLine, UnknownStation, AmbiguousStation)
_FARES = (NoTariffOnDate, NoFareBetween, StationClosed)
PRICE = (*_NAMES, RouteDisconnected, *_FARES, BusFareMissing)
SEARCH = (
    *(UnknownStation, AmbiguousStation, UnknownOperator, SamePlace, NoRouteBetween, *_FARES),
    *(RouteSearchUnavailable, RouteSearchRefused),
)
PASS_CONTENT = (*_NAMES, PassHasGap, RouteNotDecided, PeriodReversed)
PASS_EDIT = (NotYourPass, *PASS_CONTENT)
SLIP_LINES = (
    *(UnconfirmedPassBlocks, MediumNotAccepted, PassMustBeUsed, LookUpNotForThisKind),
    *(AmountIsLookedUp, IcCardRowIsFixed, ReasonForNoPassMissing, *PRICE),
)
SLIP_EDIT = (SlipStepNotPossible, SlipRightMissing, FlowChanged, AmountChangeNotAllowed)
