"""Sandbox of a dealer's developer: the first message, its verdict, and the answers of TFC."""

import os
import re
import subprocess
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from shared.clock import SystemClock
from tests.running_product import Product, eventually, running


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running(sandbox=True) as started:
        yield started


@pytest.fixture(scope="module")
def environment(product: Product) -> dict[str, str]:
    """The variables that the command prints to be pasted."""
    printed = (product.data / "log.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"(MADOGUCHI_\w+)=(\S+)", printed))


def page(product: Product) -> str:
    answer = httpx.get(f"{product.url}/sandbox/", timeout=30).raise_for_status()
    assert answer.headers["refresh"] == "3"
    return unescape(answer.text)


def press(product: Product, **fields: str) -> httpx.Response:
    """Press a button of the page."""
    return httpx.post(f"{product.url}/sandbox/", data=fields, timeout=60)


def send(environment: dict[str, str], **changes: object) -> httpx.Response:
    dealer = environment["MADOGUCHI_DEALER"]
    event = {
        "specversion": "1.0",
        "id": "s-1",
        "source": f"/dealers/{dealer}/dms",
        "type": "dealer.vehicle_returned.v1",
        "time": SystemClock().now().isoformat(),
        "data": {"dealer_id": dealer, "source_id": "S-1", "received_on": "2025-07-14"},
    }
    return httpx.post(
        f"{environment['MADOGUCHI_URL']}/api/interchange/v1/dealers/{dealer}/events",
        json=event | changes,
        headers={
            "authorization": f"Bearer {environment['MADOGUCHI_KEY']}",
            "content-type": "application/cloudevents+json",
        },
        timeout=30,
    )


def test_the_printed_command_sends_a_first_message_that_appears_with_its_effects(
    product: Product,
) -> None:
    found = re.search(r'<pre class="letter">(curl .*?)</pre>', page(product), re.DOTALL)
    assert found
    done = subprocess.run(
        ["sh", "-c", found[1]], capture_output=True, text=True, check=False, timeout=60
    )
    assert '"repeated":false' in done.stdout, done.stdout + done.stderr
    shown = eventually(lambda: page(product), lambda html: "returns: 処理済み" in html)
    assert "dealer.vehicle_returned.v1" in shown
    assert "contracts: 処理済み" in shown
    assert "起票画面に下書きができます。" in shown


def test_a_refused_message_appears_with_what_was_expected(
    product: Product, environment: dict[str, str]
) -> None:
    answer = send(environment, time="2025-07-14T16:20:00")
    assert (answer.status_code, answer.json()["code"]) == (422, "TIME_MISSING")
    explained = httpx.get(answer.json()["documentation"], timeout=30)
    assert 'id="TIME_MISSING"' in explained.text
    shown = page(product)
    assert "<strong>TIME_MISSING</strong>" in shown
    assert "時差つきの RFC 3339" in shown


def test_an_unknown_contract_is_said_so_on_the_page(
    product: Product, environment: dict[str, str]
) -> None:
    dealer = environment["MADOGUCHI_DEALER"]
    data = {"dealer_id": dealer, "contract_no": "0000000000"}
    for number in (1, 2):  # the second waits for the first
        kind = "dealer.customer_change_started.v1"
        answer = send(environment, id=f"unknown-{number}", type=kind, data=data)
        assert answer.status_code == 202, answer.text
    said = "contracts: 契約が見つかりません"
    eventually(lambda: page(product).count(said), lambda found: found == 2)


def test_the_printed_variables_run_the_example(environment: dict[str, str]) -> None:
    assert environment.keys() == {"MADOGUCHI_URL", "MADOGUCHI_DEALER", "MADOGUCHI_KEY"}
    done = subprocess.run(
        ["sh", "docs/integration/publish.sh", "S-2"],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert '"message_id":"returned-S-2"' in done.stdout, done.stdout + done.stderr


def test_store_headquarters_and_tfc_answer_when_asked(product: Product) -> None:
    [contract_no, *_] = re.findall(r'name="contract_no" value="([^"]+)"', page(product))
    assert press(product, contract_no=contract_no).status_code == 303
    shown = page(product)
    row = rf"<td[^>]*>(RA-\d+)</td>\s*<td[^>]*>{contract_no}</td>\s*<td[^>]*>([^<]+)</td>"
    found = re.search(row, shown)
    assert found
    application_id, seen = found[1], [found[2]]
    for step in ("remand", "withdraw"):
        assert press(product, application_id=application_id, step=step).status_code == 303
    assert press(product, contract_no=contract_no).status_code == 303
    found = re.search(row, page(product))
    assert found
    application_id, seen = found[1], [found[2]]
    for step in ("approve", "approve", "accept", "complete"):
        pressed = press(product, application_id=application_id, step=step)
        assert pressed.status_code == 303, pressed.text
        status = re.search(row.replace(r"(RA-\d+)", f"({application_id})"), page(product))
        assert status
        seen.append(status[2])
    assert seen == [
        "店舗承認者手続中", "本部承認者手続中", "依頼中", "TFC対応中（取下げ・訂正NG）", "完了",
    ]  # fmt: skip
    again = press(product, application_id=application_id, step="complete")
    assert again.status_code == 422
    elsewhere = httpx.post(
        f"{product.url}/sandbox/",
        data={"contract_no": contract_no},
        headers={"origin": "https://evil.example"},
    )
    assert elsewhere.status_code == 403


def test_the_key_survives_a_restart(product: Product, environment: dict[str, str]) -> None:
    product.stop()
    product.start()
    assert environment["MADOGUCHI_KEY"] in page(product)
    assert send(environment).json()["repeated"] is False
    assert send(environment).json()["repeated"] is True


def test_a_sandbox_with_new_data_prints_a_key_that_is_trusted(
    product: Product, environment: dict[str, str]
) -> None:
    product.stop()
    product.command = [*product.command, "--fresh"]
    product.start()
    printed = (product.data / "log.txt").read_text(encoding="utf-8")
    now = dict(re.findall(r"(MADOGUCHI_\w+)=(\S+)", printed))
    assert now["MADOGUCHI_KEY"] != environment["MADOGUCHI_KEY"]
    assert now["MADOGUCHI_KEY"] in page(product)
    assert send(now).status_code == 202
    assert send(environment).json()["code"] == "KEY_NOT_TRUSTED"
