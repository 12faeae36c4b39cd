"""Assembly of the all-in-one: databases, secrets, settings of every part, and the demo pages.

Both process layouts (application.py) are built from it.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from contracts_service.policy import ReflectedBy
from madoguchi.embedded import postgres
from madoguchi.embedded.demo import demo_masters
from madoguchi.embedded.demo.size import Demo
from madoguchi.embedded.demo_users import demo_people
from madoguchi.embedded.first_start import DemoProgress, FirstStart, unfinished
from madoguchi.embedded.issuer import IssuerSettings, create_issuer, issuer_key
from madoguchi.embedded.login_hints import LoginHints
from madoguchi.embedded.mailbox_and_clock import MorePages, create_extras
from madoguchi.embedded.persistent_clock import PersistentClock
from madoguchi.embedded.run_config import RunConfig
from madoguchi.embedded.sandbox import Sandbox
from madoguchi.embedded.sandbox_pages import sandbox_router
from madoguchi.services import SERVICES
from portal_service.session import FROM_PROVIDER
from shared.db import Database
from shared.main import settings_of
from shared.service import ServiceRuntime
from shared.settings import ServiceSettings

AUDIENCE = "madoguchi"
OWN_MACHINE = "127.0.0.0/8"
"""The gateway, and the portal that calls the services, run here."""
MAIL_SENDER = "j-pass_uketsuke@toyota-finance.co.jp"
EXPENSE_MAIL_SENDER = "keihi@madoguchi.example.jp"
PRODUCT = "窓口"
"""The product's name as its pages show it."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts that both process layouts are built from."""

    config: RunConfig
    secrets: postgres.Secrets
    clock: PersistentClock
    running: dict[str, ServiceRuntime]
    http: httpx.AsyncClient
    smtp_port: int
    portal_database: str
    demo_progress: DemoProgress = field(default_factory=DemoProgress)

    @property
    def databases(self) -> tuple[Database, ...]:
        """Every service's database."""
        return tuple(part.database for part in self.running.values())

    async def wake_timers(self) -> None:
        """Make every service check for due timers, after its clock was set."""
        for part in self.running.values():
            part.listener["timer"].set()


async def begin_demo(assembly: Assembly) -> None:
    """Make a small demo now; a living one is made after the login page is up."""
    unfinished(assembly.config.data).touch()
    assembly.demo_progress.under_way = True
    if assembly.config.demo is Demo.SMALL:
        await make_demo(assembly)


async def make_demo(assembly: Assembly) -> None:
    """Make the demo data; the next start discards what an interrupted one made."""
    config = assembly.config
    databases = {name: part.database for name, part in assembly.running.items()}
    first = FirstStart(databases, service_settings(assembly), assembly.clock.now())
    await first.make(config.demo, config.demo_contracts, assembly.demo_progress)
    unfinished(config.data).unlink()
    assembly.demo_progress.under_way = False


def service_settings(assembly: Assembly) -> dict[str, ServiceSettings]:
    """The settings of every service."""
    return {
        name: settings_of(SERVICES[name], **service_values(assembly, name))
        for name in assembly.running
    }


def service_values(assembly: Assembly, name: str) -> dict[str, object]:
    """The settings of a service in either layout; mails go to the local catcher."""
    config = assembly.config
    values = {
        "database_url": assembly.running[name].database.url,
        "rabbitmq_url": config.rabbitmq or "",
        "event_prefix": config.event_prefix,
        "issuer": f"{config.url}/issuer",
        "jwks_url": f"{config.url}/issuer/jwks",
        "audience": AUDIENCE,
        "log_level": config.log_level,
        "trusted_proxies": OWN_MACHINE,
    } | ({"otlp_endpoint": config.otlp} if config.otlp else {})
    own: dict[str, dict[str, object]] = {
        "contracts": {"reflection": ReflectedBy.SELF},
        "notifier": {
            "sender": MAIL_SENDER,
            "expense_sender": EXPENSE_MAIL_SENDER,
            "product": PRODUCT,
            "expense_product": PRODUCT,
            "portal_url": config.url,
            "smtp_host": "127.0.0.1",
            "smtp_port": assembly.smtp_port,
            "smtp_starttls": False,
            "returns_url": config.url,
            "token_url": f"{config.url}/issuer/token",
            "client_secret": assembly.secrets.get("client-notifier"),
        },
        "commuter": {"receipts_folder": str(config.data / "receipts")},
        "interchange": {
            "public_url": config.url,
            # 32 bytes in Fernet's base64
            "webhook_keys": assembly.secrets.get("webhook-key") + "=",
            "webhook_local": True,
        },
    }
    return values | own.get(name, {})


def portal_values(assembly: Assembly) -> dict[str, Any]:
    """The settings of the portal in either layout."""
    config, secrets = assembly.config, assembly.secrets
    services = {f"{name}_url": config.url for name in SERVICES}
    return services | {
        "public_url": config.url,
        "mail_sender": MAIL_SENDER,
        "expense_mail_sender": EXPENSE_MAIL_SENDER,
        "session_secret": secrets.get("portal-session"),
        "database_url": assembly.portal_database,
        "trusted_proxies": OWN_MACHINE,
        "oidc_issuer": f"{config.url}/issuer",
        "otlp_endpoint": config.otlp or "",
        "log_level": config.log_level,
        "embedded": True,
    }


def demo_pages(assembly: Assembly) -> dict[str, ASGIApp]:
    """The pages of the all-in-one beside the product: login, mailbox and clock."""
    issuer = Starlette(routes=[Mount("/issuer", app=_issuer(assembly))])
    more: list[MorePages] = []
    if (sandbox := sandbox_of(assembly)) is not None:
        more.append(partial(sandbox_router, sandbox, assembly.config.url))
    mails = assembly.config.data / "mail"
    extras = create_extras(mails, assembly.clock, assembly.wake_timers, *more)
    pages: dict[str, ASGIApp] = {"/issuer": issuer, "/mailbox": extras}
    return pages | {"/sandbox": extras} if more else pages


def sandbox_of(assembly: Assembly) -> Sandbox | None:
    """The sandbox, if this installation is one. Raises StopIteration for an unknown dealer."""
    config = assembly.config
    if config.sandbox is None:
        return None
    databases = {name: part.database for name, part in assembly.running.items()}
    dealer = next(one for one in demo_masters().dealers if one.code == config.sandbox)
    return Sandbox(databases, assembly.clock, dealer, config.data)


def _issuer(assembly: Assembly) -> FastAPI:
    config, secrets = assembly.config, assembly.secrets
    databases = {name: part.database for name, part in assembly.running.items()}
    settings = IssuerSettings(
        url=f"{config.url}/issuer",
        audience=AUDIENCE,
        client_id="madoguchi-portal",
        redirect_uris=frozenset({f"{config.url}/auth/callback"}),
        signed_out_uris=frozenset({f"{config.url}/auth/signed-out"}),
        backchannel_logout_uri=f"{config.url}{FROM_PROVIDER}",
        people=demo_people(demo_masters()),
        embedded=True,
        demo_progress=assembly.demo_progress,
        login_hints=LoginHints(databases, assembly.clock).of,
        services={"madoguchi-notifier": secrets.get("client-notifier")},
    )
    return create_issuer(settings, issuer_key(config.data))
