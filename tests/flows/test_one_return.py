"""One return through HTTP on the started product, over each event transport."""

import re
import secrets
from collections.abc import Iterator
from datetime import datetime

import httpx
import psutil
import pytest

from madoguchi.services import SERVICES
from shared.clock import JST
from tests.running_product import (
    Product,
    completed_mark,
    eventually,
    returnable_contract,
    running,
    step,
)

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
    with running(*flags, first_start=request.param == "processes") as started:
        children = psutil.Process(started.process.pid).children(recursive=True)
        yield started
        if request.param == "processes":
            started.stop()
            assert len(children) > 2 * len(SERVICES)
            eventually(lambda: list(filter(is_alive, children)), lambda alive: alive == [], 5)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie counts as ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def people_in(http: httpx.Client, contract_no: str) -> set[str]:
    """The customer's data, and the mail addresses of the people involved."""
    shown = http.get(f"/contracts/v1/contracts/{contract_no}").raise_for_status().json()
    own = re.compile(r"customer\.(name|name_kana|address|phone)$")
    customer = {value for key, value in texts_of(shown) if own.search(key)}
    assert len(customer) > 2, shown
    return customer | {"@d01.example.jp"}


def texts_of(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts_of(one, f"{key}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from texts_of(one, key)
    elif isinstance(value, str) and value:
        yield key, value


def assert_log_lines_have_ids_and_no_personal_data(log: str, people: set[str]) -> None:
    """Every log line of a request, an event or a mail has its ids, and no personal data."""
    assert [name for name in people if name in log] == []
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in log.splitlines()]
    seen = {"request": {"correlation_id"}, "mail": {"event_id"}}
    for event, ids in seen.items():
        pattern = re.compile(rf'\] {event} +\w|"event": ?"{event}"')
        of_event = [line for line in lines if pattern.search(line)]
        assert of_event, event
        for line in of_event:
            assert all(name in line for name in (*ids, "trace_id")), line
    assert any("portal" in line for line in lines if "request" in line)


def test_a_returned_car_from_report_to_completion_mail(product: Product) -> None:
    yamada, sato = product.as_person(YAMADA), product.as_person(SATO)
    tanaka, tfc = product.as_person(TANAKA), product.as_person(TFC)
    contract_no = returnable_contract(yamada)
    people = people_in(yamada, contract_no)
    for name in people:
        asked = {"mode": "individual", "customer_name": name}
        yamada.get("/contracts/v1/contracts", params=asked)
        httpx.get(f"{product.url}/contracts", params=asked)
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
    assert_log_lines_have_ids_and_no_personal_data((product.data / "log.txt").read_text(), people)
