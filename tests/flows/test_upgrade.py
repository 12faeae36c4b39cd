"""Upgrade: data of an earlier revision is migrated at the start, and work on it continues.

`backup-04759df` was made by `madoguchi backup` of that revision, from its demo data and three
return applications: one completed, one approved by the store, one remanded to its originator.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running_product import Product, completed_mark, eventually, running, step

YAMADA, SATO, TANAKA, TFC = "D01-E101", "D01-M100", "D01-H001", "T001"
OLD = Path(__file__).parent / "backup-04759df"
COMPLETED, AT_HEADQUARTERS, REMANDED = "RA-00000001", "RA-00000002", "RA-00000003"


@pytest.fixture(scope="module")
def upgraded() -> Iterator[Product]:
    with running(backup=OLD) as product:
        yield product


def status_of(http: httpx.Client, application_id: str) -> str:
    shown = http.get(f"/returns/v1/applications/{application_id}").raise_for_status()
    return str(shown.json()["status"]["label"])


def test_what_was_done_before_is_still_there(upgraded: Product) -> None:
    yamada = upgraded.as_person(YAMADA)
    assert completed_mark(yamada, "230010000502") == "完了"
    assert status_of(yamada, COMPLETED) == "完了"
    assert status_of(yamada, REMANDED) == "担当者手続中（差戻）"
    [remanded] = yamada.get("/returns/v1/work").raise_for_status().json()["remanded"]
    assert (remanded["comment"], remanded["by"]) == ("受領日をご確認ください。", "佐藤 誠")


def test_an_application_of_before_goes_on_to_its_completion(upgraded: Product) -> None:
    tanaka, tfc = upgraded.as_person(TANAKA), upgraded.as_person(TFC)
    assert step(tanaka, AT_HEADQUARTERS, "approval") == "依頼中"
    step(tfc, AT_HEADQUARTERS, "acceptance")
    assert step(tfc, AT_HEADQUARTERS, "completion") == "完了"
    yamada = upgraded.as_person(YAMADA)
    eventually(lambda: completed_mark(yamada, "230010000555"), lambda mark: mark == "完了")


def test_every_service_lists_what_waits(upgraded: Product) -> None:
    sato = upgraded.as_person(SATO)
    for service in ("contracts", "returns", "commuter"):
        assert sato.get(f"/{service}/v1/work").raise_for_status().json()["counts"]
