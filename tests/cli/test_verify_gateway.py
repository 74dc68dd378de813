"""`openorders verify --gateway`: a gateway's books beside ours, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import program
from tests.cli.program import Ended
from tests.postgres import databases

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def run(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("home")

    def on_database(*arguments: str | Path, typed: str | None = None) -> Ended:
        return program.forked(home, *arguments, "--database-url", module_database_url, typed=typed)

    return on_database


@pytest.fixture(scope="module")
def shop(run: Run) -> str:
    assert run("store", "create", "shop", "--currency", "USD").code == 0
    return "shop"


UNKNOWN_CHARGE = """
    insert into sandbox_charges (store_id, gateway, order_id, amount, currency, captured,
        card_brand, card_last_four, at)
    select store_id, 'sandbox', 7, 990, 'USD', 990, 'Visa', '4242', now() - interval '1 day'
    from stores where name = 'shop'
"""


def test_every_difference_is_named_and_ends_with_failure(
    run: Run, shop: str, module_database_url: str
) -> None:
    agreed = run("verify", "--gateway")
    assert (agreed.code, agreed.out) == (0, "The books of every gateway agree with ours.\n")
    databases.run(module_database_url, UNKNOWN_CHARGE)
    differing = run("verify", "--gateway", "--store", shop)
    assert differing.code == 1
    assert "shop: sandbox ch_1: missing here: we have no payment, the gateway has 9.90 USD" in (
        differing.out
    )
    assert "1 difference." in differing.err
    (row,) = json.loads(run("verify", "--gateway", "--json").out)
    assert (row["store"], row["kind"], row["reference"]) == ("shop", "missing_here", "ch_1")
    assert run("verify").code == 0, "our own books still add up"


def test_only_what_is_asked_for_is_compared(run: Run, shop: str) -> None:
    assert run("verify", "--gateway", "--since", "2999-01-01").code == 0
    for arguments, sentence in (
        (("--gateway", "--since", "yesterday"), "--since must be a day, like 2026-01-31."),
        (("--since", "2026-01-31"), "--since goes with --gateway."),
    ):
        misused = run("verify", *arguments)
        assert (misused.code, misused.out) == (2, "")
        assert sentence in misused.err


def test_a_gateway_whose_books_cannot_be_read_is_no_agreement(
    run: Run, shop: str, tmp_path: Path, module_database_url: str
) -> None:
    file = tmp_path / "shop.json"
    gateway = {"name": "card", "kind": "stripe", "secret_key": "sk_test_1"}
    file.write_text(json.dumps({"name": shop, "gateways": [gateway]}))
    assert run("store", "apply", file).code == 0
    assert "sk_test_1" not in run("store", "show", shop).out
    nowhere = {"OPENORDERS_STRIPE_URL": "http://127.0.0.1:1"}
    ended = program.forked(
        tmp_path, "verify", "--gateway", "--database-url", module_database_url, **nowhere
    )
    assert ended.code == 1
    assert "card of shop could not be read" in ended.err
    assert "Traceback" not in ended.err
