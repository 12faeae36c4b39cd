"""Fare rules of a feed by pair of stops: fare_attributes and fare_rules, or Fares v2.

Both say: from a zone (v2: area) to a zone, on a route (v2: a network of routes) or on any. Rules
are indexed by route and pair of zones, so that a feed with 100,000 of them is read in seconds. A
pair has one fare here, in both directions; where the feed has two, it has none (`TWO_FARES`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from fare_engine.gtfs.archive import FeedArchive, FeedUnreadable
from fare_engine.gtfs.notices import Notices
from fare_engine.gtfs.stop_patterns import FeedRoute, Stop, StopPattern

CARD_MEDIA = frozenset({"2", "4"})  # transit card, app; 0 cash, 1 paper, 3 contactless bank card
ANY = ""
AGENCY = "@"  # before an agency's id: a rule for all routes of the agency
HIGHEST_YEN = 1_000_000
TWO_FARES = None
Pair = tuple[str, str]
"""Two stop names in sorted order."""
PairFares = dict[Pair, int | None]
"""Yen by pair; TWO_FARES where the feed gives several."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A price in yen from a zone to a zone on a route; ANY where the feed leaves it open.

    `passed`: all zones that the ride touches, where the feed asks for that (contains_id).
    """

    route: str
    origin: str
    destination: str
    yen: int
    passed: frozenset[str] | None = None
    priority: int = 0


Book = Mapping[Pair, Sequence[Rule]]
"""Rules by pair of zones."""


@dataclass(frozen=True)
class FareRules:
    """All rules of a feed, by route and pair of zones."""

    rules: Mapping[str, Book]
    origins: Mapping[str, tuple[str, ...]]
    """By stop id: its zones where a ride begins."""
    destinations: Mapping[str, tuple[str, ...]]
    routes: Mapping[str, tuple[str, ...]]
    """By route id: the keys of `rules` that hold for it."""
    file: str
    """Where the rules stand, for notices."""

    def by_station(self, *, is_bus: bool) -> bool:
        """Whether only the stations count, whatever the line: on railways without route rules."""
        return not is_bus and not self._by_route

    @cached_property
    def _by_route(self) -> bool:
        """Whether some rule asks for a route, or for the zones passed on the way."""
        passed = (
            rule.passed for found in self.rules.values() for r in found.values() for rule in r
        )
        return any(key and not key.startswith(AGENCY) for key in self.rules) or any(passed)

    def along(self, pattern: StopPattern) -> PairFares:
        """The fares between the stops of a pattern, in riding order."""
        fares: PairFares = {}
        books = [self.rules[key] for key in self.routes[pattern.route.id] if key in self.rules]
        if not books:
            return fares
        stops = pattern.stops
        for i, a in enumerate(stops):
            for j in range(i + 1, len(stops)):
                if a.name != stops[j].name:
                    rules = self._between(books, a, stops[j])
                    _note(fares, a.name, stops[j].name, self._yen(rules, stops[i : j + 1]))
        return fares

    def among(self, route: FeedRoute, stops: Sequence[Stop]) -> PairFares:
        """The fares between all stops, in either direction: of a railway without routes."""
        fares: PairFares = {}
        books = [self.rules[key] for key in self.routes[route.id] if key in self.rules]
        for a in stops:
            for b in stops:
                if a.name != b.name:
                    _note(fares, a.name, b.name, self._yen(self._between(books, a, b), ()))
        return fares

    def _between(self, books: Sequence[Book], a: Stop, b: Stop) -> list[Rule]:
        return [
            rule
            for book in books
            for origin in self.origins[a.id]
            for destination in self.destinations[b.id]
            for rule in book.get((origin, destination), ())
        ]

    def _yen(self, rules: Sequence[Rule], ridden: Sequence[Stop]) -> set[int]:
        """The prices of the rules that hold for a ride; of the highest priority only."""
        if any(rule.passed for rule in rules):
            passed = {stop.zone or stop.id for stop in ridden}
            rules = [rule for rule in rules if not rule.passed or rule.passed == passed]
        best = max((rule.priority for rule in rules), default=0)
        return {rule.yen for rule in rules if rule.priority == best}


def _note(fares: PairFares, a: str, b: str, yen: set[int]) -> None:
    if not yen:
        return
    pair = (a, b) if a < b else (b, a)
    one = yen.pop() if len(yen) == 1 else TWO_FARES
    if fares.setdefault(pair, one) != one:
        fares[pair] = TWO_FARES


def read_fares(
    archive: FeedArchive,
    routes: Mapping[str, FeedRoute],
    stops: Mapping[str, Stop],
    notices: Notices,
) -> FareRules:
    """The rules of a feed: Fares v2 where present, else v1."""
    is_v2 = "fare_leg_rules" in archive
    areas = _areas(archive, stops) if is_v2 else {}
    networks = _networks(archive) if is_v2 else {}
    reader = _second(archive, networks, notices) if is_v2 else _first(archive, notices)
    rules: dict[str, dict[Pair, list[Rule]]] = defaultdict(lambda: defaultdict(list))
    for rule in dict.fromkeys(reader):
        rules[rule.route][rule.origin, rule.destination].append(rule)
    if not rules:
        notices.add(
            "fare_attributes",
            0,
            "運賃のファイルがないため、運賃は取り込まれません",
            "運賃のあるデータを使うか、金額を手入力してください",
        )
    every = [rule for found in rules.values() for of in found.values() for rule in of]
    closed = is_v2 and not any(rule.priority for rule in every)
    own = {
        stop.id: areas.get(stop.id, ()) if is_v2 else (stop.zone or stop.id,)
        for stop in stops.values()
    }
    origins = _zones(own, {rule.origin for rule in every}, closed=closed)
    destinations = _zones(own, {rule.destination for rule in every}, closed=closed)
    keys = {route.id: _keys(route, rules, closed=closed) for route in routes.values()}
    file = "fare_leg_rules" if is_v2 else "fare_rules"
    return FareRules(rules, origins, destinations, keys, file)


def _zones(
    own: Mapping[str, tuple[str, ...]], listed: set[str], *, closed: bool
) -> dict[str, tuple[str, ...]]:
    """By stop id the zones of one end under which its rules are found.

    `closed` (v2 without priorities): an open end means the stops of no listed area only.
    """
    found = {}
    for stop, zones in own.items():
        known = tuple([zone for zone in zones if zone in listed])
        is_open = ANY in listed and not (closed and known)
        found[stop] = (*known, ANY) if is_open else known
    return found


def _keys(route: FeedRoute, rules: Mapping[str, object], *, closed: bool) -> tuple[str, ...]:
    if closed and route.id in rules:
        return (route.id,)
    return route.id, AGENCY + route.agency, ANY


def _first(archive: FeedArchive, notices: Notices) -> Iterator[Rule]:
    """fare_attributes and fare_rules. A fare without any rule holds everywhere."""
    prices: dict[str, tuple[int, str]] = {}
    columns = ("fare_id", "price", "currency_type"), ("agency_id",)
    for row, (fare, price, currency, agency) in archive.rows("fare_attributes", *columns):
        if _is_yen("fare_attributes", row, fare, currency, notices):
            anywhere = AGENCY + agency if agency else ANY
            prices[fare] = _yen("fare_attributes", row, price), anywhere
    ruled: set[str] = set()
    passed: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    ends = ("origin_id", "destination_id", "route_id", "contains_id")
    for row, (fare, origin, end, route, zone) in archive.rows("fare_rules", ("fare_id",), ends):
        ruled.add(fare)
        if fare not in prices:
            notices.add(
                "fare_rules",
                row,
                "fare_attributes.txtに円の運賃がないfare_idの規則を取り込みませんでした",
                "fare_attributes.txtを確認してください",
                example=fare,
            )
        elif zone:
            passed[fare, route, origin, end].add(zone)
        else:
            yield Rule(route or prices[fare][1], origin, end, prices[fare][0])
    for (fare, route, origin, end), zones in passed.items():
        yen, anywhere = prices[fare]
        yield Rule(route or anywhere, origin, end, yen, frozenset(zones))
    for fare, (yen, anywhere) in prices.items():
        if fare not in ruled:
            yield Rule(anywhere, ANY, ANY, yen)


def _second(
    archive: FeedArchive, networks: Mapping[str, Sequence[str]], notices: Notices
) -> Iterator[Rule]:
    """fare_leg_rules over fare_products; an IC card's amount goes before the others."""
    amounts = _amounts(archive, notices)
    if "fare_transfer_rules" in archive:
        notices.add(
            "fare_transfer_rules",
            0,
            "乗継割引は取り込まれません",
            "割引後の金額は手入力してください",
        )
    ends = ("network_id", "from_area_id", "to_area_id", "rule_priority")
    times = ("from_timeframe_group_id", "to_timeframe_group_id")
    rows = archive.rows("fare_leg_rules", ("fare_product_id",), (*ends, *times))
    for row, (product, network, origin, end, priority, *hours) in rows:
        if any(hours):
            notices.add(
                "fare_leg_rules",
                row,
                "時間帯別運賃は取り込めません",
                "金額を手入力してください",
                example=product,
            )
        elif by_medium := amounts.get(product):
            yen = by_medium.get(True, by_medium.get(False, 0))
            weight = int(priority) if priority.isdigit() else 0
            for route in networks.get(network, ()) if network else [ANY]:
                yield Rule(route, origin, end, yen, None, weight)


def _amounts(archive: FeedArchive, notices: Notices) -> dict[str, dict[bool, int]]:
    """Yen by product and by whether it is an IC card's amount; of the usual riders."""
    file, media = "fare_products", ("fare_media_id", "fare_media_type")
    cards = {one for _, (one, kind) in archive.rows("fare_media", media) if kind in CARD_MEDIA}
    riders = archive.rows("rider_categories", ("rider_category_id", "is_default_fare_category"))
    usual = {rider for _, (rider, default) in riders if default == "1"}
    amounts: dict[str, dict[bool, int]] = defaultdict(dict)
    needed, optional = ("fare_product_id", "amount", "currency"), (media[0], "rider_category_id")
    for row, (product, amount, currency, medium, rider) in archive.rows(file, needed, optional):
        if (not rider or rider in usual) and _is_yen(file, row, product, currency, notices):
            amounts[product][medium in cards] = _yen(file, row, amount)
    return amounts


def _areas(archive: FeedArchive, stops: Mapping[str, Stop]) -> dict[str, tuple[str, ...]]:
    """Areas by stop; a platform in none has its station's."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for _, (area, stop) in archive.rows("stop_areas", ("area_id", "stop_id")):
        found[stop] = (*found[stop], area)
    return {stop.id: found.get(stop.id) or found.get(stop.parent, ()) for stop in stops.values()}


def _networks(archive: FeedArchive) -> dict[str, list[str]]:
    routes: dict[str, list[str]] = defaultdict(list)
    for table in ("route_networks", "routes"):
        for _, (route, network) in archive.rows(table, ("route_id",), ("network_id",)):
            if network:
                routes[network].append(route)
    return routes


def _is_yen(file: str, row: int, fare: str, currency: str, notices: Notices) -> bool:
    if currency != "JPY":
        notices.add(
            file,
            row,
            f"円以外の通貨の運賃を取り込みませんでした({currency})",
            "円の運賃だけを使えます",
            example=fare,
        )
    return currency == "JPY"


def _yen(file: str, row: int, text: str) -> int:
    try:
        yen = round(float(text))
    except (ValueError, OverflowError):
        yen = -1
    if not 0 <= yen <= HIGHEST_YEN:
        raise FeedUnreadable.at(file, row, f"運賃「{text}」は金額ではありません")
    return yen
