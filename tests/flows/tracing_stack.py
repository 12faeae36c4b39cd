"""Tracing stack: the whole product in this process with its spans and metrics."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from madoguchi.embedded.all_in_one import start_application
from madoguchi.embedded.process_layout import Application
from madoguchi.embedded.readiness import events_arrived
from madoguchi.embedded.run_config import RunConfig
from shared import tracing
from shared.clock import JST
from shared.testing.servers import free_port
from tests.portal.conftest import Site
from tests.portal.portal_stack import PortalUser
from tests.running_product import person_at, returnable_contract

YAMADA, SATO, TANAKA, TFC = "D01-E101", "D01-M100", "D01-H001", "T001"
MAILS = 3


@dataclass(frozen=True, slots=True)
class Story:
    """The spans of the request that completed a return, and `/metrics` after it."""

    spans: Sequence[ReadableSpan]
    metrics: str
    contract_no: str


@asynccontextmanager
async def serving(parts: Application) -> AsyncIterator[None]:
    config = uvicorn.Config(parts.app, port=parts.config.port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    tasks = [asyncio.create_task(parts.work()), asyncio.create_task(server.serve())]
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        await tasks[1]
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def exported_spans(rabbitmq_url: str, event_prefix: str) -> Story:
    """Report a car through the pages, up to the last mail, and return the observations."""
    seen = InMemorySpanExporter()
    with tempfile.TemporaryDirectory() as data:
        plan = RunConfig(
            free_port(),
            Path(data),
            rabbitmq=rabbitmq_url,
            event_prefix=event_prefix,
            demo_contracts=120,
        )
        try:
            async with start_application(plan) as parts, serving(parts):
                await events_arrived(parts.databases)
                tracing.record("madoguchi", SimpleSpanProcessor(seen))
                contract_no = await asyncio.to_thread(contract_to_return, plan.url)
                trace_id = await complete_a_return(plan.url, contract_no)

                def mails_are_sent() -> bool:
                    return len(named("publish mail.sent.v1", of_trace(seen, trace_id))) == MAILS

                await eventually(mails_are_sent)
                async with httpx.AsyncClient(timeout=60) as http:
                    metrics = (await http.get(f"{plan.url}/metrics")).text
        finally:
            tracing.stop()
    return Story(of_trace(seen, trace_id), metrics, contract_no)


def contract_to_return(url: str) -> str:
    with person_at(url, YAMADA) as http:
        return returnable_contract(http)


async def complete_a_return(url: str, contract_no: str) -> str:
    """Take every step as each person; returns the trace id of the last request."""
    site = Site(url, f"{url}/issuer", FastAPI())
    async with site.browser() as at_yamada:
        await at_yamada.sign_in(YAMADA)
        yamada = PortalUser(at_yamada)
        await yamada.visit(f"/contracts/{contract_no}/return/entry")
        today = f"{datetime.now(JST):%Y/%m/%d}"
        await yamada.send("/return/entry", received_on=today, contact_3="yamada@d01.example.jp")
        await yamada.send("/return/entry")
    application = yamada.path.split("/")[2]
    for person, step in ((SATO, "approval"), (TANAKA, "approval"), (TFC, "acceptance")):
        async with site.browser() as browser:
            await browser.sign_in(person)
            user = await PortalUser(browser).visit(f"/returns/{application}/{step}")
            await user.send(f"/{step}")
    async with site.browser() as browser:
        await browser.sign_in(TFC)
        user = await PortalUser(browser).visit(f"/returns/{application}/completion")
        fields = user.form("/completion")
        clicked = await browser.http.post(f"/returns/{application}/completion", data=fields)
    assert clicked.status_code == 303, clicked.text
    return clicked.headers["traceparent"].split("-")[1]


def of_trace(seen: InMemorySpanExporter, trace_id: str) -> Sequence[ReadableSpan]:
    return [
        span for span in seen.get_finished_spans() if f"{span.context.trace_id:032x}" == trace_id
    ]


def named(name: str, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


async def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what others see
            await asyncio.sleep(0.1)
