"""The reference pages show the very examples that the documents print and the tests send."""

import pytest

from openorders.contracts import ALL, kit
from tests.contracts.asking import read_json
from tests.contracts.examples import Example, all_examples

PATHS = {
    contract.name: read_json(kit.encode(kit.describe(contract, "0.0.0")))["paths"]
    for contract in ALL
}
PLACES = {
    ("basic", "01-list"): ("/orders", "get"),
    ("basic", "03-create"): ("/orders", "post"),
    ("basic", "06-get"): ("/orders/{order_id}", "get"),
    ("basic", "08-update"): ("/orders/{order_id}", "put"),
    ("commerce", "01-list"): ("/v1/orders", "get"),
    ("commerce", "03-create"): ("/v1/orders", "post"),
    ("commerce", "04-get"): ("/v1/orders/{order_id}", "get"),
    ("commerce", "06-update"): ("/v1/orders/{order_id}", "put"),
}
EXAMPLES = [one for one in all_examples() if (one.contract, one.name) in PLACES]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.contract}/{one.name}")
def test_the_reference_shows_what_the_document_prints(example: Example) -> None:
    path, method = PLACES[example.contract, example.name]
    operation = PATHS[example.contract][path][method]
    answer = operation["responses"][str(example.response.status)]
    [shown] = answer["content"]["application/json"]["examples"].values()
    assert shown["value"] == example.response.body
    if example.request.text is not None:
        [sent] = operation["requestBody"]["content"]["application/json"]["examples"].values()
        assert sent["value"] == read_json(example.request.text)
