"""OpenAPI documents: every operation declares its refusals and closed response models."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from fare_engine.errors import FareError
from shared.auth import Principal
from shared.clock import SystemClock
from shared.db import Database
from shared.errors import Refusal
from shared.refusals import refusals_of

LONGEST_NAME = 40
SERVICES = ("contracts", "returns", "commuter", "notifier", "interchange")

ELSEWHERE = {
    "contracts": {
        "FILE_UNREADABLE", "COLUMNS_NOT_AS_AGREED",  # files are imported by the command line
        "OTHER_SELECTION_MADE", "PRODUCT_NOT_ELIGIBLE",  # reasons beside a button
    },
    "commuter": {
        "DATE_UNREADABLE", "UNKNOWN_MEDIUM", "PLACES_MISSING", "ROUTE_ENDS_DIFFER",  # batch files
        "FEED_UNREADABLE", "PERIOD_UNREADABLE",  # feeds and passes read by the command line
        "RETENTION_NOT_OFFERED",  # a field of FORM_ERRORS
    },
}  # fmt: skip
"""Refusal codes that no route returns."""


async def nobody(_: object) -> Principal:
    raise AssertionError("no user is expected here")


def app_of(service: str) -> FastAPI:
    app: FastAPI = importlib.import_module(f"{service}_service.app").create_app(
        Database("postgresql://nowhere/none"), SystemClock(), nobody
    )
    return app


def refusals_in(service: str) -> Iterator[str]:
    """The code of every refusal that a service defines; commuter also gives those of its engine."""
    packages = [f"{service}_service", *(["fare_engine"] if service == "commuter" else [])]
    for name in packages:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if "migrations" not in module.name:
                importlib.import_module(module.name)
    classes: list[type[Refusal | FareError]] = [
        *Refusal.__subclasses__(),
        *FareError.__subclasses__(),
    ]
    for one in classes:
        classes += one.__subclasses__()
        if one.__module__.partition(".")[0] in packages and hasattr(one, "code"):
            yield one.code


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_of_a_service_is_declared_at_a_route(service: str) -> None:
    app = app_of(service)
    declared = {
        code for route in iter_route_contexts(app.routes) for code in refusals_of(app, route)
    }
    known = set(refusals_in(service))
    assert known, "no refusals found: the service was not loaded"
    assert known - declared == ELSEWHERE.get(service, set())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_names_its_codes_and_shows_an_example(service: str) -> None:
    document = app_of(service).openapi()
    examples = document["components"]["examples"]
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                content = answer["content"]["application/problem+json"]
                codes = content["schema"]["allOf"][1]["properties"]["code"]["enum"]
                assert codes, (name, status)
                assert set(content["examples"]) == set(codes)
                assert {examples[code]["value"]["code"] for code in codes} == set(codes)


def is_open(schema: dict[str, Any], schemas: dict[str, Any], inside: tuple[str, ...] = ()) -> bool:
    """Whether a schema allows arbitrary objects, itself or in a part."""
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[1]
        return name not in inside and is_open(schemas[name], schemas, (*inside, name))
    if not schema.keys() - {"title", "description"}:
        return True
    parts = [part for key in ("anyOf", "allOf", "oneOf") for part in schema.get(key, ())]
    parts += schema.get("properties", {}).values()
    if schema.get("type") == "array":
        parts += schema.get("prefixItems") or [schema.get("items", {})]
    if schema.get("type") == "object":
        further = schema.get("additionalProperties", "properties" not in schema)
        if further is True:
            return True
        parts += [further] if further else []
    return any(is_open(part, schemas, inside) for part in parts)


@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_has_a_closed_model(service: str) -> None:
    document = app_of(service).openapi()
    schemas = document["components"]["schemas"]
    loose = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, answer in operation["responses"].items()
        for kind, content in answer.get("content", {}).items()
        if kind == "application/json" and is_open(content.get("schema", {}), schemas)
    ]
    assert loose == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_a_short_name_a_tag_a_credential_and_roles(service: str) -> None:
    document = app_of(service).openapi()
    schemes = set(document["components"]["securitySchemes"])
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for name, operation in operations(document):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), name
        assert len(operation["operationId"]) <= LONGEST_NAME
        assert operation["tags"], name
        assert set(operation["security"][0]) <= schemes
        assert operation["x-roles"], name
    assert document["servers"]
