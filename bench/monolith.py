"""The peer of `./dev bench portal`: the customer list as one application of one process.

What a good team would write without services: FastAPI, Jinja and asyncpg, the person in a signed
cookie, one query, our own template and our own rules for each row. It has no row-level security,
no audit, no traces, no menu by rights and no counts in the bar.
"""

import argparse
import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from types import SimpleNamespace
from typing import Annotated, Any

import asyncpg
import uvicorn
from fastapi import Cookie, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Template

from contracts_service.api.contracts import COLUMNS
from contracts_service.customer_list import ListedContract, row_of
from contracts_service.policy import Policy, ReflectedBy
from contracts_service.rules.inspection import DISCLAIMER
from contracts_service.rules.search_limit import SearchScreen, search_limit
from portal_service.menu import MENU
from portal_service.rendering import PageContext, page_templates
from portal_service.screens.contracts.customer_list import (
    COLOURS,
    DUE_STATES,
    INSPECTIONS,
    LEFT,
    STATUSES,
)
from shared.auth import Principal, Role
from shared.clock import JST

Choices = list[tuple[str, ...]]
Found = tuple[dict[str, Any], Choices, Choices, Choices]
KEY = secrets.token_bytes(32)
SELECT = """
    SELECT contract_no, version, product_code, final_on, selection, own_replacement,
        replacement_vehicle_code, replacement_other_text, completion_basis, customer_name,
        first_registered_month, model, registration_no, staff_code, contract.store_code,
        tfc_handled, transferred_in_on, pending_change_id, store.name AS store_name,
        EXISTS (SELECT FROM staff WHERE staff.dealer_id = $1 AND NOT staff.active
                AND staff.staff_code = contract.staff_code)
    FROM contract LEFT JOIN store USING (dealer_id, store_code)
    WHERE contract.dealer_id = $1 AND ($2::text IS NULL OR contract_no = $2)
        AND ($3::date IS NULL OR final_on <= $3)
    ORDER BY final_on, contract_no LIMIT 101
"""
TOTAL = """
    SELECT count(*) FROM contract
    WHERE dealer_id = $1 AND ($2::text IS NULL OR contract_no = $2)
        AND ($3::date IS NULL OR final_on <= $3)
"""


def signed(person: str) -> str:
    """A cookie that only this process can make."""
    body = base64.urlsafe_b64encode(person.encode()).decode()
    return f"{body}.{hmac.digest(KEY, body.encode(), hashlib.sha256).hex()}"


def person_in(cookie: str) -> str:
    """The person in a cookie. Raises HTTPException."""
    body, _, signature = cookie.partition(".")
    if not hmac.compare_digest(hmac.digest(KEY, body.encode(), hashlib.sha256).hex(), signature):
        raise HTTPException(401)
    return base64.urlsafe_b64decode(body).decode()


@dataclass
class Lists:
    """What one search finds, and the page that shows it."""

    pool: asyncpg.Pool
    template: Template
    policy: Policy = field(default_factory=lambda: Policy(reflection=ReflectedBy.SELF))

    async def found(self, dealer: str, contract_no: str | None, until: date | None) -> Found:
        """The hits with the choices of the search form."""
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(SELECT, dealer, contract_no, until)
            total = len(rows)
            if total > 100:
                total = await connection.fetchval(TOTAL, dealer, contract_no, until)
            vehicles = await connection.fetch("SELECT vehicle_code, name FROM vehicle")
            products = await connection.fetch("SELECT product_code, name FROM product")
            stores = await connection.fetch(
                "SELECT store_code, name FROM store WHERE dealer_id = $1 ORDER BY 1", dealer
            )
        limit = search_limit(total, role=Role.HQ, screen=SearchScreen.CUSTOMER_LIST)
        today = datetime.now(JST).date()
        shown = (ListedContract._make(row.values()) for row in rows[:100])
        listed = [asdict(row_of(one, today=today, policy=self.policy)) for one in shown]
        answer = {
            **asdict(limit), "columns": COLUMNS, "disclaimer": DISCLAIMER, "rows": listed,
        }  # fmt: skip
        vehicle, product, store = (
            [tuple(one) for one in rows] for rows in (vehicles, products, stores)
        )
        return answer, vehicle, product, store

    def page(self, user: str, query: dict[str, str], found: Found) -> str:
        """The HTML of the list."""
        answer, vehicles, products, stores = found
        who = Principal(user, user, user[:3], None, user, frozenset({Role.HQ}), None)
        frame = PageContext("base.html", who=who, roles="本部", menu=MENU, path="/contracts")
        return self.template.render(
            frame=frame, values=query, errors=(), mode="general", here=query,
            found=SimpleNamespace(body=answer), folded_to="検索" if answer["rows"] else "",
            vehicles=vehicles, products=products,
            stores=stores, due_states=DUE_STATES, statuses=STATUSES, colours=COLOURS, left=LEFT,
            inspections=INSPECTIONS,
        )  # fmt: skip


def application(database_url: str) -> FastAPI:
    """The application; `database_url` is that of the contracts."""
    templates = page_templates()
    templates.globals |= {"mail_sender": "", "expense_mail_sender": ""}
    template = templates.get_template("contracts/list.html")
    lists: list[Lists] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        every_dealer = {"app.dealer": "*"}
        async with asyncpg.create_pool(database_url, server_settings=every_dealer) as pool:
            lists.append(Lists(pool, template))
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/login")
    async def login(person: str) -> HTMLResponse:
        answer = HTMLResponse("")
        answer.set_cookie("person", signed(person))
        return answer

    @app.get("/contracts")
    async def show_list(
        request: Request,
        person: Annotated[str, Cookie()],
        contract_no: str | None = None,
        final_to: str | None = None,
    ) -> HTMLResponse:
        user = person_in(person)
        until = date.fromisoformat(f"{final_to}-28") if final_to else None
        found = await lists[0].found(user.partition("-")[0], contract_no, until)
        return HTMLResponse(lists[0].page(user, dict(request.query_params), found))

    return app


def main() -> None:
    """Serve on a port of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    asked = parser.parse_args()
    uvicorn.run(application(asked.database), port=asked.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
