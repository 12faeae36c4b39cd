"""The portal as an ASGI application: what is it made of, and in which order?"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from portal_service import backchannel_logout, home, sign_in, styleguide
from portal_service.access_log import AccessLogWriter
from portal_service.access_recording import AccessRecordingMiddleware
from portal_service.background import run_in_background
from portal_service.encrypted_cookies import CookieCipher
from portal_service.ended_sessions import EndedSessions
from portal_service.error_pages import crash_page, install_error_pages
from portal_service.oidc import OidcProvider
from portal_service.recent_answers import RecentAnswers
from portal_service.rendering import STATIC, page_templates
from portal_service.screens.commuter import (
    accounting,
    allowances,
    bank_accounts,
    company,
    confirmations,
    desk,
    favourites,
    hand_entry,
    look_up,
    mail_preferences,
    months,
    outing,
    passes,
    receipt_search,
    receipts,
    slip_succession,
    slips,
    stations,
    transfers,
)
from portal_service.screens.contracts import (
    assignment,
    bulk_assignment,
    customer_detail,
    customer_list,
    dashboard,
    resplit,
    result_entry,
)
from portal_service.screens.operation import (
    access_log,
    dead_letters,
    dealer_messages,
    dealers,
    erasures,
    lag,
    mail_log,
    sessions,
)
from portal_service.screens.returns import (
    approval_settings,
    bulk_approval,
    correction,
    detail,
    entry,
    progress_list,
)
from portal_service.screens.tfc import masters
from portal_service.screens.webhooks import endpoints
from portal_service.security_headers import SecurityHeadersMiddleware, content_security_policy
from portal_service.service_calls import NetworkCalls, ServiceCalls
from portal_service.session import own_form, principal_in_session
from portal_service.session_use import SessionUseMiddleware
from portal_service.settings import PortalSettings
from portal_service.state import PortalState
from shared.auth import assert_every_route_has_a_policy, install_authentication
from shared.client_address import networks
from shared.db import Database
from shared.http import PROBES, RequestContextMiddleware, install_probes
from shared.notifications import NotificationListener

SCREENS = (
    sign_in,
    backchannel_logout,
    home,
    customer_list,
    entry,
    result_entry,
    resplit,
    assignment,
    customer_detail,
    correction,
    progress_list,
    bulk_approval,
    detail,
    approval_settings,
    bulk_assignment,
    dashboard,
    mail_log,
    endpoints,
    passes,
    confirmations,
    slips,
    slip_succession,
    desk,
    months,
    look_up,
    hand_entry,
    outing,
    favourites,
    receipts,
    receipt_search,
    stations,
    accounting,
    transfers,
    bank_accounts,
    allowances,
    company,
    mail_preferences,
    lag,
    erasures,
    dealers,
    dealer_messages,
    dead_letters,
    access_log,
    sessions,
    masters,
)
PUBLIC_PATHS = frozenset({"/static", *PROBES})


def create_app(
    settings: PortalSettings,
    *,
    http: httpx.AsyncClient | None = None,
    calls: ServiceCalls | None = None,
    now: Callable[[], datetime] | None = None,
) -> FastAPI:
    """The portal. `http` reaches the provider, `calls` the services; `now` is the embedded clock.

    Raises RouteWithoutPolicy for a page that does not say whom it lets in.
    """
    timeout_s = settings.upstream_timeout_s
    own_http = http or httpx.AsyncClient(timeout=timeout_s)
    own_calls = calls or NetworkCalls(settings.service_urls, timeout_s)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert_every_route_has_a_policy(app, public_paths=PUBLIC_PATHS)
        async with run_in_background(app.state.portal):
            yield
        await own_calls.close()
        if http is None:
            await own_http.aclose()

    app = FastAPI(
        title="窓口",
        openapi_url=None,
        redirect_slashes=False,  # the redirect would lead to the host that the request names
        lifespan=lifespan,
        dependencies=[Depends(own_form)],
    )
    app.state.portal = _state(settings, own_http, own_calls, now)
    app.state.trusted_proxies = networks(settings.trusted_proxies)
    install_authentication(app, principal_in_session)
    install_error_pages(app)
    install_probes(app, nothing_missing)
    _add_pages(app, settings)
    _add_middleware(app, settings)
    assert_every_route_has_a_policy(app, public_paths=PUBLIC_PATHS)
    return app


def _state(
    settings: PortalSettings,
    http: httpx.AsyncClient,
    calls: ServiceCalls,
    now: Callable[[], datetime] | None,
) -> PortalState:
    templates = page_templates()
    templates.globals["mail_sender"] = settings.mail_sender
    templates.globals["expense_mail_sender"] = settings.expense_mail_sender or settings.mail_sender
    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=settings.database_connections)
    listener = NotificationListener(url, ("session_end",))
    return PortalState(
        settings=settings,
        database=database,
        listener=listener,
        ended=EndedSessions(database, listener["session_end"]),
        access_log=AccessLogWriter(database, settings.large_export),
        cookie_cipher=CookieCipher(settings.session_secret.get_secret_value()),
        provider=OidcProvider(settings, http),
        calls=calls,
        templates=templates,
        answers=RecentAnswers(settings.work_wait_s),
        now=now if settings.embedded else None,
    )


def _add_pages(app: FastAPI, settings: PortalSettings) -> None:
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for pages in (*(screens.pages for screens in SCREENS), progress_list.tfc_pages):
        app.include_router(pages)
    if settings.embedded:
        app.include_router(styleguide.pages)


def _add_middleware(app: FastAPI, settings: PortalSettings) -> None:
    """The last one added sees a request first."""
    app.add_middleware(AccessRecordingMiddleware, writer=app.state.portal.access_log)
    app.add_middleware(SessionUseMiddleware)
    if settings.embedded:  # elsewhere the gateway compresses
        app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)
    app.add_middleware(RequestContextMiddleware, service="portal", crashed=crash_page)
    app.add_middleware(
        SecurityHeadersMiddleware,
        policy=content_security_policy(settings.issuer_origin),
        https=settings.https,
    )


async def nothing_missing() -> dict[str, bool]:
    """A portal is ready once it answers: a page says by itself which service is missing."""
    return {}
