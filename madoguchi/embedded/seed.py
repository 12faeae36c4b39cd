"""Seed data of a first start: masters, contracts, approval settings and dealer accounts."""

import json
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from contracts_service.imports import import_contracts, import_masters
from interchange_service.actions.accept_message import quarantine_message
from interchange_service.actions.dealers import add_dealer
from interchange_service.dealer_messages import judge
from interchange_service.queries import dealer_accounts
from interchange_service.rules.message_checks import InboundMessage, NotAccepted
from madoguchi.embedded.demo import demo_contracts, demo_masters, write_csv
from returns_service.actions.approval_settings import Flow, set_approval_flow
from returns_service.actor import Person, RequestContext
from returns_service.queries import approval_flow_of
from returns_service.rules.return_visibility import Actor
from shared.clock import jst_day
from shared.db import EVERY_DEALER, Database
from shared.roles import Role

SEED = 20260401
Row = tuple[str, ...]


async def seed(contracts: Database, now: datetime, count: int) -> None:
    """Import the demo's masters and `count` contracts."""
    rows = demo_contracts(SEED, count, jst_day(now), dealers=demo_masters().dealers)
    await seed_contracts(contracts, rows, now)


async def seed_contracts(contracts: Database, rows: Iterable[Row], now: datetime) -> None:
    """Import the demo's masters and these contracts."""
    masters = demo_masters()
    await import_masters(contracts, masters.dealers, masters.vehicles, now=now)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contracts.csv"
        write_csv(file, rows)
        report = await import_contracts(contracts, file.read_bytes(), now=now)
    if report.refused:
        raise RuntimeError(f"The demo data is refused: {report.refused[0]}")


async def seed_approval_flows(returns: Database, now: datetime) -> None:
    """Set store and headquarters approval for the demo's dealers that have no setting yet."""
    for dealer in demo_masters().dealers:
        head = next(person for person in dealer.staff if person.role is Role.HQ)
        actor = Actor(f"{dealer.code}-{head.code}", Role.HQ, dealer.code, None)
        async with returns.transaction(dealer.code) as tx:
            if await approval_flow_of(tx, dealer.code) is None:
                flow = Flow(
                    store_approval=True,
                    hq_approval=True,
                    hq_mails=(head.mail,),
                    store_approver_notice=False,
                )
                await set_approval_flow(
                    RequestContext(tx, now, Person(head.name, head.mail, (actor,))), flow, 0
                )


async def seed_dealers(interchange: Database, now: datetime) -> None:
    """Create accounts for the systems of the demo's dealers; they have no keys yet."""
    async with interchange.transaction(EVERY_DEALER) as tx:
        known = {account.dealer_id for account in await dealer_accounts(tx)}
        for dealer in demo_masters().dealers:
            if dealer.code not in known:
                await add_dealer(tx, dealer.code, dealer.name, now=now)


async def seed_refused_messages(interchange: Database, now: datetime) -> None:
    """Quarantine two invalid messages from the systems of D01."""
    async with interchange.transaction(EVERY_DEALER) as tx:
        for arrival, refusal in refused_messages(now):
            await quarantine_message(tx, arrival, refusal, now=now)


def refused_messages(now: datetime) -> list[tuple[InboundMessage, NotAccepted]]:
    """Two invalid messages from the systems of D01: one too old, one with an invalid date."""
    refused = []
    for at, day in ((now - timedelta(days=45), "2026-03-02"), (now, "来週")):
        data = {"dealer_id": "D01", "source_id": "R-1001", "registration_no": "品川 300 あ 1234"}
        arrival = InboundMessage(
            channel="https",
            sender="D01",
            addressed="D01",
            address="/api/interchange/v1/dealers/D01/events",
            headers={
                "ce-specversion": "1.0",
                "ce-id": f"demo-{day}",
                "ce-source": "/dealers/D01/dms",
                "ce-type": "dealer.vehicle_returned.v1",
                "ce-time": at.isoformat(timespec="seconds"),
            },
            content_type="application/json",
            body=json.dumps({**data, "received_on": day}, ensure_ascii=False).encode(),
        )
        try:
            judge(arrival, now=now)
        except NotAccepted as refusal:
            refused.append((arrival, refusal))
    return refused
