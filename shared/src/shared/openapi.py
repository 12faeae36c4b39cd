"""OpenAPI of a service, with the refusals that each operation declares.

A refusal is problem+json of one shape (RFC 9457). Each operation lists its codes per status, and
`components.examples` has one example of each.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.constants import REF_TEMPLATE
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field

from shared.auth import Policy, Role, policies_by_path
from shared.errors import Fact
from shared.refusals import Declared, refusals_of

Json = dict[str, Any]  # an OpenAPI document or a part of one
PROBLEM = "application/problem+json"
TOKEN, DEALER_KEY = "token", "dealer_key"
SECURITY = {
    TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the installation's issuer; `x-roles` lists the accepted roles.",
    },
    DEALER_KEY: {
        "type": "http",
        "scheme": "bearer",
        "description": "The key of a dealer's system, mdk_<id>_<secret>.",
    },
}
PROBLEM_REF = {"$ref": REF_TEMPLATE.format(model="Problem")}


class FieldProblem(BaseModel):
    """The error of one field; `message` is Japanese, to stand beside the field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """Why a request was refused: `code` is for programs, `title` for people.

    `documentation` is a link to the code's description, where there is one.
    """

    type: str
    title: str
    status: int
    code: str
    errors: list[FieldProblem] = Field(default=[])
    facts: dict[str, Fact] = Field(default={})
    documentation: str = ""


class DescribedApi(FastAPI):
    """An app whose OpenAPI names the refusals of every operation."""

    def openapi(self) -> Json:
        """The document, built once."""
        if self.openapi_schema is None:
            self._name_refusals(super().openapi())
        return super().openapi()

    def _name_refusals(self, document: Json) -> None:
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template=REF_TEMPLATE)
        schemas |= {
            **problem.pop("$defs"),
            "Problem": problem,
            **getattr(self.state, "schemas", {}),
        }
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
                    operation |= self._tag_and_access(method, route.path_format or "")
        components["examples"] = dict(sorted(examples.items()))
        components["securitySchemes"] = SECURITY

    def _tag_and_access(self, method: str, path: str) -> Json:
        """Tag, credential and roles of an operation; the tag is its resource."""
        resource = path.removeprefix(f"/api/{self.state.service_name}/v1/").partition("/")[0]
        found: Json = {"tags": [resource.partition(".")[0]]}
        roles = [policy.roles for policy in self._policies[method, path]]
        asked = [some for some in roles if some is not None]
        if asked:
            allowed = sorted(
                role for role in Role if all(role in some or not some for some in asked)
            )
            systems = Role.DEALER_SYSTEM in allowed
            schemes = [TOKEN] if allowed != [Role.DEALER_SYSTEM] else []
            schemes += [DEALER_KEY] if systems else []
            found |= {"security": [{scheme: []} for scheme in schemes], "x-roles": allowed}
        return found

    @cached_property
    def _policies(self) -> dict[tuple[str, str], list[Policy]]:
        return policies_by_path(self)


def _answers(refusals: Iterable[Declared]) -> Json:
    """The responses of an operation by status, each with the codes it may carry."""
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


def _example(refusal: Declared) -> Json:
    return {
        "value": {
            "type": f"urn:madoguchi:problem:{refusal.code.lower()}",
            "title": refusal.message,
            "status": refusal.status,
            "code": refusal.code,
        }
    }
