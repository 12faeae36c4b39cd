"""What does a GTFS feed charge between two stops: fare_attributes and fare_rules, or Fares v2?

Both say: from a zone (v2: area) to a zone, on a route (v2: a network of routes) or on any. A pair
has one fare here, in both directions; where the feed has two, it has none (see `problems`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Rows = list[dict[str, str]]
CARD_MEDIA = frozenset({"2", "4"})  # transit card, app; 0 cash, 1 paper, 3 contactless bank card
ANY = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A price in yen from a zone to a zone on a route; ANY where the feed leaves it open."""

    route: str
    origin: str
    destination: str
    yen: int


@dataclass(frozen=True)
class PairFares:
    """All fares of a feed; `whole_feed`: no rule asks for the route."""

    rules: Mapping[str, list[_Rule]]
    zones_of: Mapping[str, frozenset[str]]  # by stop name
    whole_feed: bool
    problems: list[str] = field(default_factory=list)

    def between(self, route: str, a: str, b: str) -> int | None:
        """Yen between two stops by name on a route, None if unknown or given twice."""
        found = {
            rule.yen
            for key in dict.fromkeys((route, ANY))
            for rule in self.rules.get(key, ())
            for one, other in ((a, b), (b, a))
            if self._in(one, rule.origin) and self._in(other, rule.destination)
        }
        if len(found) > 1:
            amounts = "円、".join(map(str, sorted(found)))
            self.problems.append(f"{a}―{b}: 運賃が複数あります({amounts}円)")
        return found.pop() if len(found) == 1 else None

    def _in(self, stop: str, zone: str) -> bool:
        return zone == ANY or zone in self.zones_of[stop]


def pair_fares(feed: Mapping[str, Rows]) -> PairFares:
    """The fares of a feed: Fares v2 where present, else v1. KeyError where a column is missing."""
    problems: list[str] = []
    is_v2 = bool(feed.get("fare_leg_rules"))
    found = list(_second(feed, problems) if is_v2 else _first(feed, problems))
    rules: dict[str, list[_Rule]] = defaultdict(list)
    for rule in found:
        rules[rule.route].append(rule)
    zones: dict[str, set[str]] = defaultdict(set)
    name_of = {row["stop_id"]: row["stop_name"] for row in feed["stops"]}
    for row in feed["stops"]:
        zones[row["stop_name"]].add(row.get("zone_id") or row["stop_id"])
    for row in feed.get("stop_areas", []) if is_v2 else []:
        zones[name_of[row["stop_id"]]].add(row["area_id"])
    if not found:
        problems.append("運賃のファイルがないため、運賃は取り込まれません")
    whole = all(rule.route == ANY for rule in found)
    return PairFares(rules, {name: frozenset(of) for name, of in zones.items()}, whole, problems)


def _first(feed: Mapping[str, Rows], problems: list[str]) -> Iterator[_Rule]:
    """fare_attributes and fare_rules. A fare without any rule holds everywhere."""
    prices = {}
    for row in feed.get("fare_attributes", []):
        if row["currency_type"] == "JPY":
            prices[row["fare_id"]] = round(float(row["price"]))
        else:
            problems.append(f"運賃{row['fare_id']}: 円以外の通貨です({row['currency_type']})")
    ruled = set()
    for row in feed.get("fare_rules", []):
        ruled.add(row["fare_id"])
        if row.get("contains_id"):
            problems.append(f"運賃{row['fare_id']}: 経由ゾーン(contains_id)は取り込めません")
        elif row["fare_id"] in prices:
            ends = row.get("origin_id", ANY), row.get("destination_id", ANY)
            yield _Rule(row.get("route_id", ANY), *ends, prices[row["fare_id"]])
    for fare, yen in prices.items():
        if fare not in ruled:
            yield _Rule(ANY, ANY, ANY, yen)


def _second(feed: Mapping[str, Rows], problems: list[str]) -> Iterator[_Rule]:
    """fare_leg_rules over fare_products; an IC card's amount goes before the others."""
    media = {row["fare_media_id"]: row["fare_media_type"] for row in feed.get("fare_media", [])}
    amounts: dict[str, dict[bool, int]] = defaultdict(dict)
    for row in feed["fare_products"]:
        if row["currency"] != "JPY":
            problems.append(f"運賃{row['fare_product_id']}: 円以外の通貨です({row['currency']})")
            continue
        card = media.get(row.get("fare_media_id", "")) in CARD_MEDIA
        amounts[row["fare_product_id"]][card] = round(float(row["amount"]))
    routes = _routes_by_network(feed)
    for row in feed["fare_leg_rules"]:
        by_medium = amounts.get(row["fare_product_id"])
        if row.get("from_timeframe_group_id") or row.get("to_timeframe_group_id"):
            problems.append(f"運賃{row['fare_product_id']}: 時間帯別運賃は取り込めません")
        elif by_medium:
            yen = by_medium.get(True, by_medium.get(False, 0))
            ends = row.get("from_area_id", ANY), row.get("to_area_id", ANY)
            network = row.get("network_id", ANY)
            for route in routes[network] if network else [ANY]:
                yield _Rule(route, *ends, yen)


def _routes_by_network(feed: Mapping[str, Rows]) -> dict[str, list[str]]:
    routes: dict[str, list[str]] = defaultdict(list)
    for row in [*feed.get("route_networks", []), *feed["routes"]]:
        if row.get("network_id"):
            routes[row["network_id"]].append(row["route_id"])
    return routes
