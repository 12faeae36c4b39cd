"""Pass responses: one form for lists, details, overlaps and health."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from pydantic import BaseModel

from commuter_service.allowance_models import PassPrice
from commuter_service.models import AuditEntry, PassVersion
from commuter_service.provider_rides import is_source_route, route_words
from commuter_service.queries import PassRecord, period_of
from commuter_service.rules.pass_application import PassStatus
from commuter_service.rules.pass_health import PassCondition
from commuter_service.rules.pass_period import gaps, proposed_end
from fare_engine.errors import FareError
from fare_engine.network.network import Network
from fare_engine.network.station_closures import closed, closed_stations
from fare_engine.routing.route_text import BusRide, known_route
from fare_engine.routing.route_words import section_of
from fare_engine.rules.bus_policy import BUS_NOTICE, is_guaranteed
from fare_engine.rules.period import Period


class PassContent(BaseModel):
    """One version of a pass; `section` and `route_words` are read from the route."""

    number: int
    route: str
    section: str
    route_words: list[str]
    starts_on: date | None
    ends_on: date | None
    period: str
    guaranteed: bool
    one_month_yen: int | None
    three_months_yen: int | None
    six_months_yen: int | None
    paid_every: int | None
    priced_from: date | None


class PriceLine(BaseModel):
    """Prices of a pass that count from a day on."""

    from_on: date
    one_month_yen: int | None
    three_months_yen: int | None
    six_months_yen: int | None
    paid_every: int | None
    made_at: datetime
    made_by_name: str


class PassAnswer(PassContent):
    """A pass with its state; `in_force` is the version that deducts while another one waits."""

    pass_id: str
    employee_id: str
    employee_name: str
    version: int
    status: str
    status_japanese: str
    applied_on: date | None
    reason: str | None
    in_force: PassContent | None
    notices: list[str]
    unreadable: str


class Overlap(BaseModel):
    """A pass of the same person that is valid on the same days, with the end that is proposed."""

    pass_id: str
    version: int
    section: str
    period: str
    proposed_end: date | None


class Gap(BaseModel):
    """Days between two passes."""

    starts_on: date | None
    ends_on: date | None
    period: str


class Neighbours(BaseModel):
    """What a pass meets among the same person's others."""

    overlaps: list[Overlap]
    gaps: list[Gap]


class TrailItem(BaseModel):
    """An item of a slip as the trail keeps it; `passes` are (id, version) of those deducted."""

    item_on: date | None
    what: str | None
    amount_yen: int | None
    deduction_yen: int
    passes: list[tuple[str, int]]


TrailFacts = dict[str, bool | int | str | list[str] | list[TrailItem] | None]


class TrailLine(BaseModel):
    """Who did what, and what it changed."""

    at: datetime
    actor: str
    actor_name: str
    action: str
    action_japanese: str
    before: TrailFacts
    after: TrailFacts
    said: str | None


def pass_answer(record: PassRecord, names: dict[str, str], network: Network) -> PassAnswer:
    """A pass as this service shows it."""
    held, shown = record.held, record.shown
    waits = record.status is PassStatus.APPLIED
    return PassAnswer(
        **dict(_content(shown)),
        pass_id=str(held.pass_id),
        employee_id=held.employee_id,
        employee_name=names.get(held.employee_id, held.employee_id),
        version=held.version,
        status=held.status,
        status_japanese=record.status.value,
        applied_on=held.applied_on,
        reason=held.reason,
        in_force=_content(record.confirmed) if waits and record.confirmed else None,
        notices=[] if is_guaranteed(has_bus=shown.has_bus) else [BUS_NOTICE],
        unreadable=unreadable_json(shown.route, network),
    )


def _content(version: PassVersion) -> PassContent:
    return PassContent(
        number=version.number,
        route=version.route,
        section=section_of(version.route),
        route_words=route_words(version.route),
        starts_on=version.starts_on,
        ends_on=version.ends_on,
        period=str(period_of(version)),
        guaranteed=is_guaranteed(has_bus=version.has_bus),
        one_month_yen=version.one_month_yen,
        three_months_yen=version.three_months_yen,
        six_months_yen=version.six_months_yen,
        paid_every=version.paid_every,
        priced_from=version.priced_from,
    )


def price_line(row: PassPrice) -> PriceLine:
    """Prices with the day from which they count."""
    return PriceLine(
        from_on=row.from_on,
        one_month_yen=row.one_month_yen,
        three_months_yen=row.three_months_yen,
        six_months_yen=row.six_months_yen,
        paid_every=row.paid_every,
        made_at=row.made_at,
        made_by_name=row.made_by_name,
    )


def unreadable_json(route: str, network: Network, *, on: date | None = None) -> str:
    """Why a route can no longer be ridden, at all or on a day; empty if it can.

    Of another source's routes only their form is known.
    """
    if is_source_route(route):
        return ""
    try:
        shut = closed_stations(known_route(network, route), on) if on else ()
    except FareError as gone:
        return gone.message
    return closed(shut, on).message if shut and on else ""


def adjacent_passes(record: PassRecord, others: Iterable[PassRecord]) -> Neighbours:
    """What a pass meets among the same person's others: overlaps with end dates, gaps (R8)."""
    return overlaps_and_gaps(period_of(record.shown), [r for r in others if r.held != record.held])


def overlaps_and_gaps(period: Period, others: Sequence[PassRecord]) -> Neighbours:
    """The same for a pass that is only thought of."""
    standing = [
        one
        for one in others
        if one.status in {PassStatus.CONFIRMED, PassStatus.APPLIED} or one.confirmed
    ]
    overlaps = [
        Overlap(
            pass_id=str(one.held.pass_id),
            version=one.held.version,
            section=section_of(one.shown.route),
            period=str(period_of(one.shown)),
            proposed_end=proposed_end(period_of(one.shown), period),
        )
        for one in standing
        if period.overlaps(period_of(one.shown))
    ]
    between = gaps([period, *(period_of(one.shown) for one in standing)])
    return Neighbours(overlaps=overlaps, gaps=[_gap(one) for one in between])


def _gap(period: Period) -> Gap:
    return Gap(starts_on=period.starts_on, ends_on=period.ends_on, period=str(period))


def condition_of(record: PassRecord, network: Network, *, today: date) -> PassCondition:
    """What the health check looks at, a station that is not in use today included (R39)."""
    applied = record.held.applied_on if record.status is PassStatus.APPLIED else None
    in_force = period_of(record.confirmed) if record.confirmed else None
    return PassCondition(in_force, applied, unreadable_json(record.shown.route, network, on=today))


def has_bus(route: str, network: Network) -> bool:
    """Whether a route text has a bus section; routes of another source are not distinguished."""
    if is_source_route(route):
        return False
    return any(isinstance(leg, BusRide) for leg in known_route(network, route).legs)


def audit_json(
    lines: Iterable[AuditEntry], words: Mapping[str, str] | None = None
) -> list[TrailLine]:
    """Who did what, the oldest first (R62); `words` of actions that have others here."""
    named = {**ACTIONS, **(words or {})}
    return [
        TrailLine(
            at=line.at,
            actor=line.actor,
            actor_name=line.actor_name,
            action=line.action,
            action_japanese=named.get(line.action, line.action),
            before=_named(line.before),
            after=_named(line.after),
            said=line.said,
        )
        for line in lines
    ]


def _named(facts: TrailFacts) -> TrailFacts:
    """With the route as people read it."""
    route = facts.get("route")
    return {**facts, "route_words": route_words(route)} if isinstance(route, str) else facts


ACTIONS = {
    "accounting_setting": "会計連携の設定を変更",
    "export_journal": "仕訳を出力",
    "cancel_export": "仕訳の出力を取り消し",
    "download_export": "仕訳のファイルをダウンロード",
    "register": "登録・確定",
    "apply": "申請",
    "confirm": "確定",
    "withdraw": "取下げ",
    "reject": "差戻し",
    "purge": "自動削除",
    "create": "作成",
    "auto_save": "自動保存",
    "save": "一時保存",
    "edit_at_approval": "承認時の修正",
    "edit_after_approval": "管理者の修正",
    "submit": "申請",
    "approve": "承認",
    "remand": "差戻し",
    "settle": "精算",
    "copy": "伝票コピー",
    "deduct": "乗換案内",
    "import_ic_card": "ICカード取込",
    "bank_account": "口座の登録",
    "car_commute": "マイカー等通勤の登録",
    "remove_car_commute": "マイカー等通勤の削除",
    "add_receipt": "領収書の登録",
    "replace_receipt": "領収書の差し替え",
    "cancel_receipt": "領収書の取消",
}
