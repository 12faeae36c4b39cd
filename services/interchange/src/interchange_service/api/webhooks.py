"""Webhook endpoints API: where a dealer receives the steps of its applications.

The answers to adding and to a new secret show the secret; no other answer ever does. An address is
looked up before the transaction begins.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from interchange_service.actions.webhook_endpoints import (
    ENDPOINT_CHANGED,
    EndpointInput,
    TooManyEndpoints,
    add_endpoint,
    change_endpoint,
    ping_endpoint,
    renew_secret,
)
from interchange_service.api.webhook_dependencies import (
    TheClock,
    TheSecretBox,
    Tx,
    Version,
    WebhookAdmin,
    client_of,
    scope_of,
)
from interchange_service.models import WebhookEndpoint
from interchange_service.rules.webhook_address import wrong_url
from interchange_service.rules.webhooks import EVENT_FILTER_NAMES, EndpointStopped, EventFilter
from interchange_service.webhook_http import DeliveryError, NoTarget
from interchange_service.webhook_queries import endpoint_of, endpoints_of
from shared.auth import Principal, Role
from shared.concurrency import VersionConflict
from shared.db import EVERY_DEALER
from shared.delivery.search import Code
from shared.errors import FieldError, FormErrors
from shared.http import NotFound, etag, idempotent
from shared.refusals import refuses
from shared.trace_context import new_id

router = APIRouter(prefix="/webhooks")

STOPPED_NAMES = {
    None: "送信中",
    "person": "停止中",
    "gone": "停止中（受信側が 410 を返したため）",
    "failing": "停止中（失敗が続いたため）",
}
NO_TARGET_NAMES = {
    DeliveryError.HOST_UNKNOWN: (
        "このホスト名のアドレスが見つかりません。",
        "a host name that has an address",
    ),
    DeliveryError.ADDRESS_REFUSED: (
        "社内や自分自身を指すアドレスには送信できません。",
        "an address on the public Internet, not of a private network or of this machine",
    ),
}


class EndpointBody(BaseModel):
    """What an endpoint shall be."""

    label: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    url: Annotated[str, Field(min_length=1, max_length=1000)]
    events: Annotated[list[EventFilter], Field(min_length=1, max_length=len(EventFilter))]

    @property
    def wish(self) -> EndpointInput:
        """The input of the action, each event once."""
        return EndpointInput(
            self.label, self.url, tuple(sorted({event.value for event in self.events}))
        )


class NewEndpoint(EndpointBody):
    """A new endpoint; `dealer_id` is for operators, who must name one."""

    dealer_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] | None = None


class ChangedEndpoint(EndpointBody):
    """A changed endpoint; what waits at one that is stopped is cancelled."""

    active: bool


class EndpointLine(BaseModel):
    """An endpoint; `old_secret_until` tells how long the secret before the last one signs too."""

    endpoint_id: UUID
    dealer_id: str
    label: str
    url: str
    events: list[str]
    events_japanese: list[str]
    active: bool
    stopped_because: str | None
    state_japanese: str
    failing_since: datetime | None
    old_secret_until: datetime | None
    made_at: datetime
    made_by: str
    changed_at: datetime
    changed_by: str | None
    version: int


class EndpointWithSecret(EndpointLine):
    """An endpoint with its secret, which is shown here and never again."""

    secret: str


class Endpoints(BaseModel):
    """All endpoints that this person looks after."""

    endpoints: list[EndpointLine]


class Pinged(BaseModel):
    """A test is on its way."""

    delivery_id: UUID


async def _validate(request: Request, url: str) -> None:
    """Raise FormErrors for an address that we do not send to."""
    post = client_of(request)
    if wrong := wrong_url(url, local=post.local):
        raise FormErrors(wrong)
    try:
        await post.addresses(url)
    except NoTarget as none:
        japanese, english = NO_TARGET_NAMES[none.trouble]
        wrong = FieldError("url", none.trouble.upper(), japanese, english)
        raise FormErrors(wrong) from None


async def validated_new(request: Request, who: WebhookAdmin, wanted: NewEndpoint) -> NewEndpoint:
    """A new endpoint whose address was checked. Raises FormErrors."""
    if who.has(Role.OPERATOR) and wanted.dealer_id is None:
        raise FormErrors(FieldError("dealer_id", "missing", "入力してください。"))
    await _validate(request, wanted.url)
    return wanted


async def validated_change(
    request: Request, _who: WebhookAdmin, wanted: ChangedEndpoint
) -> ChangedEndpoint:
    """A change whose address was checked, unless it stops. Raises FormErrors."""
    if wanted.active:
        await _validate(request, wanted.url)
    elif wrong := wrong_url(wanted.url, local=client_of(request).local):
        raise FormErrors(wrong)
    return wanted


@router.get("")
async def list_endpoints(who: WebhookAdmin, tx: Tx, dealer_id: Code | None = None) -> Endpoints:
    """The endpoints; an operator may ask for those of one dealer."""
    scope = scope_of(who)
    chosen = dealer_id if scope == EVERY_DEALER and dealer_id else scope
    found = await endpoints_of(tx, chosen)
    return Endpoints(endpoints=[EndpointLine(**_line(endpoint)) for endpoint in found])


@router.post("", status_code=201, operation_id="add_endpoint")
@refuses(NotFound, TooManyEndpoints, VersionConflict)
async def add(  # noqa: PLR0913, PLR0917  a route says what it needs by its arguments
    who: WebhookAdmin,
    wanted: Annotated[NewEndpoint, Depends(validated_new)],
    tx: Tx,
    clock: TheClock,
    secret_box: TheSecretBox,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> EndpointWithSecret:
    """Add an endpoint. Raises FormErrors, TooManyEndpoints, VersionConflict.

    What is remembered for the Idempotency-Key is the id alone, never the secret.
    """
    dealer_id = (wanted.dealer_id if who.has(Role.OPERATOR) else who.dealer) or ""

    async def act() -> dict[str, str]:
        endpoint = await add_endpoint(
            tx, new_id(), wanted.wish, dealer_id=dealer_id, secret_box=secret_box, by=who.person_id,
            now=clock.now(),
        )  # fmt: skip
        return {"endpoint_id": str(endpoint.endpoint_id)}

    asked = f"add_endpoint {dealer_id} {wanted.model_dump_json()}"
    kept = await idempotent(
        tx, owner=who.person_id, key=idempotency_key, fingerprint=asked, act=act
    )
    endpoint = await _found(tx, UUID(kept["endpoint_id"]), who)
    if endpoint.version != 1:  # a repeated request, changed since: this secret was shown
        raise VersionConflict(endpoint.version, ENDPOINT_CHANGED)
    response.headers.update(etag(endpoint.version))
    return EndpointWithSecret(**_line(endpoint), secret=secret_box.decrypt(endpoint.secret))


@router.get("/{endpoint_id}")
@refuses(NotFound)
async def read_endpoint(
    endpoint_id: UUID, who: WebhookAdmin, tx: Tx, response: Response
) -> EndpointLine:
    """One endpoint."""
    endpoint = await _found(tx, endpoint_id, who)
    response.headers.update(etag(endpoint.version))
    return EndpointLine(**_line(endpoint))


@router.put("/{endpoint_id}", operation_id="change_endpoint")
@refuses(NotFound, TooManyEndpoints)
async def change(  # noqa: PLR0913, PLR0917  a route says what it needs by its arguments
    endpoint_id: UUID,
    who: WebhookAdmin,
    wanted: Annotated[ChangedEndpoint, Depends(validated_change)],
    version: Version,
    tx: Tx,
    clock: TheClock,
    response: Response,
) -> EndpointLine:
    """Change an endpoint, stop it or begin again.

    Raises NotFound, FormErrors, VersionConflict, TooManyEndpoints.
    """
    await _found(tx, endpoint_id, who)
    endpoint = await change_endpoint(
        tx, endpoint_id, wanted.wish, active=wanted.active, expected_version=version,
        by=who.person_id, now=clock.now(),
    )  # fmt: skip
    response.headers.update(etag(endpoint.version))
    return EndpointLine(**_line(endpoint))


@router.post("/{endpoint_id}/secret", operation_id="renew_secret")
@refuses(NotFound)
async def renew(  # noqa: PLR0913, PLR0917  a route says what it needs by its arguments
    endpoint_id: UUID,
    who: WebhookAdmin,
    version: Version,
    tx: Tx,
    clock: TheClock,
    secret_box: TheSecretBox,
    response: Response,
) -> EndpointWithSecret:
    """Make a new secret; the old one signs too for a day. Raises NotFound, VersionConflict."""
    await _found(tx, endpoint_id, who)
    endpoint = await renew_secret(
        tx,
        endpoint_id,
        expected_version=version,
        secret_box=secret_box,
        by=who.person_id,
        now=clock.now(),
    )
    response.headers.update(etag(endpoint.version))
    return EndpointWithSecret(**_line(endpoint), secret=secret_box.decrypt(endpoint.secret))


@router.post("/{endpoint_id}/ping", status_code=202, operation_id="ping_endpoint")
@refuses(NotFound, EndpointStopped)
async def ping(endpoint_id: UUID, who: WebhookAdmin, tx: Tx, clock: TheClock) -> Pinged:
    """Send a test. Raises NotFound, EndpointStopped."""
    await _found(tx, endpoint_id, who)
    return Pinged(delivery_id=await ping_endpoint(tx, endpoint_id, now=clock.now()))


async def _found(tx: AsyncSession, endpoint_id: UUID, who: Principal) -> WebhookEndpoint:
    endpoint = await endpoint_of(tx, endpoint_id, scope_of(who))
    if endpoint is None:
        raise NotFound
    return endpoint


def _line(endpoint: WebhookEndpoint) -> dict[str, object]:
    plain = EndpointLine.model_fields.keys() - {"events_japanese", "state_japanese"}
    return {
        **{name: getattr(endpoint, name) for name in plain},
        "events_japanese": [
            EVENT_FILTER_NAMES[event] for event in EventFilter if event in endpoint.events
        ],
        "state_japanese": STOPPED_NAMES[endpoint.stopped_because],
    }
