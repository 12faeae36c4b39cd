"""Webhook screens (Webhook 連携) of headquarters and operators, with a real receiving system."""

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI, Request, Response

from interchange_service.app import create_app as create_interchange
from interchange_service.app import state_of, webhook_sender
from interchange_service.settings import InterchangeSettings
from shared.auth import Principal
from shared.clock import TravelClock
from shared.db import Database
from shared.testing.databases import TestDatabases
from shared.testing.people import OPERATOR, TANAKA, YAMADA

from .conftest import Site, free_port, serving
from .portal_stack import EVERYBODY, PortalUser, _service, open_site


@dataclass
class WebhookStack:
    """The portal in front of the interchange; the other services do not answer."""

    site: Site
    receiver: str
    settings: InterchangeSettings
    clock: TravelClock
    status: list[int] = field(default_factory=lambda: [200])

    @contextlib.asynccontextmanager
    async def of(self, who: Principal) -> AsyncIterator[PortalUser]:
        async with self.site.browser() as browser:
            await browser.sign_in(who.user_id)
            yield PortalUser(browser)

    async def send_due(self) -> None:
        database = Database(self.settings.database_url.get_secret_value())
        sender = webhook_sender(self.settings, database, self.clock)
        while await sender.send_one():
            pass
        await database.close()


def dealers_system(status: list[int]) -> FastAPI:
    app = FastAPI()

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        await request.body()
        return Response("受け取りました", status[-1])

    return app


@contextlib.asynccontextmanager
async def open_webhook_stack(
    create: Callable[[str], Awaitable[str]],
) -> AsyncIterator[WebhookStack]:
    url, clock, status = await create("interchange_service"), TravelClock(), [200]
    issuer_url = f"http://127.0.0.1:{free_port()}"
    settings = InterchangeSettings.model_validate(
        {
            "database_url": url,
            "rabbitmq_url": "amqp://unused",
            "issuer": issuer_url,
            "jwks_url": issuer_url,
            "webhook_keys": Fernet.generate_key().decode(),
            "webhook_local": True,
        }
    )
    with contextlib.ExitStack() as stack:
        serve = stack.enter_context
        state: dict[str, Any] = state_of(settings)
        create_it = partial(create_interchange, **state)
        service = serve(serving(_service(create_it, url, clock, issuer_url)))
        receiver = serve(serving(lambda _: dealers_system(status)))
        site = open_site(stack, clock, issuer_url, EVERYBODY, interchange_url=service)
        place = f"http://localhost:{urlsplit(receiver).port}/hook"
        yield WebhookStack(site, place, settings, clock, status)


@pytest.fixture(scope="module")
async def webhook_stack(databases: TestDatabases) -> AsyncIterator[WebhookStack]:
    async with open_webhook_stack(databases.create) as opened:
        yield opened


async def added(user: PortalUser, label: str, url: str, **more: str) -> PortalUser:
    await user.visit("/operation/webhooks/new")
    return await user.send("/new", label=label, url=url, **more)


async def test_headquarters_adds_an_endpoint_tests_it_and_views_the_attempt(
    webhook_stack: WebhookStack,
) -> None:
    async with webhook_stack.of(TANAKA) as tanaka:
        await tanaka.visit("/operation/webhooks")
        assert "送信先はまだありません。" in tanaka.text
        await added(tanaka, "基幹システム", webhook_stack.receiver)
        assert "一度だけ表示されます" in tanaka.text
        assert re.search(r"whsec_[A-Za-z0-9+/=]{40,}", tanaka.text)
        await tanaka.visit("/operation/webhooks")
        assert "基幹システム" in tanaka.text
        assert "whsec_" not in tanaka.html
        await tanaka.visit(link(tanaka, "基幹システム"))
        await tanaka.send("/ping")
        assert "テスト送信を始めました。" in tanaka.text
        here = tanaka.path
        await webhook_stack.send_due()
        await tanaka.visit(here)
        assert "応答 200" in tanaka.text
        assert "受け取りました" in tanaka.text
        await tanaka.visit(f"{here}/resend")
        await tanaka.send("/resend")
        assert "もう一度送信します。" in tanaka.text
        assert "送信待ちまたは送信中のため、再送できません。" in tanaka.text
        await tanaka.visit("/operation/webhooks/deliveries?state=failed")
        assert "この条件に合う送信はありません。" in tanaka.text


def link(user: PortalUser, label: str) -> str:
    rows: list[tuple[str, str]] = re.findall(
        r'href="(/operation/webhooks/[0-9a-f-]{36})">開く[^（]*（([^）]*)）', user.html
    )
    return next(path for path, name in rows if name == label)


async def test_errors_are_shown_beside_the_field_and_the_input_is_kept(
    webhook_stack: WebhookStack,
) -> None:
    async with webhook_stack.of(OPERATOR) as operator:
        await added(operator, "名前", "ftp://example.jp/", dealer_id="D01")
        assert operator.status == 422
        assert "https:// で始まる URL を入力してください。" in operator.error_for("url")
        assert operator.form("/new")["label"] == ["名前"]
        await added(operator, "名前", webhook_stack.receiver)
        assert "入力してください。" in operator.error_for("dealer_id")
        await added(operator, "", webhook_stack.receiver, dealer_id="D01")
        assert "入力してください。" in operator.error_for("label")


async def test_an_endpoint_is_changed_disabled_and_gets_a_new_secret(
    webhook_stack: WebhookStack,
) -> None:
    async with webhook_stack.of(OPERATOR) as operator:
        await added(operator, "在庫", webhook_stack.receiver, dealer_id="D02")
        await operator.visit("/operation/webhooks")
        here = link(operator, "在庫")
        await operator.visit(here)
        await operator.send(here, label="在庫管理", events=["completed", "remanded"])
        assert "送信先を保存しました。" in operator.text
        assert operator.form(here)["events"] == ["completed", "remanded"]
        await operator.visit(f"{here}/secret")
        assert "24時間は、新しい鍵とこれまでの鍵の両方で署名します。" in operator.text
        await operator.send("/secret")
        assert "whsec_" in operator.text
        await operator.visit(here)
        await operator.send(here, active=[])
        assert "停止中のため送信できません。" in operator.text
        stale = operator.form(here)
        await operator.send(here, label="一")
        await operator.send(here, label="二", version=stale["version"])
        assert operator.status == 409
        assert "送信先が変更されています。" in operator.text


async def test_another_dealers_endpoints_are_not_found(webhook_stack: WebhookStack) -> None:
    async with webhook_stack.of(OPERATOR) as operator, webhook_stack.of(TANAKA) as tanaka:
        await added(operator, "他社", webhook_stack.receiver, dealer_id="D03")
        await operator.visit("/operation/webhooks")
        here = link(operator, "他社")
        await tanaka.visit("/operation/webhooks")
        assert "他社" not in tanaka.text
        assert (await tanaka.visit(here)).status == 404
        assert (await tanaka.visit("/operation/webhooks/none")).status in {404, 422}


async def test_sales_staff_has_no_access(webhook_stack: WebhookStack) -> None:
    async with webhook_stack.of(YAMADA) as yamada:
        assert (await yamada.visit("/operation/webhooks")).status == 403
        await yamada.visit("/")
        assert "Webhook 連携" not in yamada.text
