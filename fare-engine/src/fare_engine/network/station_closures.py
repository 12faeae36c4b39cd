"""Which stations of a ride are not in use on a day: not opened yet, or closed (R39)?

A station without an entry has always been there. Trains still run past a closed station, so only
the stations where a rider boards or alights count.
"""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar

from fare_engine.errors import FareError
from fare_engine.network.network import Network
from fare_engine.routing.route_text import Route


class StationClosed(FareError):
    """A ride begins, ends or changes at a station that is not in use on the day."""

    code: ClassVar[str] = "STATION_CLOSED"


def is_open(network: Network, station: int, on: date) -> bool:
    """Whether a station is in use on a day; the closing day itself is the last one."""
    opened, closed = network.days_of.get(station, (date.min, date.max))
    return opened <= on <= closed


def closed_stations(route: Route, on: date) -> tuple[str, ...]:
    """Names of the stations where the route boards or alights although they are not in use."""
    if not route.dated_stations:
        return ()
    network = route.network
    return _names(network, (s for s in route.dated_stations if not is_open(network, s, on)))


def refuse_closed(network: Network, places: Iterable[tuple[int, ...]], on: date) -> None:
    """Raise StationClosed where none of a place's stations is in use."""
    for place in places:
        if not any(is_open(network, station, on) for station in place):
            raise closed(_names(network, place), on)


def closed(names: tuple[str, ...], on: date) -> StationClosed:
    """The refusal that names the stations."""
    return StationClosed(f"{on:%Y/%m/%d}に営業していない駅です: {'、'.join(names)}")


def _names(network: Network, stations: Iterable[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(network.stations[station].name for station in stations))


def stations_out_of_use(network: Network, on: date) -> list[int]:
    """The stations that are not in use on a day; trains run past them."""
    return [one for one, (first, last) in network.days_of.items() if not first <= on <= last]
