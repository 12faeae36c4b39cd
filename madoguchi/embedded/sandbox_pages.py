"""Sandbox page: what a dealer's developer sees while they send, without a login."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from madoguchi.embedded.sandbox import Sandbox
from shared.auth import public
from shared.clock import jst_day
from shared.errors import FormErrors, Refusal
from shared.trace_context import new_id

REFRESH_S = 3


def sandbox_router(sandbox: Sandbox, url: str, show: Callable[..., HTMLResponse]) -> APIRouter:
    """`/sandbox/`: shows messages and applications, and takes steps."""
    pages = APIRouter(prefix="/sandbox", dependencies=[public()])

    async def face(complaint: str = "", status: int = 200) -> Response:
        contracts = await sandbox.contracts()
        answer = show(
            "sandbox.html",
            status,
            complaint=complaint,
            sandbox=sandbox,
            url=url,
            command=first_command(sandbox, url, contracts),
            messages=await sandbox.messages(),
            applications=await sandbox.applications(),
            contracts=contracts,
        )
        if not complaint:  # a page with a complaint stays until it is read
            answer.headers["Refresh"] = str(REFRESH_S)
        return answer

    @pages.get("/")
    async def look() -> Response:
        return await face()

    @pages.post("/")
    async def act(request: Request) -> Response:
        origin = urlsplit(request.headers.get("origin", "")).netloc
        if origin and origin != request.headers.get("host"):
            return await face("別のサイトからは操作できません。", 403)
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            await _take(sandbox, form)
        except FormErrors as refusal:
            return await face("".join(field.message for field in refusal.fields), 422)
        except Refusal as refusal:
            return await face(refusal.message, 422)
        return RedirectResponse("/sandbox/", 303)

    return pages


async def _take(sandbox: Sandbox, form: Mapping[str, str]) -> None:
    """Do what a button says. Raises a refusal."""
    if contract_no := form.get("contract_no"):
        await sandbox.submit(contract_no)
    else:
        await sandbox.take(form.get("application_id", ""), form.get("step", ""))


def first_command(sandbox: Sandbox, url: str, contracts: list[str]) -> str:
    """A command that sends a valid event; its time is made when it is run."""
    dealer = sandbox.dealer.code
    data: dict[str, object] = {
        "dealer_id": dealer,
        "source_id": f"R-{new_id().hex[-6:]}",
        "received_on": jst_day(sandbox.clock.now()).isoformat(),
    }
    if contracts:
        data["contract_no"] = contracts[0]
    return "\n".join([
        f"curl {url}/api/interchange/v1/dealers/{dealer}/events \\",
        f"  -H 'Authorization: Bearer {sandbox.key}' \\",
        "  -H 'Content-Type: application/json' -H 'Accept-Language: en' \\",
        "  -H 'ce-specversion: 1.0' -H 'ce-type: dealer.vehicle_returned.v1' \\",
        f"  -H 'ce-id: {data['source_id']}' -H 'ce-source: /dealers/{dealer}/dms' \\",
        '  -H "ce-time: $(date -u +%Y-%m-%dT%H:%M:%SZ)" \\',
        f"  -d '{json.dumps(data)}'",
    ])  # fmt: skip
