"""HTTP API of interchange, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict
from portal_service.api_client import QueryValue, ServiceClient, ServiceResponse


class ChangedEndpoint(TypedDict):
    """A changed endpoint; what waits at one that is stopped is cancelled."""

    label: str
    url: str
    events: Sequence[str]
    active: bool


class Dealer(TypedDict):
    """A dealer that may send while it is `active`; `amqp` where it has a password for AMQP."""

    dealer_id: str
    name: str
    active: bool
    amqp: bool
    added_at: str


class Dealers(TypedDict):
    """All of them, by their codes."""

    dealers: list[Dealer]


class DeliveryLine(TypedDict):
    """A message as the list shows it; `next_attempt_at` while it waits."""

    delivery_id: str
    endpoint_id: str
    endpoint_label: str
    dealer_id: str
    event_id: str
    kind: str
    kind_japanese: str
    application_id: str | None
    contract_no: str | None
    state: Literal["scheduled", "delivered", "failed", "cancelled"]
    state_japanese: str
    attempts: int
    last_status: int | None
    last_trouble: str | None
    last_trouble_japanese: str | None
    planned_at: str
    next_attempt_at: str | None
    settled_at: str | None
    version: int
    resend: ResendOffer


class DeliveryPage(TypedDict):
    """Some of them, the newest first; `next` goes into `after` for the following ones."""

    deliveries: list[DeliveryLine]
    next: str | None


class DeliveryStep(TypedDict):
    """One thing that happened to a message; `actor` where a person did it."""

    happened_at: str
    step: str
    actor: str | None
    attempt: int
    status: int | None
    trouble: str | None
    trouble_japanese: str | None
    duration_ms: int | None
    excerpt: str | None


class DiscardOrder(TypedDict):
    """Why a message is put away."""

    note: str


class EndpointLine(TypedDict):
    """An endpoint; `old_secret_until` tells how long the secret before the last one signs too."""

    endpoint_id: str
    dealer_id: str
    label: str
    url: str
    events: list[str]
    events_japanese: list[str]
    active: bool
    stopped_because: str | None
    state_japanese: str
    failing_since: str | None
    old_secret_until: str | None
    made_at: str
    made_by: str
    changed_at: str
    changed_by: str | None
    version: int


class EndpointWithSecret(TypedDict):
    """An endpoint with its secret, which is shown here and never again."""

    endpoint_id: str
    dealer_id: str
    label: str
    url: str
    events: list[str]
    events_japanese: list[str]
    active: bool
    stopped_because: str | None
    state_japanese: str
    failing_since: str | None
    old_secret_until: str | None
    made_at: str
    made_by: str
    changed_at: str
    changed_by: str | None
    version: int
    secret: str


class Endpoints(TypedDict):
    """All endpoints that this person looks after."""

    endpoints: list[EndpointLine]


class Key(TypedDict):
    """A key without its secret, which nobody can see a second time."""

    key_id: str
    dealer_id: str
    label: str
    good: bool
    made_at: str
    made_by: str
    expires_at: str | None
    revoked_at: str | None
    revoked_by: str | None
    last_used_at: str | None


class Keys(TypedDict):
    """All of them, the newest first."""

    keys: list[Key]


class MadeKey(TypedDict):
    """A new key with its secret: `Authorization: Bearer <key>`."""

    key_id: str
    key: str


class NewDealer(TypedDict):
    """A dealer to be let in."""

    dealer_id: str
    name: str


class NewEndpoint(TypedDict):
    """A new endpoint; `dealer_id` is for operators, who must name one."""

    label: str
    url: str
    events: Sequence[str]
    dealer_id: NotRequired[str | None]


class NewKey(TypedDict):
    """What a key is for, and its last day in Japan; without one it is good until it is …"""

    label: str
    last_on: NotRequired[str | None]


class Pinged(TypedDict):
    """A test is on its way."""

    delivery_id: str


class QuarantineLine(TypedDict):
    """A refused message as the list shows it; `size` in bytes."""

    quarantined_id: str
    dealer_id: str | None
    channel: str
    reason: str
    reason_japanese: str
    detail: str
    address: str
    size: int
    received_at: str


class QuarantinePage(TypedDict):
    """Some of them, the newest first; `next` goes into `after` for the following ones."""

    messages: list[QuarantineLine]
    next: str | None


class QuarantinedMessage(TypedDict):
    """One message with all that came, broken bytes marked, and what became of it."""

    quarantined_id: str
    dealer_id: str | None
    channel: str
    reason: str
    reason_japanese: str
    detail: str
    address: str
    size: int
    received_at: str
    headers: dict[str, str]
    content_type: str | None
    body: str
    settled_at: str | None
    settled_as: str | None
    settled_by: str | None
    note: str | None


class Released(TypedDict):
    """The message is accepted; `repeated` where it had been before."""

    message_id: str
    repeated: bool


class ResendOffer(TypedDict):
    """Whether a person may have the message sent again, and if not, why."""

    enabled: bool
    code: str | None
    reason: str | None


class Rotation(TypedDict):
    """How long the old key stays good beside the new one."""

    grace_hours: NotRequired[int]


class WholeDelivery(TypedDict):
    """A message with its body and all that happened to it."""

    delivery_id: str
    endpoint_id: str
    endpoint_label: str
    dealer_id: str
    event_id: str
    kind: str
    kind_japanese: str
    application_id: str | None
    contract_no: str | None
    state: Literal["scheduled", "delivered", "failed", "cancelled"]
    state_japanese: str
    attempts: int
    last_status: int | None
    last_trouble: str | None
    last_trouble_japanese: str | None
    planned_at: str
    next_attempt_at: str | None
    settled_at: str | None
    version: int
    resend: ResendOffer
    url: str
    body: str
    history: list[DeliveryStep]


async def list_dealers(services: ServiceClient) -> ServiceResponse[Dealers]:
    """Every dealer with an account, also those that are shut out."""
    return await services.get("interchange", "/dealers")


async def add_dealer(services: ServiceClient, body: NewDealer) -> ServiceResponse[None]:
    """Let a dealer's systems send. Raises DealerAlreadyAdded."""
    return await services.send("interchange", "POST", "/dealers", body)


async def deactivate_dealer(services: ServiceClient, dealer: str) -> ServiceResponse[None]:
    """Accept nothing more of a dealer. Raises DealerUnknown."""
    return await services.send("interchange", "POST", f"/dealers/{dealer}/deactivate")


async def activate_dealer(services: ServiceClient, dealer: str) -> ServiceResponse[None]:
    """Accept its messages again. Raises DealerUnknown."""
    return await services.send("interchange", "POST", f"/dealers/{dealer}/activate")


async def list_keys(services: ServiceClient) -> ServiceResponse[Keys]:
    """Every key, also those that are no longer good."""
    return await services.get("interchange", "/keys")


async def add_key(
    services: ServiceClient, dealer: str, body: NewKey, *, idempotency_key: str | None
) -> ServiceResponse[MadeKey]:
    """A new key of a dealer. Raises DealerUnknown, FormErrors, KeyAlreadyShown."""
    return await services.send(
        "interchange", "POST", f"/dealers/{dealer}/keys", body, idempotency_key=idempotency_key
    )


async def rotate_key(
    services: ServiceClient, key_id: str, body: Rotation, *, idempotency_key: str | None
) -> ServiceResponse[MadeKey]:
    """A key in the place of another. Raises NoSuchKey, KeyInactive, KeyAlreadyShown."""
    return await services.send(
        "interchange", "POST", f"/keys/{key_id}/rotate", body, idempotency_key=idempotency_key
    )


async def revoke_key(services: ServiceClient, key_id: str) -> ServiceResponse[None]:
    """End a key at once. Raises NoSuchKey, KeyInactive."""
    return await services.send("interchange", "POST", f"/keys/{key_id}/revoke")


async def list_quarantine(
    services: ServiceClient, *, after: QueryValue = None, limit: QueryValue = None
) -> ServiceResponse[QuarantinePage]:
    """The messages that nobody has seen to."""
    return await services.get("interchange", "/quarantine", {"after": after, "limit": limit})


async def read_quarantined(
    services: ServiceClient, quarantined_id: str
) -> ServiceResponse[QuarantinedMessage]:
    """One message, settled or not. Raises NotFound."""
    return await services.get("interchange", f"/quarantine/{quarantined_id}")


async def release_quarantined(
    services: ServiceClient, quarantined_id: str
) -> ServiceResponse[Released]:
    """Accept it after all. Raises NotFound, AlreadySettled, NotAccepted."""
    return await services.send("interchange", "POST", f"/quarantine/{quarantined_id}/release")


async def discard_quarantined(
    services: ServiceClient, quarantined_id: str, body: DiscardOrder
) -> ServiceResponse[None]:
    """Put it away for good. Raises NotFound, AlreadySettled."""
    return await services.send("interchange", "POST", f"/quarantine/{quarantined_id}/discard", body)


async def list_endpoints(
    services: ServiceClient, *, dealer_id: QueryValue = None
) -> ServiceResponse[Endpoints]:
    """The endpoints; an operator may ask for those of one dealer."""
    return await services.get("interchange", "/webhooks", {"dealer_id": dealer_id})


async def add_endpoint(
    services: ServiceClient, body: NewEndpoint, *, idempotency_key: str | None
) -> ServiceResponse[EndpointWithSecret]:
    """Add an endpoint. Raises FormErrors, TooManyEndpoints, VersionConflict."""
    return await services.send(
        "interchange", "POST", "/webhooks", body, idempotency_key=idempotency_key
    )


async def read_endpoint(services: ServiceClient, endpoint_id: str) -> ServiceResponse[EndpointLine]:
    """One endpoint."""
    return await services.get("interchange", f"/webhooks/{endpoint_id}")


async def change_endpoint(
    services: ServiceClient, endpoint_id: str, body: ChangedEndpoint, *, version: str | None
) -> ServiceResponse[EndpointLine]:
    """Change an endpoint, stop it or begin again."""
    return await services.send(
        "interchange", "PUT", f"/webhooks/{endpoint_id}", body, version=version
    )


async def renew_secret(
    services: ServiceClient, endpoint_id: str, *, version: str | None
) -> ServiceResponse[EndpointWithSecret]:
    """Make a new secret; the old one signs too for a day. Raises NotFound, VersionConflict."""
    return await services.send(
        "interchange", "POST", f"/webhooks/{endpoint_id}/secret", version=version
    )


async def ping_endpoint(services: ServiceClient, endpoint_id: str) -> ServiceResponse[Pinged]:
    """Send a test. Raises NotFound, EndpointStopped."""
    return await services.send("interchange", "POST", f"/webhooks/{endpoint_id}/ping")


async def search_deliveries(
    services: ServiceClient,
    *,
    dealer_id: QueryValue = None,
    application_id: QueryValue = None,
    after: QueryValue = None,
    limit: QueryValue = None,
    endpoint_id: QueryValue = None,
    state: QueryValue = None,
) -> ServiceResponse[DeliveryPage]:
    """The messages that fit all that is given, the newest first."""
    return await services.get(
        "interchange",
        "/webhook-deliveries",
        {
            "dealer_id": dealer_id,
            "application_id": application_id,
            "after": after,
            "limit": limit,
            "endpoint_id": endpoint_id,
            "state": state,
        },
    )


async def read_delivery(
    services: ServiceClient, delivery_id: str
) -> ServiceResponse[WholeDelivery]:
    """One message with every attempt."""
    return await services.get("interchange", f"/webhook-deliveries/{delivery_id}")


async def resend_delivery(
    services: ServiceClient, delivery_id: str, *, version: str | None
) -> ServiceResponse[WholeDelivery]:
    """Send a message again under the same id; If-Match names the version that the person saw."""
    return await services.send(
        "interchange", "POST", f"/webhook-deliveries/{delivery_id}/resend", version=version
    )
