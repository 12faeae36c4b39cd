"""OpenAPI of a service, with the refusals that each operation declares.

A refusal is problem+json of one shape (RFC 9457); for each status an operation lists its codes, and
`components.examples` shows one of each.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.constants import REF_TEMPLATE
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field

from shared.refusals import Declared, refusals_of

PROBLEM = "application/problem+json"
PROBLEM_REF = {"$ref": REF_TEMPLATE.format(model="Problem")}


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
            self._name_refusals(super().openapi())
        return super().openapi()

    def _name_refusals(self, document: dict[str, Any]) -> None:
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template=REF_TEMPLATE)
        schemas |= {**problem.pop("$defs"), "Problem": problem}
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        examples = components.setdefault("examples", {})
        for route in iter_route_contexts(self.routes):
            refusals = refusals_of(self, route)
            for method in route.methods or ():
                operation = document["paths"].get(route.path_format, {}).get(method.lower())
                if operation is not None:
                    operation["responses"].pop("422", None)
                    operation["responses"] |= _answers(refusals.values())
                    examples |= {code: _example(one) for code, one in refusals.items()}
        components["examples"] = dict(sorted(examples.items()))


def _answers(refusals: Iterable[Declared]) -> dict[str, Any]:
    """The answers of an operation by status, each with the codes that it may carry."""
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for one in refusals:
        by_status[one.status].append(one.code)
    return {
        str(status): {
            "description": ", ".join(codes),
            "content": {
                PROBLEM: {
                    "schema": {"allOf": [PROBLEM_REF, {"properties": {"code": {"enum": codes}}}]},
                    "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
                }
            },
        }
        for status, codes in by_status.items()
    }


def _example(refusal: Declared) -> dict[str, Any]:
    return {
        "value": {
            "type": f"urn:madoguchi:problem:{refusal.code.lower()}",
            "title": refusal.message,
            "status": refusal.status,
            "code": refusal.code,
        }
    }
