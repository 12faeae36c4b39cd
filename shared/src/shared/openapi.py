"""What does a service's OpenAPI say of refusals? Each operation names those that it may give.

A refusal is problem+json of one shape (RFC 9457), whatever its status. Which ones are possible
follows from what an operation takes, so that no route has to list them.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.constants import REF_TEMPLATE
from pydantic import BaseModel, Field

from shared.errors import STATUS, Kind

PROBLEM = "application/problem+json"
_CHANGES = {"post", "put", "patch", "delete"}
_WORDS = {
    Kind.INVALID: "What was sent cannot be accepted",
    Kind.UNAUTHENTICATED: "There is no valid token",
    Kind.FORBIDDEN: "The person may not do this",
    Kind.NOT_FOUND: "There is no such thing, or none that the person may know of",
    Kind.CONFLICT: "It is not possible as things stand; nothing was changed",
    Kind.VERSION_CONFLICT: "If-Match names a version that is no longer current",
    Kind.VERSION_MISSING: "If-Match must name the version that is to be changed",
    Kind.UNAVAILABLE: "A part that is needed does not answer now",
}


class FieldProblem(BaseModel):
    """What is wrong with one field; `message` is Japanese, to stand beside it."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """Why something was not done: `code` is for programs, `title` for people."""

    type: str
    title: str
    status: int
    code: str
    errors: list[FieldProblem] = Field(default=[])
    facts: dict[str, Any] = Field(default={})


class DescribedApi(FastAPI):
    """An app whose OpenAPI names the refusals of every operation."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            _name_refusals(super().openapi())
        return super().openapi()


def _name_refusals(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template=REF_TEMPLATE)
    schemas |= {**problem.pop("$defs"), "Problem": problem}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    content = {PROBLEM: {"schema": {"$ref": REF_TEMPLATE.format(model="Problem")}}}
    for path in document["paths"].values():
        for method, operation in path.items():
            operation["responses"] |= {
                str(STATUS[kind]): {"description": _WORDS[kind], "content": content}
                for kind in _refusals(method, operation)
            }


def _refusals(method: str, operation: dict[str, Any]) -> Iterator[Kind]:
    """The kinds of refusal that an operation may give, by what it takes."""
    taken = {parameter["in"] for parameter in operation.get("parameters", ())}
    headers = {p["name"].lower() for p in operation.get("parameters", ()) if p["in"] == "header"}
    has_body = "requestBody" in operation
    yield from (Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.UNAVAILABLE)
    if taken or has_body:
        yield Kind.INVALID
    if "path" in taken or has_body:
        yield Kind.NOT_FOUND
    if method in _CHANGES:
        yield Kind.CONFLICT
    if "if-match" in headers:
        yield from (Kind.VERSION_MISSING, Kind.VERSION_CONFLICT)
