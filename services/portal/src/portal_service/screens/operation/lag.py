"""処理の遅れ: how much waits in every outbox and inbox, and for how long, as it is now."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from portal_service.api_client import SERVICE_NAMES, ServiceUnavailable, client_of, or_missing
from portal_service.charts import LineChart, lag_chart
from portal_service.rendering import render
from shared.auth import Role, require

pages = APIRouter(prefix="/operation/lag", dependencies=[require(Role.OPERATOR)])

LAGS = (("outbox_age_s", "outbox_age", "送信の遅れ"), ("inbox_lag_s", "inbox_lag", "処理の遅れ"))
"""The name of each lag in the samples and in `now`, and its words: the age of the oldest."""


@pages.get("")
async def show_lag(request: Request) -> Response:
    """Each service by itself; the charts are drawn anew every five seconds."""
    services = client_of(request)
    answers = await asyncio.gather(
        *(or_missing(services.get(service, "/operations/lag")) for service in SERVICE_NAMES)
    )
    shown = [
        (words, answer if isinstance(answer, ServiceUnavailable) else _drawn(answer.body))
        for words, answer in zip(SERVICE_NAMES.values(), answers, strict=True)
    ]
    return await render(request, "operation/lag.html", partial="figures", shown=shown)


def _drawn(lag: Mapping[str, Any]) -> dict[str, Any]:
    """The present figures, and a chart of each lag."""
    now = {sampled: lag["now"][measured] for sampled, measured, _ in LAGS}
    points = [*lag["samples"], {**now, "at": datetime.now(UTC).isoformat()}]
    charts: list[tuple[str, LineChart]] = [
        (words, lag_chart([(datetime.fromisoformat(p["at"]), p[name]) for p in points]))
        for name, _, words in LAGS
    ]
    return {"now": lag["now"], "charts": charts}
