"""Generated clients: what a document says becomes code that mypy checks."""

from pathlib import Path

from tools.api_client import Models, Operation, differing, function_of, module_of

SCHEMAS = {
    "Line": {"properties": {"on": {"type": "string", "format": "date"}}, "required": ["on"]},
    "Order": {
        "properties": {
            "kind": {"enum": ["a", "b"], "type": "string"},
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
        },
        "required": ["kind"],
    },
}
ORDER = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}
CHANGE = Operation(
    "PUT",
    "/orders/{order_id}",
    {
        "operationId": "change_order",
        "description": "Change an order.",
        "parameters": [
            {"name": "order_id", "in": "path", "schema": {"type": "string"}},
            {"name": "if-match", "in": "header", "schema": {"type": "string"}},
        ],
        "requestBody": ORDER,
        "responses": {"200": ORDER, "409": {}},
    },
)


def test_an_operation_becomes_a_function_with_its_headers() -> None:
    models = Models(SCHEMAS, validated=False)
    code = function_of(CHANGE, models, "orders")
    assert "(services: ServiceClient, order_id: str, body: Order, *, version: str | None)" in code
    assert "-> ServiceResponse[Order]:" in code
    assert 'services.send("orders", "PUT", f"/orders/{order_id}", body, version=version)' in code


def test_a_body_takes_what_a_form_left_empty() -> None:
    models = Models(SCHEMAS, validated=False)
    models.type_of({"$ref": "#/components/schemas/Order"}, answer=False)
    line, order = models.written()
    assert "on: str | None" in line
    assert "kind: str" in order
    assert "lines: NotRequired[Sequence[Line]]" in order


def test_a_reader_that_validates_takes_new_choices_and_reads_days() -> None:
    models = Models(SCHEMAS, validated=True)
    models.type_of({"$ref": "#/components/schemas/Order"})
    line, order = models.written()
    assert "class Line(BaseModel, frozen=True)" in line
    assert "on: date" in line
    assert "kind: str" in order


def test_a_renamed_field_differs_from_the_committed_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.py"
    path.write_text("contract_no: str\n")
    assert list(differing([(path, "contract_no:str")])) == []
    assert list(differing([(path, "contract: str")])) == [(path, "contract: str\n")]


def test_a_class_of_all_services_is_imported() -> None:
    work, list_ = "class Work(TypedDict):\n    n: int", "class List(TypedDict):\n    work: Work"
    code = module_of("orders", [work, list_], common=[work])
    assert "from portal_service.service_api.operations import Work" in code
    assert "class Work" not in code
    other = module_of("orders", [work.replace("int", "str"), list_], common=[work])
    assert "class Work" in other
    assert "operations import" not in other
