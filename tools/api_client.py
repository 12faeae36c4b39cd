"""Typed clients of the services' HTTP APIs for portal and notifier, from their OpenAPI documents.

`python -m tools.api_client` writes them: for the portal one function per operation, with a
TypedDict for each body and answer; for the notifier pydantic models of the answers that it
validates. `--check` fails where a committed file differs from the documents (ADR 23).
"""

import argparse
import importlib
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from keyword import iskeyword
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from shared.auth import Principal
from shared.clock import SystemClock
from shared.db import Database

ROOT = Path(__file__).parent.parent / "services"
PORTAL = ROOT / "portal/src/portal_service/service_api"
NOTIFIER = ROOT / "notifier/src/notifier_service/service_api"
SERVICES = ("contracts", "returns", "commuter", "notifier", "interchange")
OF_NOTIFIER = {
    "returns": ("read_recipients",),
    "commuter": (
        *("read_recipients", "read_slip_recipients", "read_submission_recipient"),
        "read_ending_recipient",
    ),
}
OF_OTHERS = ("/internal/", "/operations/", "/dealers/{dealer}/events")
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
MOST_SUMMARY = 88
PROLOGUE = '''"""HTTP API of {title}, generated from its OpenAPI document by tools.api_client."""

from __future__ import annotations
'''

Schema = Mapping[str, Any]


async def nobody(_: object) -> Principal:
    """The documents are made without a request."""
    raise AssertionError("no user is expected here")


def document_of(service: str) -> dict[str, Any]:
    """The OpenAPI document of a service, as it serves it."""
    module = importlib.import_module(f"{service}_service.app")
    app: FastAPI = module.create_app(Database("postgresql://nowhere/none"), SystemClock(), nobody)
    return app.openapi()


@dataclass(slots=True)
class Models:
    """The classes for the schemas that were asked for, and the names that they need."""

    schemas: Mapping[str, Schema]
    validated: bool
    """Pydantic models instead of TypedDicts."""
    wanted: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    """Schemas of answers. A body takes any string where the service names a choice, and None where
    it wants a day: the service refuses what a form left empty, in its own words."""

    def type_of(self, schema: Schema, *, answer: bool = True) -> str:
        """The annotation for a schema."""
        if reference := schema.get("$ref"):
            return self._named(reference.rsplit("/", 1)[1], answer=answer)
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self._any_of(choices, answer=answer)
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            open_ = self.validated or not answer  # a reader keeps working when a value is added
            return "str" if open_ else f"Literal[{', '.join(map(repr, values))}]"
        kind = str(schema.get("type"))
        if kind in {"array", "object"}:
            return self._container(schema, answer=answer)
        if schema.get("format") == "date" and (self.validated or not answer):
            return "date" if self.validated else "str | None"
        return SCALARS.get(kind, "object")

    def _named(self, name: str, *, answer: bool) -> str:
        schema = self.schemas[name]
        if "properties" not in schema:
            return self.type_of(schema, answer=answer)
        if name not in self.wanted:
            self.wanted.append(name)
        if answer:
            self.answered.add(name)
        return name

    def _any_of(self, parts: Iterable[Schema], *, answer: bool) -> str:
        kinds = " | ".join(self.type_of(part, answer=answer) for part in parts)
        return " | ".join(dict.fromkeys(kinds.split(" | ")))

    def _container(self, schema: Schema, *, answer: bool) -> str:
        if schema["type"] == "object":
            values = schema.get("additionalProperties")
            values = values if isinstance(values, dict) else {}
            return f"dict[str, {self.type_of(values, answer=answer)}]"
        items = self._any_of(schema.get("prefixItems") or [schema.get("items", {})], answer=answer)
        return f"list[{items}]" if answer else f"Sequence[{items}]"

    def written(self) -> Iterator[str]:
        """The classes, also those that the others name."""
        done: set[tuple[str, bool]] = set()
        found: dict[str, str] = {}
        while open_ := [n for n in self.wanted if (n, n in self.answered) not in done]:
            for name in open_:
                done.add((name, name in self.answered))
                found[name] = self._class(name)
        # pydantic reads annotations as it defines a class: those that others name come first
        for name in reversed(self.wanted) if self.validated else sorted(found):
            yield found[name]

    def _class(self, name: str) -> str:
        schema, answer = self.schemas[name], name in self.answered
        required = schema.get("required", ())
        lines = [f'    """{summary_of(schema, name)}"""', ""]
        kinds = {}
        for key, part in schema["properties"].items():
            kind = self.type_of(part, answer=answer)
            optional = key not in required and not answer
            kinds[key] = f"NotRequired[{kind}]" if optional else kind
        if any(map(iskeyword, kinds)):  # a class cannot have such a field
            fields = ", ".join(f'"{key}": {kind!r}' for key, kind in kinds.items())
            return f'{name} = TypedDict("{name}", {{{fields}}})'
        lines += [f"    {key}: {kind}" for key, kind in kinds.items()]
        base = "BaseModel, frozen=True" if self.validated else "TypedDict"
        return "\n".join([f"class {name}({base}):", *lines])


def summary_of(described: Schema, name: str) -> str:
    """The first line of a description, as a docstring."""
    line = (described.get("description") or described.get("title") or name).strip().split("\n")[0]
    line = line.replace('"', "'").replace("\\", "")
    line = line if len(line) <= MOST_SUMMARY else line[:MOST_SUMMARY].rsplit(" ", 1)[0] + " …"
    return line if line.endswith((".", "…", "?")) else f"{line}."


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document."""

    method: str
    path: str
    described: Schema

    @property
    def name(self) -> str:
        """The name of its function."""
        return str(self.described["operationId"])

    def parameters(self, place: str) -> list[Schema]:
        """Its parameters in `path`, `query` or `header`."""
        return [one for one in self.described.get("parameters", ()) if one.get("in") == place]

    def takes(self, header: str) -> bool:
        """Whether it reads this header."""
        return any(one["name"].lower() == header for one in self.parameters("header"))

    @property
    def answer(self) -> tuple[str, Schema] | None:
        """The content type and schema of success; None without content."""
        for status, answer in self.described["responses"].items():
            if status < "400":
                for kind, content in answer.get("content", {}).items():
                    return kind, content.get("schema", {})
        return None

    @property
    def takes_file(self) -> bool:
        """Whether its body is a file."""
        content = self.described.get("requestBody", {}).get("content", {})
        return "application/octet-stream" in content

    @property
    def body(self) -> Schema | None:
        """The schema of its JSON body."""
        content = self.described.get("requestBody", {}).get("content", {})
        schema: Schema | None = content.get("application/json", {}).get("schema")
        return schema


def operations_of(document: Mapping[str, Any], service: str) -> Iterator[Operation]:
    """The operations with their paths as a client asks for them, below the service's address."""
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield Operation(method.upper(), path.removeprefix(f"/api/{service}/v1"), described)


def dict_of(parameters: Iterable[Schema]) -> str:
    """The expression of a dict with these parameters by name."""
    return "{" + ", ".join(f'"{one["name"]}": {one["name"]}' for one in parameters) + "}"


def call_of(operation: Operation, models: Models) -> tuple[str, str]:
    """The type of its function's result, and the method of the client that it calls."""
    kind, schema = operation.answer or ("", {})
    if kind and not kind.endswith("json"):
        return "StreamingResponse", "stream"
    sends = "upload" if operation.takes_file else "send"
    call = "get" if operation.method == "GET" else sends
    return f"ServiceResponse[{models.type_of(schema) if kind else 'None'}]", call


def function_of(operation: Operation, models: Models, service: str | None) -> str:
    """The function of an operation; without `service` it is an argument."""
    arguments = ["services: ServiceClient"] + (["service: str"] if service is None else [])
    arguments += [
        f"{one['name']}: {models.type_of(one['schema'], answer=False)}"
        for one in operation.parameters("path")
    ]
    path = f'f"{operation.path}"' if operation.parameters("path") else f'"{operation.path}"'
    passed = [f'"{service}"' if service else "service"]
    named, query = [], operation.parameters("query")
    if operation.method != "GET":
        passed += [f'"{operation.method}"', path]
        if operation.body is not None:
            arguments.append(f"body: {models.type_of(operation.body, answer=False)}")
            passed.append("body")
        if operation.takes_file:
            arguments.append("content: bytes")
            named += [f"{one['name']}: QueryValue = None" for one in query]
            passed += ["content", dict_of(query)]
        if operation.takes("if-match"):
            named.append("version: str | None")
            passed.append("version=version")
        if operation.takes("idempotency-key"):
            named.append("idempotency_key: str | None")
            passed.append("idempotency_key=idempotency_key")
    else:
        passed.append(path)
        named = [f"{one['name']}: QueryValue = None" for one in query]
        if query:
            passed.append(dict_of(query))
    result, call = call_of(operation, models)
    signature = ", ".join([*arguments, *(["*", *named] if named else [])])
    return "\n".join(
        [
            f"async def {operation.name}({signature}) -> {result}:",
            f'    """{summary_of(operation.described, operation.name)}"""',
            f"    return await services.{call}({', '.join(passed)})",
        ]
    )


def module_of(title: str, parts: Iterable[str], common: Collection[str] = ()) -> str:
    """A module of these classes and functions, with the imports that they need.

    The classes in `common` are those of the operations module.
    """
    written = [*parts]
    code = "\n\n\n".join(part for part in written if part not in common)
    sources = {
        "collections.abc": ("Sequence",),
        "datetime": ("date",),
        "typing": ("Literal", "NotRequired", "TypedDict"),
        "pydantic": ("BaseModel",),
        "starlette.responses": ("StreamingResponse",),
        "portal_service.api_client": ("QueryValue", "ServiceClient", "ServiceResponse"),
        "portal_service.service_api.operations": tuple(
            class_name(part) for part in written if part in common
        ),
    }
    imports = []
    for source, names in sources.items():
        used = [name for name in names if re.search(rf"\b{name}\b", code)]
        imports += [f"from {source} import {', '.join(used)}"] if used else []
    return PROLOGUE.format(title=title) + "\n" + "\n".join(imports) + "\n\n\n" + code + "\n"


def class_name(code: str) -> str:
    """The name of a generated class."""
    return code.removeprefix("class ").partition("(")[0].partition(" = ")[0]


def modules() -> Iterator[tuple[Path, str]]:
    """Every generated file with its text, before formatting."""
    shared: set[str] = set()
    for service in SERVICES:
        document = document_of(service)
        schemas, operations = document["components"]["schemas"], [*operations_of(document, service)]
        models = Models(schemas, validated=False)
        of_all = [one for one in operations if one.path.startswith("/operations/")]
        functions = [function_of(one, models, None) for one in of_all]
        common = [*models.written()]
        shared.add(module_of("operations", [*common, *functions]))
        models = Models(schemas, validated=False)
        own = [one for one in operations if not one.path.startswith(OF_OTHERS)]
        functions = [function_of(one, models, service) for one in own]
        yield PORTAL / f"{service}.py", module_of(service, [*models.written(), *functions], common)
        if names := OF_NOTIFIER.get(service):
            models = Models(schemas, validated=True)
            for name in names:
                models.type_of(next(one for one in operations if one.name == name).answer[1])  # type: ignore[index]
            yield NOTIFIER / f"{service}.py", module_of(service, models.written())
    [one_for_all] = shared
    yield PORTAL / "operations.py", one_for_all


def formatted(path: Path, code: str) -> str:
    """The text as the formatter leaves it."""
    command = ["ruff", "format", "--stdin-filename", str(path), "-"]
    return subprocess.run(command, input=code, text=True, capture_output=True, check=True).stdout  # noqa: S603  ours


def differing(written: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    """The files whose formatted text is not what is committed."""
    for path, code in written:
        text = formatted(path, code)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path, text


def main() -> int:
    """Write the clients, or compare them with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where a file differs")
    check: bool = parser.parse_args().check
    changed = list(differing(modules()))
    for path, text in changed:
        if check:
            sys.stderr.write(f"{path.relative_to(ROOT)} differs: run ./dev clients\n")
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
