"""The OpenAPI document says what the contract does."""

import json

import jsonschema_rs
import pytest

from openorders.contracts import ALL, MANAGE, kit
from tests.contracts.kit.conftest import World
from tests.contracts.kit.sample import CONTRACT

CONTRACTS = [CONTRACT, *ALL, MANAGE]


def responses_of(document, path, method):
    return document["paths"][path][method]["responses"]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_every_schema_and_example_is_valid(contract):
    document = kit.describe(contract, "1.0.0")
    for operations in document["paths"].values():
        for operation in operations.values():
            for content in contents_of(operation):
                schema = {**content["schema"], "components": document["components"]}
                validator = jsonschema_rs.Draft202012Validator(schema)
                for name, example in content.get("examples", {}).items():
                    shown = kit.encode(example["value"])
                    errors = [e.message for e in validator.iter_errors(json.loads(shown))]
                    assert errors == [], (operation["operationId"], name)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_operation_ids_are_unique_and_every_path_parameter_is_described(contract):
    document = kit.describe(contract, "1.0.0")
    operations = [
        (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
    ]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, operation in operations:
        named = [p["name"] for p in operation["parameters"] if p.get("in") == "path"]
        assert named == [part[1:-1] for part in path.split("/") if part.startswith("{")]


def contents_of(operation):
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for media, content in body.get("content", {}).items():
            if media in {"application/json", "application/problem+json"}:
                yield content


async def test_the_document_is_served_for_where_the_client_came_from(world: World):
    response = await world.client.get("/openapi.json", headers={"Authorization": ""})
    document = response.json()
    assert response.status_code == 200
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1.2.3"
    assert document["servers"] == [{"url": "http://test/sample"}]


def test_parameters_come_from_the_query_type():
    document = kit.describe(CONTRACT, "1.0.0")
    parameters = {p["name"]: p for p in document["paths"]["/orders"]["get"]["parameters"]}
    assert parameters["limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 20,
    }
    assert parameters["limit"]["description"] == "How many at most."
    assert parameters["sortOrder"]["schema"]["enum"] == ["asc", "desc"]
    assert parameters["$filter"]["schema"] == {"type": "string"}
    assert not any(parameter["required"] for parameter in parameters.values())


def test_money_is_described_as_the_number_it_is():
    schemas = kit.describe(CONTRACT, "1.0.0")["components"]["schemas"]
    assert schemas["OrderOut"]["properties"]["totalAmount"]["type"] == "number"
    assert "address" not in schemas["OrderOut"]["required"]
    price = schemas["ItemIn"]["properties"]["price"]["anyOf"]
    assert {"type": "number", "format": "decimal"} in price


def test_failures_are_described_by_their_real_answers():
    document = kit.describe(CONTRACT, "1.0.0")
    creating = responses_of(document, "/orders", "post")
    assert set(creating) == {
        "201",
        "400",
        "401",
        "404",
        "408",
        "409",
        "413",
        "500",
        "503",
        "default",
    }
    examples = creating["404"]["content"]["application/json"]["examples"]
    assert examples["ProductNotFound"]["value"] == {"error": "not found"}
    assert "304" in responses_of(document, "/orders/{order_id}", "get")
    cancelling = document["paths"]["/orders/{order_id}"]["delete"]["parameters"]
    assert {"$ref": "#/components/parameters/IfMatch"} in cancelling


def test_credentials_are_described():
    document = kit.describe(CONTRACT, "1.0.0")
    assert document["security"] == [{"bearer": []}, {"apiKey": []}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "apiKey"}
