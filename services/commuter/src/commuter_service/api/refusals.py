"""Refusals that many routes share, in groups: a route text, a price, a search, a line of a slip."""

from commuter_service.actions.slip_items import (
    AmountIsLookedUp,
    IcCardRowIsFixed,
    LookUpNotForThisKind,
    ReasonForNoPassMissing,
)
from commuter_service.look_up_sources import LookUpRefused, LookUpUnavailable
from commuter_service.pricing import BusFareMissing
from commuter_service.routes import (
    AmbiguousLine,
    PassHasGap,
    RouteDisconnected,
    RouteUnreadable,
    UnknownLine,
)
from commuter_service.rules.look_up_policy import MediumNotAccepted, PassMustBeUsed
from commuter_service.rules.pass_application import NotYourPass, RouteNotDecided
from commuter_service.rules.pass_period import PeriodReversed
from commuter_service.rules.slip_approval import (
    AmountChangeNotAllowed,
    FlowChanged,
    SlipRightMissing,
    SlipStepNotPossible,
)
from commuter_service.rules.slip_kind import UnconfirmedPassBlocks
from commuter_service.search import NoRouteBetween, SamePlace, UnknownOperator
from commuter_service.station_days import StationClosed
from commuter_service.station_names import AmbiguousStation, UnknownStation
from commuter_service.tariffs import NoFareBetween, NoTariffOnDate

_NAMES = (RouteUnreadable, UnknownLine, AmbiguousLine, UnknownStation, AmbiguousStation)
_FARES = (NoTariffOnDate, NoFareBetween, StationClosed)
PRICE = (*_NAMES, RouteDisconnected, *_FARES, BusFareMissing)
SEARCH = (
    *(UnknownStation, AmbiguousStation, UnknownOperator, SamePlace, NoRouteBetween, *_FARES),
    *(LookUpUnavailable, LookUpRefused),
)
PASS_CONTENT = (*_NAMES, PassHasGap, RouteNotDecided, PeriodReversed)
PASS_EDIT = (NotYourPass, *PASS_CONTENT)
SLIP_LINES = (
    *(UnconfirmedPassBlocks, MediumNotAccepted, PassMustBeUsed, LookUpNotForThisKind),
    *(AmountIsLookedUp, IcCardRowIsFixed, ReasonForNoPassMissing, *PRICE),
)
SLIP_EDIT = (SlipStepNotPossible, SlipRightMissing, FlowChanged, AmountChangeNotAllowed)
