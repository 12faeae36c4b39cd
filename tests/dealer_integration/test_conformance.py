"""Conformance command: accepts the real service, and detects deviations from the documentation."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from typer.testing import CliRunner, Result

from event_contracts.dealer import DealerEvent
from event_contracts.sender_schema import DEALER_EVENTS as TYPES
from madoguchi.cli.interface_conformance_cases import cases, fresh
from madoguchi.cli.main import main
from tests.portal.conftest import serving

from .conftest import DealerApi


async def conformance(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["conformance", *words])


async def test_the_real_service_conforms(dealer_api: DealerApi) -> None:
    asked = ("--url", dealer_api.url, "--key", dealer_api.key, "--dealer", "D01")
    result = await conformance(*asked, "--english")
    count = len(list(cases("D01", datetime.now(UTC))))
    assert result.exit_code == 0, result.output
    assert f"{count} / {count} as documented" in result.output
    published = {row[0] for row in await dealer_api.rows("SELECT DISTINCT type FROM outbox")}
    assert published == set(TYPES) == {e.wire_type for e in all_dealer_events()}
    assert "文書のとおり" in (await conformance(*asked)).output


def all_dealer_events() -> list[type[DealerEvent]]:
    children = DealerEvent.__subclasses__()
    grandchildren = [inner for child in children for inner in child.__subclasses__()]
    return [e for e in [*children, *grandchildren] if "wire_type" in vars(e)]


async def test_a_service_that_accepts_everything_fails() -> None:
    def credulous(_url: str) -> FastAPI:
        app = FastAPI()

        @app.post("/api/interchange/v1/dealers/{dealer}/events")
        async def take(dealer: str) -> JSONResponse:
            return JSONResponse({"message_id": dealer, "repeated": False}, 202)

        return app

    with serving(credulous) as url:
        result = await conformance("--url", url, "--key", "mdk_a_b", "--dealer", "D01")
    assert result.exit_code == 1
    assert "NG" in result.output


DATA = {"dealer_id": "D01", "source_id": "R-1", "received_on": "2025-07-14"}


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({}, 0, "dealer.vehicle_returned.v1 D01-"),
        ({"specversion": "0.3"}, 1, "NOT_A_CLOUD_EVENT"),
        ({"time": "2020-01-01T00:00:00Z"}, 1, "TIME_TOO_OLD: time（発生日時）が古すぎます。"),
        ({"time": "2026-01-01T00:00:00"}, 1, "time: 時差つきの RFC 3339"),
        ({"data": {**DATA, "contractNo": "1"}}, 0, "注意 data.contractNo: 未知の項目"),
        ({"data": {**DATA, "odometer_km": True}}, 1, "data.odometer_km: 0～9999999の整数"),
        ({"type": "dealer.nothing.v1"}, 1, "TYPE_NOT_ALLOWED"),
        ({"data": {"dealer_id": "D01"}}, 1, "PAYLOAD_DOES_NOT_FIT"),
    ],
)
async def test_a_message_from_a_file_is_checked_offline(
    tmp_path: Path, changes: dict[str, object], code: int, words: str
) -> None:
    good = fresh("dealer.vehicle_returned.v1", "D01", datetime.now(UTC)).structured()
    file = tmp_path / "message.json"
    file.write_text(json.dumps(json.loads(good) | changes), encoding="utf-8")
    result = await conformance("--check", str(file))
    assert (result.exit_code, words in result.output) == (code, True), result.output


async def test_a_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "message.json"
    file.write_bytes(b"\xff\xfe not json")
    result = await conformance("--check", str(file), "--english")
    assert (result.exit_code, "refused: NOT_A_CLOUD_EVENT" in result.output) == (1, True)
