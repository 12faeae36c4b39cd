"""Unavailable service: every page names the missing part and shows the others."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

import httpx
import pytest
from fastapi import FastAPI, Response
from playwright.sync_api import Browser

from portal_service.api_client import SERVICE_NAMES
from portal_service.app import create_app
from portal_service.encrypted_cookies import CookieCipher
from portal_service.session import Session
from portal_service.settings import PortalSettings
from shared.testing.servers import PLAIN
from tests.portal.conftest import SECRET, serving
from tests.running_product import Product
from tools.screens import ROLES, found_names, sign_in

OF_THE_PART = {
    "contracts": r"/contracts/[^/]+(/(result|payoff|resplit|assignment))?|/tfc/masters/.+",
    "returns": r"/contracts/[^/]+/return.*|/returns/(?!approvals).+|/approval-flow|/substitutes"
    r"|/operation/dead-letters/returns/.+",
    "commuter": r"/commuter/.+",
    "notifier": r"/operation/mails/.+",
    "interchange": r"/operation/(dealers|dealer-messages)(/.+)?",
}
"""Pages of a single record of that service: without it they are empty."""
NAMES_IT = (
    "<strong>{}の情報を表示できません",
    "つながらない機能：<strong>{}<",
    "<strong>つながらない機能があります：{}。",
)


@dataclass
class Portal:
    """A second portal for which one service always answers 503."""

    url: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def visits(furnished: Product, browser: Browser) -> dict[str, str]:
    """By page path, a session of the first person who has the page."""
    listed: dict[str, str] = {}
    for user_id, screens in ROLES.values():
        context = browser.new_context(locale="ja-JP", base_url=furnished.url)
        page = context.new_page()
        sign_in(page, user_id)
        names = found_names(page)
        context.close()
        token = furnished.as_person(user_id).headers["authorization"].removeprefix("Bearer ")
        content = asdict(Session(token, user_id, "a form token"))
        session = CookieCipher(SECRET).encrypt("session", content, lasts_s=3600)
        for path in (screen.path.format_map(names) for screen in screens):
            if "-nothing-" not in path and path not in {"/clock/", "/mailbox/", "/styleguide"}:
                listed.setdefault(path, session)
    return listed


@pytest.fixture
def portal(furnished: Product, service: str) -> Iterator[Portal]:
    made = Portal("")
    silent = FastAPI()

    @silent.get("/{path:path}")
    async def say_nothing(path: str) -> Response:
        made.asked.append(path)
        return Response(status_code=503)

    with ExitStack() as stack:
        nobody = stack.enter_context(serving(lambda _: silent))
        places = dict.fromkeys([f"{name}_url" for name in SERVICE_NAMES], furnished.url)

        def portal_at(url: str) -> FastAPI:
            return create_app(
                PortalSettings.model_validate(
                    {
                        "public_url": url,
                        "session_secret": SECRET,
                        "mail_sender": "desk@example.jp",
                        "oidc_issuer": f"{furnished.url}/issuer",
                        **places,
                        f"{service}_url": nobody,
                        "embedded": True,
                        "upstream_timeout_s": 30,
                        "work_wait_s": 30,
                    }
                )
            )

        made.url = stack.enter_context(serving(portal_at))
        yield made


@pytest.mark.parametrize("service", SERVICE_NAMES)
def test_every_page_names_the_part_that_is_missing(
    visits: dict[str, str], portal: Portal, service: str
) -> None:
    faults = []
    with httpx.Client(base_url=portal.url, timeout=60, verify=PLAIN) as http:
        for path, session in visits.items():
            portal.asked.clear()
            http.cookies.clear()
            answer = http.get(path, headers={"cookie": f"madoguchi_session={session}"})
            fell = answer.status_code == 503
            named = any(words.format(SERVICE_NAMES[service]) in answer.text for words in NAMES_IT)
            if answer.status_code not in {200, 404, 503} or named != bool(portal.asked):
                faults.append((path, answer.status_code, named, portal.asked[:]))
            elif fell and not re.fullmatch(OF_THE_PART[service], path.partition("?")[0]):
                faults.append((path, answer.status_code, named, ["nothing else is shown"]))
    assert faults == []
