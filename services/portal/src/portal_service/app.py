"""The portal as an ASGI application: what is it made of, and in which order?"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from portal_service import sign_in, styleguide, top
from portal_service.envelope import Envelope, content_security_policy
from portal_service.failures import crash_page, explain_failures
from portal_service.frame import STATIC, page_templates
from portal_service.portal import Portal
from portal_service.provider import Provider
from portal_service.recent_answers import RecentAnswers
from portal_service.screens import (
    application,
    approval_settings,
    approvals,
    assignment,
    commuter_company,
    commuter_confirmations,
    commuter_passes,
    commuter_slips,
    customer_detail,
    customer_list,
    dashboard,
    dealers,
    erasures,
    lag,
    letters,
    mails,
    master_lists,
    progress,
    quarantine,
    resplit,
    result_entry,
    return_entry,
    rewriting,
    transfers,
    webhooks,
)
from portal_service.sealing import Seal
from portal_service.session import principal_in_session, refuse_foreign_forms
from portal_service.settings import PortalSettings
from shared.auth import assert_every_route_has_a_policy, recognise
from shared.http import PROBES, RequestContext, install_probes

SCREENS = (
    sign_in,
    top,
    customer_list,  # before customer_detail: /contracts/detail is no contract's number
    return_entry,
    result_entry,
    resplit,
    assignment,
    customer_detail,
    rewriting,  # before application: a step with a form of its own
    progress,
    approvals,  # before application: /returns/approvals is no application's number
    application,
    approval_settings,
    transfers,
    dashboard,
    mails,
    webhooks,  # before letters: webhooks are no kind of letter
    commuter_passes,  # before commuter_confirmations: /commuter/passes/new is no pass's id
    commuter_confirmations,
    commuter_slips,
    commuter_company,
    lag,
    erasures,  # before letters, too
    dealers,  # before letters: a dealer is no kind of letter
    quarantine,  # before letters: its messages are no letters of a service
    letters,
    master_lists,
)
PUBLIC_PATHS = frozenset({"/static", *PROBES})


def create_app(
    settings: PortalSettings,
    *,
    http: httpx.AsyncClient | None = None,
    now: Callable[[], datetime] | None = None,
) -> FastAPI:
    """The portal. `http` reaches provider and services, `now` is the embedded clock.

    Raises RouteWithoutPolicy for a page that does not say whom it lets in.
    """
    own_http = http or httpx.AsyncClient(timeout=settings.upstream_timeout_s)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert_every_route_has_a_policy(app, public_paths=PUBLIC_PATHS)
        yield
        if http is None:
            await own_http.aclose()

    app = FastAPI(
        title="窓口",
        openapi_url=None,
        lifespan=lifespan,
        dependencies=[Depends(refuse_foreign_forms)],
    )
    app.state.portal = Portal(
        settings=settings,
        seal=Seal(settings.session_secret.get_secret_value()),
        provider=Provider(settings, own_http),
        http=own_http,
        templates=page_templates(),
        answers=RecentAnswers(settings.work_wait_s),
        now=now if settings.embedded else None,
    )
    recognise(app, principal_in_session)
    explain_failures(app)
    install_probes(app, nothing_missing)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for pages in (*(screens.pages for screens in SCREENS), progress.tfc_pages):
        app.include_router(pages)
    if settings.embedded:
        app.include_router(styleguide.pages)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(RequestContext, service="portal", crashed=crash_page)
    app.add_middleware(
        Envelope,
        policy=content_security_policy(settings.issuer_origin),
        https=settings.https,
    )
    assert_every_route_has_a_policy(app, public_paths=PUBLIC_PATHS)
    return app


async def nothing_missing() -> dict[str, bool]:
    """A portal is ready once it answers: a page says by itself which service is missing."""
    return {}
