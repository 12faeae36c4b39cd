"""Notifier service: its parts, its HTTP API, and its mail worker."""

from functools import partial

import httpx
from fastapi import FastAPI

from notifier_service.mail_worker import Sender
from notifier_service.metrics import measure
from notifier_service.models import DEPARTED_STAFF, Base
from notifier_service.queries import operators_work
from notifier_service.recipients_client import RecipientSource
from notifier_service.rules.reminders import ReminderPolicy
from notifier_service.settings import MailSettings, NotifierSettings
from notifier_service.subscribers import subscribers_with, timers
from shared.api import create_api
from shared.auth import PrincipalOf
from shared.clock import Clock
from shared.db import Database
from shared.departed_staff import left_according_to
from shared.service import Background, Service, ServiceRuntime


def service_with(timing: ReminderPolicy) -> Service:
    """The notifier with its own days and hours."""
    return Service(
        name="notifier",
        package="notifier_service",
        metadata=Base.metadata,
        subscribers=subscribers_with(timing),
        timers=timers(),
        channels=("mail",),
        operators_work=operators_work,
        has_left=left_according_to(DEPARTED_STAFF),
        measure=measure,
    )


SERVICE = service_with(ReminderPolicy())


def create_app(
    database: Database, clock: Clock, principal_of: PrincipalOf, **state: object
) -> FastAPI:
    """The API of the mail log."""
    from notifier_service.api import router  # a worker does not need it

    return create_api(
        SERVICE, router, database=database, clock=clock, principal_of=principal_of, **state
    )


def sender_with(
    settings: MailSettings, database: Database, clock: Clock, recipients: RecipientSource
) -> Sender:
    """The notifier's mail worker; `run()` goes beside the event worker."""
    return Sender(
        database,
        clock,
        recipients,
        settings.server,
        settings.mail_templates,
        settings.timing,
        settings.retry_policy,
        join_reminders=settings.join_reminders,
        lanes=settings.senders,
    )


async def run_sender(settings: NotifierSettings, running: ServiceRuntime) -> None:
    """Send mails until cancelled, in any number of processes."""
    async with httpx.AsyncClient(timeout=10) as http:
        recipients = settings.recipients(http, settings.token(http))
        sender = sender_with(settings, running.database, running.clock, recipients)
        await sender.run(running.listener["mail"])


Settings = NotifierSettings


def service_of(settings: NotifierSettings) -> Service:
    """The notifier with the days and hours of its settings."""
    return service_with(settings.timing)


def background_work(settings: NotifierSettings, running: ServiceRuntime) -> list[Background]:
    """Background work beside the event worker: the mail worker."""
    return [partial(run_sender, settings, running)]
