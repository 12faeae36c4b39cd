"""Rolling restart: `./dev rolling` restarts every process one by one under load."""

import argparse
import asyncio
import secrets
import sys

import aio_pika

from event_contracts import SUBSCRIPTIONS
from madoguchi.services import SERVICES
from resilience.rolling.rolling_run import Report, roll
from resilience.rolling.tfc_core import FinanceCompany
from resilience.rolling.topology import HOW_TO_GET_NGINX, NGINX, running_topology
from shared.rabbitmq import RabbitTransport, Topology
from shared.testing import servers
from shared.testing.databases import TestDatabases

CONTRACTS = "SELECT contract_no, dealer_id FROM contract WHERE dealer_id <> 'D02' ORDER BY 1"


async def whole(postgres: str, rabbitmq: str, services: list[str]) -> Report:
    """Restart two APIs and two workers of every service and two portals, in turn."""
    databases = TestDatabases(postgres)
    queues = Topology(SUBSCRIPTIONS, prefix=f"rolling-{secrets.token_hex(4)}-")
    try:
        async with running_topology(
            databases, services, rabbitmq_url=rabbitmq, prefix=queues.prefix,
            workers=2, portals=2,
        ) as world:  # fmt: skip
            say(f"{len(world.parts)} processes run")
            rows = await world.ask("contracts", CONTRACTS)
            contracts = [(str(no), str(dealer)) for no, dealer in rows]
            transport = RabbitTransport(rabbitmq, queues)
            try:
                return await roll(world, FinanceCompany(transport, contracts), say)
            finally:
                await transport.close()
    finally:
        await forget(rabbitmq, queues)
        await databases.drop_all()


async def forget(rabbitmq: str, queues: Topology) -> None:
    """Delete queues and exchange."""
    async with await aio_pika.connect(rabbitmq) as connection, connection.channel() as channel:
        for service in SUBSCRIPTIONS:
            await channel.queue_delete(queues.queue(service))
        await channel.queue_delete(queues.unparsed)
        await channel.exchange_delete(queues.exchange)


def say(line: str) -> None:
    """Print progress immediately."""
    print(line, flush=True)


def main() -> int:
    """Return 0 if no request or event was affected, 1 otherwise."""
    asking = argparse.ArgumentParser(prog="./dev rolling", description=__doc__)
    asking.add_argument(
        "--services", nargs="+", default=list(SERVICES), choices=list(SERVICES),
        help="only these services; must include contracts",
    )  # fmt: skip
    asked = asking.parse_args()
    if NGINX is None:
        raise SystemExit(HOW_TO_GET_NGINX)
    postgres, end_postgres = servers.find_postgres()
    found = servers.find_rabbitmq()
    if found is None:
        raise SystemExit(servers.HOW_TO_GET_RABBITMQ)
    try:
        report = asyncio.run(whole(postgres, found[0], asked.services))
    finally:
        found[1]()
        end_postgres()
    say(report.table())
    say("SOUND" if report.sound else "NOT SOUND")
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
