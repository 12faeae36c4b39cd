"""OpenAPI fuzzing: no request that a document allows, or nearly allows, makes a service fail.

Every operation of the running product is called as every role, with input that its document
describes and with other input: no response is a server error, each has a status, type and shape
that the document declares, and each refusal is a problem with a stable code.
"""

import importlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.auth import Principal
from shared.clock import SystemClock
from shared.db import Database
from tests.running_product import Product, eventually, returnable_contract, running

SERVICES = ("returns", "contracts", "notifier", "commuter", "interchange")
"""The services under test, by name."""
PEOPLE = ("D01-E101", "D01-M100", "D01-H001", "D02-H001", "T001", "O001", "D01-A001")
REQUESTS, MANY_REQUESTS = 4, 60
"""Requests to each operation: in the suite, and with `--long`."""
AnyCase = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


async def nobody(_: object) -> Principal:
    raise AssertionError("no user is expected here")


@cache
def app_of(service: str) -> FastAPI:
    app: FastAPI = importlib.import_module(f"{service}_service.app").create_app(
        Database("postgresql://nowhere/none"), SystemClock(), nobody
    )
    return app


@cache
def routes() -> list[Any]:
    """Service, method and path of every operation; a document is made where one is tried."""
    return [
        pytest.param((service, method, route.path_format), id=f"{method} {route.path_format}")
        for service in SERVICES
        for route in iter_route_contexts(app_of(service).routes)
        if isinstance(route.original_route, APIRoute) and route.include_in_schema
        for method in sorted(route.methods or ())
    ]


@cache
def operations_of(service: str) -> dict[tuple[str, str, str], Operation]:
    """Every operation of a service's document."""
    found = {}
    for result in schemathesis.openapi.from_dict(app_of(service).openapi()).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        found[service, operation.method.upper(), operation.path] = operation
    return found


@pytest.fixture
def operation(route: tuple[str, str, str]) -> Operation:
    return operations_of(route[0])[route]


def test_every_documented_operation_is_tried() -> None:
    tried = {one.values[0] for one in routes()}
    assert tried == {key for service in SERVICES for key in operations_of(service)}


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """One client: each reads the certificates of every authority, and keeps its connections."""
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def tokens(product: Product) -> list[str]:
    """The Authorization header of each role, and of a service."""
    found = [product.as_person(who).headers["authorization"] for who in PEOPLE]
    secret = json.loads((product.data / "secrets.json").read_text())["client-notifier"]
    asked = {
        "grant_type": "client_credentials",
        "client_id": "madoguchi-notifier",
        "client_secret": secret,
    }
    answer = httpx.post(f"{product.url}/issuer/token", data=asked, timeout=60).raise_for_status()
    return [*found, f"Bearer {answer.json()['access_token']}"]


@pytest.fixture(scope="module")
def known(product: Product) -> dict[str, list[str]]:
    """Existing values by name of a path or field, so that requests get beyond 404."""
    http = product.as_person("D01-E101")
    contract_no = eventually(lambda: returnable_contract(http), bool)
    body = {"contract_no": contract_no, "kind": "RETURNED", "received_on": "2025-07-01"}
    sent = http.post("/returns/v1/applications", json=body).raise_for_status().json()
    slips = http.get("/commuter/v1/slips").raise_for_status().json()["items"]
    passes = http.get("/commuter/v1/my-passes").raise_for_status().json()["items"]
    return {
        "contract_no": [contract_no],
        "application_id": [sent["application_id"]],
        "slip_id": [slip["slip_id"] for slip in slips],
        "pass_id": [one["pass_id"] for one in passes],
        "employee_id": ["D01-E101", "D01-E201"],
        "route": [passes[0]["route"], "東京:バス:新宿"],
    }


def requests_of(operation: Operation) -> st.SearchStrategy[AnyCase]:
    """Requests that the document describes, and requests that it does not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])


@pytest.mark.parametrize("route", routes())
def test_every_response_is_declared_in_the_document(
    operation: Operation,
    product: Product,
    tokens: list[str],
    known: dict[str, list[str]],
    long: bool,
) -> None:
    with requests.Session() as session:

        @settings(
            max_examples=MANY_REQUESTS if long else REQUESTS,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=requests_of(operation), data=st.data())
        def ask(case: AnyCase, data: st.DataObject) -> None:
            parts: tuple[object, ...] = (case.path_parameters, case.body)
            for taken in [part for part in parts if isinstance(part, dict)]:
                for name in sorted(taken.keys() & known.keys()):
                    if data.draw(st.booleans()):
                        taken[name] = data.draw(st.sampled_from(known[name]))
            headers = {"Authorization": data.draw(st.sampled_from(tokens))}
            if data.draw(st.booleans()):
                headers["If-Match"] = '"1"'
            case.call_and_validate(
                product.url, session=session, headers=headers, checks=CHECKS, timeout=60
            )

        ask()


@pytest.mark.parametrize("route", routes())
def test_a_file_where_json_is_expected_is_refused(
    operation: Operation,
    product: Product,
    tokens: list[str],
    known: dict[str, list[str]],
    http: httpx.Client,
) -> None:
    """The documents describe only JSON, so the tests above never send a CSV."""
    if not operation.body:
        return
    path = operation.path
    for parameter in operation.path_parameters:
        path = path.replace(f"{{{parameter.name}}}", known.get(parameter.name, ["submit"])[0])
    for token in tokens:
        headers = {"Authorization": token, "If-Match": '"1"', "Content-Type": "text/csv"}
        answer = http.request(
            operation.method,
            product.url + path,
            headers=headers,
            content="社員,経路\nE101,東京",
        )
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["code"]
