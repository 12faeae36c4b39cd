"""One return, from click to mail, on the product as it is started: whichever way events travel."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from shared.clock import JST
from tests.product import Product, eventually, returnable_contract, running

YAMADA, SATO, TANAKA, TFC = "D01-E101", "D01-M100", "D01-H001", "T001"


@pytest.fixture(params=["embedded", "rabbitmq", "processes"])
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    flags: list[str] = []
    if request.param != "embedded":
        url = request.getfixturevalue("rabbitmq_url")
        topology = request.getfixturevalue("topology")
        flags = ["--rabbitmq", url, "--event-prefix", topology.prefix]
    if request.param == "processes":
        flags.append("--processes")
    with running(*flags) as started:
        yield started


def step(http: httpx.Client, application_id: str, action: str, **body: Any) -> str:
    shown = http.get(f"/returns/v1/applications/{application_id}").raise_for_status()
    answer = http.post(
        f"/returns/v1/applications/{application_id}/{action}",
        json=body,
        headers={"If-Match": shown.headers["etag"]},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"]["label"])


def completed_mark(http: httpx.Client, contract_no: str) -> str:
    params = {"mode": "individual", "contract_no": contract_no}
    [row] = http.get("/contracts/v1/contracts", params=params).raise_for_status().json()["rows"]
    return str(row["completed_mark"])


def test_a_returned_car_from_report_to_completion_mail(product: Product) -> None:
    yamada, sato = product.as_person(YAMADA), product.as_person(SATO)
    tanaka, tfc = product.as_person(TANAKA), product.as_person(TFC)
    contract_no = returnable_contract(yamada)
    assert completed_mark(yamada, contract_no) == ""

    report = {
        "contract_no": contract_no,
        "kind": "RETURNED",
        "received_on": f"{datetime.now(JST):%Y-%m-%d}",
        "contact_3": "yamada@d01.example.jp",
    }
    key = {"Idempotency-Key": secrets.token_hex(8)}
    sent = yamada.post("/returns/v1/applications", json=report, headers=key)
    assert sent.status_code == 201, sent.text
    again = yamada.post("/returns/v1/applications", json=report, headers=key)
    application = sent.json()["application_id"]
    assert again.json()["application_id"] == application
    assert sent.json()["status"]["label"] == "店舗承認者手続中"

    assert (
        step(sato, application, "approval", contact_3="sato@d01.example.jp") == "本部承認者手続中"
    )
    assert step(tanaka, application, "approval") == "依頼中"
    assert step(tfc, application, "acceptance") == "TFC対応中（取下げ・訂正NG）"
    assert step(tfc, application, "completion") == "完了"

    eventually(lambda: completed_mark(yamada, contract_no), lambda mark: mark == "完了")
    everybody = {"yamada@d01.example.jp", "sato@d01.example.jp", "h001@d01.example.jp"}
    eventually(
        lambda: {to for to, subject in product.completion_mails() if contract_no in subject},
        lambda addresses: addresses == everybody,
    )
