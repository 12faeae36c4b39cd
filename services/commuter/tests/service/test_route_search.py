"""乗換案内 by HTTP asks the source that the settings name, and no other."""

import httpx
import pytest

from commuter_service import app
from shared.main import api_of, settings_of
from shared.testing.static_keys import StaticKeys
from shared.tokens import TokenVerifier, principal_of

from .conftest import BASE, ISSUER, KEYS, TARO, CommuterApi, refused, signed

ASKED = {"start": "東京", "end": "新宿", "on": "2026/04/01"}


@pytest.mark.parametrize("source", ["own", "ekispert"])
async def test_the_settings_name_the_source(
    commuter_api: CommuterApi, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("COMMUTER_LOOK_UP_SOURCE", source)
    monkeypatch.setenv("COMMUTER_LOOK_UP_EKISPERT_KEY", "k")
    monkeypatch.setenv("COMMUTER_LOOK_UP_EKISPERT_URL", "http://127.0.0.1:9")  # nobody there
    given = {"database_url": "", "rabbitmq_url": "", "issuer": ISSUER, "jwks_url": ""}
    verifier = TokenVerifier(StaticKeys(KEYS), issuer=ISSUER, audience="madoguchi")
    api = api_of(
        app,
        settings_of(app, **given),
        database=commuter_api.database,
        clock=commuter_api.clock,
        principal_of=principal_of(verifier),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://c") as http:
        headers = {"Authorization": f"Bearer {signed(TARO)}"}
        answer = await http.post(f"{BASE}/look-ups", json=ASKED, headers=headers)
    if source == "own":
        assert 209 in [one["charged_yen"] for one in answer.json()["items"]]
    else:
        refused(answer, 503, "LOOK_UP_UNAVAILABLE")


async def test_every_refused_name_is_told_by_its_field(commuter_api: CommuterApi) -> None:
    wrong = ASKED | {"start": "shinjuk", "via": ["新宿", "小川町"], "end": "大阪"}
    answer = await commuter_api.request(TARO, "POST", "/look-ups", wrong)
    problem = refused(answer, 422, "STATIONS_REFUSED")
    assert [(one["field"], one["code"]) for one in problem["errors"]] == [
        ("start", "UNKNOWN_STATION"),
        ("via.1", "AMBIGUOUS_STATION"),
        ("end", "STATION_OUTSIDE_AREA"),
    ]
    assert "新宿" in problem["facts"]["start"]
    assert "小川町(都営)" in problem["facts"]["via.1"]
    alone = await commuter_api.request(TARO, "POST", "/look-ups", ASKED | {"end": "大阪"})
    refused(alone, 422, "STATION_OUTSIDE_AREA")
