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
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import asyncpg
import uvicorn
from fastapi import Cookie, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse

from contracts_service.api.contracts import COLUMNS
from contracts_service.customer_list import ListedContract, row_of
from contracts_service.policy import Policy, ReflectedBy
from contracts_service.rules.inspection import DISCLAIMER
from contracts_service.rules.search_limit import SearchScreen, search_limit
from portal_service.menu import MENU
from portal_service.rendering import PageContext, page_templates
from portal_service.screens.contracts.customer_list import COLOURS, INSPECTIONS, STATUSES
from shared.auth import Principal, Role
from shared.clock import JST

KEY = secrets.token_bytes(32)
SELECT = """
    SELECT contract_no, version, product_code, final_on, selection, own_replacement,
        replacement_vehicle_code, replacement_other_text, completion_basis, customer_name,
        first_registered_month, model, registration_no, staff_code, contract.store_code,
        tfc_handled, transferred_in_on, pending_change_id, store.name AS store_name
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


def application(database_url: str) -> FastAPI:
    """The application; `database_url` is that of the contracts."""
    state: dict[str, asyncpg.Pool] = {}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            database_url, min_size=1, max_size=10, server_settings={"app.dealer": "*"}
        ) as pool:
            state["pool"] = pool
            yield

    app = FastAPI(lifespan=lifespan)
    templates = page_templates()
    templates.globals |= {"mail_sender": "", "expense_mail_sender": ""}
    list_template = templates.get_template("contracts/list.html")
    policy = Policy(reflection=ReflectedBy.SELF)

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
        dealer = user.partition("-")[0]
        until = date.fromisoformat(f"{final_to}-28") if final_to else None
        today = datetime.now(JST).date()
        async with state["pool"].acquire() as connection:
            rows = await connection.fetch(SELECT, dealer, contract_no, until)
            total = len(rows)
            if total > 100:
                total = await connection.fetchval(TOTAL, dealer, contract_no, until)
            vehicles = await connection.fetch("SELECT vehicle_code, name FROM vehicle")
            products = await connection.fetch("SELECT product_code, name FROM product")
        limit = search_limit(total, role=Role.HQ, screen=SearchScreen.CUSTOMER_LIST)
        shown = (ListedContract._make(row.values()) for row in rows[:100])
        who = Principal(user, user, dealer, None, user, frozenset({Role.HQ}), None)
        found = {
            **asdict(limit), "columns": COLUMNS, "disclaimer": DISCLAIMER,
            "rows": [asdict(row_of(one, today=today, policy=policy)) for one in shown],
        }  # fmt: skip
        frame = PageContext("base.html", who=who, roles="本部", menu=MENU, path="/contracts")
        html = list_template.render(
            frame=frame, values=dict(request.query_params), errors=(), mode="general",
            found=found, here=dict(request.query_params), folded_to="検索" if rows else "",
            vehicles=[tuple(one) for one in vehicles], products=[tuple(one) for one in products],
            statuses=STATUSES, colours=COLOURS, inspections=INSPECTIONS,
        )  # fmt: skip
        return HTMLResponse(html)

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
