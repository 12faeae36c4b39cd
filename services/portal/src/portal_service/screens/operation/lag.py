"""処理の遅れ: how much waits in every outbox and inbox, and for how long, as it is now."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from portal_service.api_client import SERVICE_NAMES, ServiceUnavailable, client_of, or_missing
from portal_service.charts import lag_chart
from portal_service.rendering import render
from portal_service.service_api import operations
from shared.auth import Role, require

pages = APIRouter(prefix="/operation/lag", dependencies=[require(Role.OPERATOR)])


@pages.get("")
async def show_lag(request: Request) -> Response:
    """Each service by itself; the charts are refreshed every five seconds."""
    services = client_of(request)
    answers = await asyncio.gather(
        *(or_missing(operations.read_lag(services, service)) for service in SERVICE_NAMES)
    )
    shown = [
        (words, answer if isinstance(answer, ServiceUnavailable) else _drawn(answer.body))
        for words, answer in zip(SERVICE_NAMES.values(), answers, strict=True)
    ]
    return await render(request, "operation/lag.html", partial="figures", shown=shown)


def _drawn(lag: operations.LagHistory) -> dict[str, object]:
    """The present figures, and a chart of each lag: the age of the oldest that waits."""
    at = datetime.now(UTC)
    sent = [(_instant(sample), sample["outbox_age_s"]) for sample in lag["samples"]]
    processed = [(_instant(sample), sample["inbox_lag_s"]) for sample in lag["samples"]]
    charts = [
        ("送信の遅れ", lag_chart([*sent, (at, lag["now"]["outbox_age"])])),
        ("処理の遅れ", lag_chart([*processed, (at, lag["now"]["inbox_lag"])])),
    ]
    return {"now": lag["now"], "charts": charts}


def _instant(sample: operations.LagSample) -> datetime:
    return datetime.fromisoformat(sample["at"])
