"""Operator and integration steps of the demo history: keys, messages, webhooks, a dead letter."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from event_contracts.tfc_returns import TfcReturnAccepted
from madoguchi.embedded.demo_history.dealer_team import DealerTeam
from madoguchi.embedded.demo_history.replay import Answer, Replay, ScheduledStep
from shared.clock import jst_day
from shared.envelope import Envelope
from shared.trace_context import new_id

OPERATOR = "O001"
FAILING_URL = "http://127.0.0.1:9/webhooks/madoguchi"
"""The discard port of this machine, where nothing listens."""
UNKNOWN_APPLICATION = "RA-99000001"


FAILING = {
    "label": "基幹システム（デモ：応答しない送信先）",
    "url": FAILING_URL,
    "events": ["completed", "remanded"],
}
STOPPED = {**FAILING, "label": "旧・在庫システム（デモ：停止した送信先）", "events": ["all"]}


async def webhooks(team: DealerTeam, replay: Replay) -> None:
    """One endpoint that never answers its test, and one that headquarters disabled."""
    hq = team.of(team.headquarters)
    endpoint = await replay.ask(hq, "interchange", "/webhooks", FAILING)
    await replay.ask(hq, "interchange", f"/webhooks/{endpoint['endpoint_id']}/ping")
    await replay.give_up_webhooks()
    endpoint = await replay.ask(hq, "interchange", "/webhooks", STOPPED)
    await _switch(team, replay, endpoint, STOPPED, active=False)


async def webhook_again(team: DealerTeam, replay: Replay) -> None:
    """Headquarters starts the silent endpoint again; it may have been stopped for its failures."""
    hq = team.of(team.headquarters)
    listed = await replay.ask(hq, "interchange", "/webhooks", method="GET")
    (endpoint,) = [one for one in listed["endpoints"] if one["label"] == FAILING["label"]]
    if endpoint["active"]:
        endpoint = await _switch(team, replay, endpoint, FAILING, active=False)
    await _switch(team, replay, endpoint, FAILING, active=True)


async def _switch(
    team: DealerTeam, replay: Replay, endpoint: Answer, fields: Answer, *, active: bool
) -> Answer:
    """Stop or start an endpoint; what it is then."""
    return await replay.ask(
        team.of(team.headquarters),
        "interchange",
        f"/webhooks/{endpoint['endpoint_id']}",
        {**fields, "active": active},
        method="PUT",
        version=endpoint["version"],
    )


async def messages(team: DealerTeam, replay: Replay) -> None:
    """A dealer's system gets a key and reports a car; two of its messages are quarantined."""
    dealer = team.dealer.code
    key = await replay.ask(
        OPERATOR, "interchange", f"/dealers/{dealer}/keys", {"label": "販売管理システム"}
    )
    now, case = replay.clock.now(), team.take()
    fact = {
        "dealer_id": dealer,
        "source_id": "R-1001",
        "contract_no": case.contract_no,
        "received_on": jst_day(now).isoformat(),
        "place": "本店 第2置場",
        "odometer_km": 38_420,
    }
    sent = partial(_send, replay, dealer, key["key"])
    await sent("R-1001", now, fact, accepted=True)
    late = now - timedelta(days=45)
    await sent("R-0907", late, {**fact, "source_id": "R-0907"}, accepted=False)
    wrong = {**fact, "source_id": "R-1002", "received_on": "来週"}
    await sent("R-1002", now, wrong, accepted=False)


async def _send(  # noqa: PLR0913, PLR0917 - what a message is endpoint of
    replay: Replay, dealer: str, key: str, name: str, at: datetime, fact: dict[str, object],
    *, accepted: bool,
) -> None:  # fmt: skip
    """Send one message as a dealer's system over HTTPS."""
    answer = await replay.http.post(
        f"http://interchange/api/interchange/v1/dealers/{dealer}/events",
        content=json.dumps(fact, ensure_ascii=False).encode(),
        headers={
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": f"demo-{name}",
            "ce-source": f"/dealers/{dealer}/dms",
            "ce-type": "dealer.vehicle_returned.v1",
            "ce-time": at.isoformat(timespec="seconds"),
        },
    )
    if answer.is_success != accepted:
        raise RuntimeError(f"{name}: {answer.status_code} {answer.text}")


async def dead_letter(team: DealerTeam, replay: Replay) -> None:
    """An acceptance from TFC's core for an unknown application becomes a dead letter."""
    event = TfcReturnAccepted(
        dealer_id=team.dealer.code, application_id=UNKNOWN_APPLICATION, application_version=2
    )
    envelope = Envelope(
        event_id=new_id(),
        source="/tfc/demo",
        type=event.wire_type,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        sequence=1,
        dealer_id=event.dealer_id,
        occurred_at=replay.clock.now(),
        payload=event.model_dump_json().encode(),
    )
    await replay.transport.publish([envelope])
    await replay.give_up("returns")


def operations(team: DealerTeam) -> Iterator[ScheduledStep]:
    """The scheduled steps of a dealer's integration."""
    yield ScheduledStep(12, 0, partial(webhooks, team))
    yield ScheduledStep(4, 0, partial(webhook_again, team))
    yield ScheduledStep(6, 20, partial(messages, team))
    yield ScheduledStep(5, 11, partial(dead_letter, team))
