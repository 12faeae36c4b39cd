"""What is the notifier made of?"""

import httpx

from notifier_service.models import Table
from notifier_service.sender import Sender
from notifier_service.settings import NotifierSettings
from notifier_service.stale_mail import Timing
from notifier_service.subscribers import subscribers_with, timers
from shared.clock import Clock
from shared.db import Database
from shared.service import Service


def service_with(timing: Timing) -> Service:
    """The notifier with its own days and hours."""
    return Service(
        name="notifier",
        package="notifier_service",
        metadata=Table.metadata,
        subscribers=subscribers_with(timing),
        timers=timers(),
    )


SERVICE = service_with(Timing())


async def run_sender(settings: NotifierSettings, database: Database, clock: Clock) -> None:
    """Send mails until cancelled; runs beside the worker, in as many processes as one likes."""
    async with httpx.AsyncClient(timeout=10) as http:
        sender = Sender(
            database,
            clock,
            settings.recipients(http),
            settings.server,
            settings.letters,
            settings.timing,
            settings.patience,
            settings.senders,
        )
        await sender.run()
