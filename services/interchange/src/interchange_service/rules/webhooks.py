"""Webhook deliveries: which steps an endpoint gets, how often one is tried, who may resend."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.errors import Kind, Refusal

GONE = 410

RETRY_DELAYS = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""Delays between one attempt and the next; together three days and some hours."""
IN_ORDER_ATTEMPTS = 3
"""The first attempts of a message, during which later ones of the same application wait."""
JITTER = 0.2
HORIZON = timedelta(days=2)
"""Older steps are not sent: a log that is read again must not flood dealers."""
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
STOPPED_AFTER = timedelta(days=5)


class EventFilter(StrEnum):
    """What an endpoint may subscribe to; `ALL` includes what will be added later."""

    STATUS_CHANGED = "status_changed"
    COMPLETED = "completed"
    REMANDED = "remanded"
    WITHDRAWN = "withdrawn"
    ALL = "all"


PING = "ping"
EVENT_FILTER_NAMES: Mapping[str, str] = {
    EventFilter.STATUS_CHANGED: "ステータスの変更",
    EventFilter.COMPLETED: "完了",
    EventFilter.REMANDED: "差戻し",
    EventFilter.WITHDRAWN: "取下げ",
    EventFilter.ALL: "すべて",
    PING: "テスト送信",
}

STATUS_NAMES: Mapping[str, str] = {
    "STAFF_REMANDED": "担当者手続中（差戻）",
    "STORE_PENDING": "店舗承認者手続中",
    "STORE_REMANDED": "店舗承認者手続中（差戻）",
    "HQ_PENDING": "本部承認者手続中",
    "HQ_REMANDED": "本部承認者手続中（差戻）",
    "REQUESTED": "依頼中",
    "TFC_PROCESSING": "TFC対応中（取下げ・訂正NG）",
    "TFC_HOLD": "TFC対応保留",
    "TFC_CONTACT": "TFC連絡事項入力中",
    "COMPLETED": "完了",
    "WITHDRAWN": "取下げ",
}
"""The status names of the returns service, which owns them; a test compares."""

REMANDED_TO: Mapping[str, str] = {
    "originator": "STAFF_REMANDED",
    "store": "STORE_REMANDED",
    "hq": "HQ_REMANDED",
}
"""The status after a remand, by who has it now."""


class DeliveryUnderway(Refusal):
    """The message waits or is being sent; there is nothing to repeat yet."""

    code = "DELIVERY_UNDERWAY"
    kind = Kind.CONFLICT
    message = "送信待ちまたは送信中のため、再送できません。"
    english = "The message is still waiting or being sent."


class EndpointStopped(Refusal):
    """Nothing is sent to an endpoint that is stopped."""

    code = "ENDPOINT_STOPPED"
    kind = Kind.CONFLICT
    message = "送信先が停止しているため、送信できません。"
    english = "The endpoint is stopped: nothing is sent to it."


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an application; `version` grows with each step of the same one."""

    event_id: UUID
    kind: EventFilter
    dealer_id: str
    application_id: str
    contract_no: str
    status: str
    version: int
    occurred_at: datetime


def is_timely(occurred_at: datetime, *, now: datetime, imported: bool, horizon: timedelta) -> bool:
    """Whether a step is recent enough to be sent."""
    return not imported and occurred_at >= now - horizon


def retry_delay(attempts: int, *, chance: float) -> timedelta | None:
    """How long to wait after `attempts` attempts, with jitter by `chance` (0 to 1).

    None after the last attempt.
    """
    if attempts > len(RETRY_DELAYS):
        return None
    return RETRY_DELAYS[attempts - 1] * (1 + JITTER * chance)


def refused_resend(state: str, *, endpoint_active: bool) -> Refusal | None:
    """Why a person cannot have a message sent again; None if they can."""
    if state == "scheduled":
        return DeliveryUnderway()
    return None if endpoint_active else EndpointStopped()
