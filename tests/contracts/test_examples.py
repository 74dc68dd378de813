"""Every example of the five documents, sent to the demo as it is printed and compared whole."""

import pytest

from openorders.contracts import ALL
from tests.contracts.asking import ask
from tests.contracts.examples import Example, all_examples, differences, unused_excuses
from tests.contracts.serving import Served

EXAMPLES = all_examples()


def examples(*, changing: bool) -> pytest.MarkDecorator:
    chosen = [example for example in EXAMPLES if example.changes_nothing is not changing]
    return pytest.mark.parametrize(
        "example", chosen, ids=[f"{one.contract}/{one.name}" for one in chosen]
    )


async def assert_as_documented(world: Served, example: Example, base: str) -> None:
    for request in example.before:
        told = await ask(world.client, base, request)
        assert told.status < 300, (request, told)
    told = await ask(world.client, base, example.request)
    expected = example.response
    assert told.status == expected.status, told
    for name, value in expected.headers.items():
        assert told.headers.get(name) == value, name
    if expected.text is not None:
        assert told.body.decode() == expected.text
    elif expected.body is None:
        assert told.body == b""
    else:
        assert differences(example, told.json) == []


@pytest.mark.parametrize("base", ["/{}", "http://{}.localhost:8000"], ids=["prefix", "host"])
@examples(changing=False)
async def test_what_is_asked_is_answered_as_documented(
    demo: Served, example: Example, base: str
) -> None:
    await assert_as_documented(demo, example, base.format(example.contract))
    assert demo.faults == []


@examples(changing=True)
async def test_what_is_done_is_answered_as_documented(fresh_demo: Served, example: Example) -> None:
    await assert_as_documented(fresh_demo, example, f"/{example.contract}")


def test_every_contract_has_examples() -> None:
    contracts = {contract.name for contract in ALL}
    assert {example.contract for example in EXAMPLES} == contracts


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.contract}/{one.name}")
def test_no_excuse_outlives_what_it_excuses(example: Example) -> None:
    assert unused_excuses(example) == []
