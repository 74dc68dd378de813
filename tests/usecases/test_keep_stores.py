"""Stores are what their operator has written down, and every mistake in it is named."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from openorders.domain.store_settings import (
    Capture,
    DiscountCode,
    GatewaySettings,
    JwtSettings,
    ShippingMethod,
    StorePolicy,
    TaxBase,
    TaxRate,
)
from openorders.store.database import Database
from openorders.usecases.keep_stores import (
    Applied,
    StoreUnknownError,
    apply_store,
    create_store,
    find_store,
    list_stores,
)
from openorders.usecases.store_file import StoreFileError, parse, written
from tests.world import World, a_world, wanted

WHOLE = """{
    "name": "shop", "currency": "USD", "time_zone": "Europe/Berlin", "number_prefix": "SHOP-",
    "taxes": [{"name": "State Tax", "rate": 0.06}, {"name": "City Tax", "rate": 0.04}],
    "tax_base": "after_discount",
    "shipping_methods": [{"code": "standard", "cost": 5.99, "days": 5}],
    "discount_codes": [{"code": "TEN", "amount": 10.00}, {"code": "FIFTH", "percent": 20}],
    "gateways": [{"name": "stripe_1", "kind": "sandbox"}, "second", {"name": "till", "kind": "manual"}],
    "jwt": {"issuer": "https://id.example.com/", "audience": "shop", "secret": "a secret"},
    "unpaid_expiry": "48h",
    "require_registered_customers": true
}"""  # noqa: E501


async def problems(world: World, text: str) -> list[str]:
    before = await find_store(world.services, "shop")
    with pytest.raises(StoreFileError) as refused:
        await apply_store(world.services, parse(text))
    assert await find_store(world.services, "shop") == before
    return [str(problem) for problem in refused.value.problems]


async def test_a_file_decides_everything_about_a_store(world: World):
    outcome = await apply_store(world.services, parse(WHOLE))
    assert outcome.applied is Applied.CHANGED
    store = await find_store(world.services, "shop")
    assert store == outcome.store
    assert (store.time_zone, store.number_prefix) == ("Europe/Berlin", "SHOP-")
    assert store.policy == StorePolicy(
        taxes=(
            TaxRate(name="State Tax", rate=Decimal("0.06")),
            TaxRate(name="City Tax", rate=Decimal("0.04")),
        ),
        tax_base=TaxBase.AFTER_DISCOUNT,
        shipping_methods=(ShippingMethod(code="standard", cost=599, days=5),),
        discount_codes=(
            DiscountCode(code="TEN", amount=1000),
            DiscountCode(code="FIFTH", percent=Decimal(20)),
        ),
        gateways=(
            GatewaySettings(name="stripe_1"),
            GatewaySettings(name="second"),
            GatewaySettings(name="till", kind="manual"),
        ),
        jwt=JwtSettings(issuer="https://id.example.com/", audience="shop", secret="a secret"),
        unpaid_expiry_minutes=48 * 60,
        require_registered_customers=True,
    )


async def test_the_same_file_again_changes_nothing(world: World):
    await apply_store(world.services, parse(WHOLE))
    assert (await apply_store(world.services, parse(WHOLE))).applied is Applied.UNCHANGED


async def test_what_is_shown_can_be_applied_again_and_shows_no_secret(world: World):
    outcome = await apply_store(world.services, parse(WHOLE))
    shown = written(outcome.store)
    assert "a secret" not in str(shown)
    again = await apply_store(world.services, shown)
    assert again.applied is Applied.UNCHANGED
    assert again.store.policy.jwt == outcome.store.policy.jwt


async def test_fields_that_are_left_out_stay_and_null_takes_away(world: World):
    await apply_store(world.services, parse(WHOLE))
    changed = await apply_store(
        world.services, parse('{"name": "shop", "jwt": null, "unpaid_expiry": null, "taxes": []}')
    )
    policy = changed.store.policy
    assert (policy.jwt, policy.unpaid_expiry_minutes, policy.taxes) == (None, None, ())
    assert len(policy.discount_codes) == 2


async def test_a_store_that_is_not_there_yet_is_made_with_order_numbers(world: World):
    outcome = await apply_store(world.services, parse('{"name": "new", "currency": "JPY"}'))
    assert outcome.applied is Applied.CREATED
    assert [store.name for store in await list_stores(world.services)] == ["shop", "new"]
    numbers = await world.rows(
        "select nextval('order_numbers_' || store_id) as number from stores where store_id <> $1"
    )
    assert [row["number"] for row in numbers] == [1]


async def test_every_mistake_is_named_with_its_path(world: World):
    wrong = """{
        "name": "shop", "colour": "red", "currency": "usd", "time_zone": "Mars/Base",
        "number_prefix": "a-very-long-prefix-for-it", "tax_base": "none",
        "taxes": [{"name": "A", "rate": 6}, {"rate": "0.1"}, 7, {"name": "A", "rate": 0.1}],
        "shipping_methods": [{"code": "x", "cost": 5.999, "days": 1.5}, {"code": " ", "cost": -1}],
        "discount_codes": [{"code": "A"}, {"code": "B", "percent": 200, "extra": 1}],
        "gateways": [{"name": "g", "kind": "gold"}],
        "jwt": {"issuer": "i", "secret": "s", "jwks_url": "ftp://x"},
        "unpaid_expiry": "soon", "require_registered_customers": "yes"
    }"""
    found = await problems(world, wrong)
    assert found[0].startswith("colour is not known; there are name, currency, ")
    assert found[1:] == [
        "currency must be an ISO 4217 code, like USD",
        "time_zone must be a time zone of the IANA list, like Europe/Berlin",
        "number_prefix must have at most 20 characters",
        "taxes[0].rate must be a number from 0 to 1",
        "taxes[1].name is required",
        "taxes[1].rate must be a number from 0 to 1",
        "taxes[2] must be an object",
        "taxes[3] names A a second time",
        "tax_base must be before_discount or after_discount",
        "shipping_methods[0].cost must have at most 2 digits after the point",
        "shipping_methods[0].days must be a whole number from 0 to 3650",
        "shipping_methods[1].days is required",
        "shipping_methods[1].code must have no spaces around it and no control characters",
        "shipping_methods[1].cost must be 0 or more, and in bounds",
        "discount_codes[0] must have either percent or amount",
        "discount_codes[1].extra is not known; there are code, percent, amount",
        "discount_codes[1].percent must be a number from 0 to 100",
        "gateways[0].kind must be sandbox or manual or stripe",
        "jwt.audience is required",
        "jwt must have either secret or jwks_url",
        "jwt.jwks_url must be a web address, like https://id.example.com/keys.json",
        "unpaid_expiry must be minutes, or a text like 90m, 48h or 7d, or null",
        "require_registered_customers must be true or false",
    ]


@pytest.mark.parametrize("gateway", ['"manual"', '{"name": "manual", "kind": "sandbox"}'])
async def test_the_name_of_money_taken_by_hand_is_only_for_that(world: World, gateway: str):
    assert await problems(world, f'{{"name": "shop", "gateways": [{gateway}]}}') == [
        "gateways[0].name manual is only for a gateway of that kind"
    ]
    by_hand = '{"name": "shop", "gateways": [{"name": "manual", "kind": "manual"}]}'
    outcome = await apply_store(world.services, parse(by_hand))
    assert outcome.store.policy.gateways[0].is_by_hand


STRIPE = """{"name": "shop", "gateways": [{
    "name": "stripe", "kind": "stripe", "capture": "by_hand",
    "secret_key": "sk_test_1", "webhook_secret": "whsec_1"
}, "sandbox"]}"""


async def test_a_gateway_says_whose_account_it_is_and_when_the_money_is_taken(world: World):
    outcome = await apply_store(world.services, parse(STRIPE))
    gateway = outcome.store.policy.gateways[0]
    assert (gateway.kind, gateway.capture) == ("stripe", Capture.BY_HAND)
    assert (gateway.secret_key, gateway.webhook_secret) == ("sk_test_1", "whsec_1")
    assert "sk_test_1" not in repr(gateway)


async def test_a_gateways_secrets_are_never_shown_and_stay_when_written_back(world: World):
    outcome = await apply_store(world.services, parse(STRIPE))
    shown = json.dumps(written(outcome.store), default=str)
    assert "sk_test_1" not in shown
    assert "whsec_1" not in shown
    again = await apply_store(world.services, parse(shown))
    assert again.applied is Applied.UNCHANGED
    assert again.store.policy.gateways == outcome.store.policy.gateways


async def test_every_mistake_in_a_gateway_is_named(world: World):
    kept = {"name": "shop", "gateways": []}
    for gateway, mistakes in (
        ({"kind": "stripe"}, ["secret_key is required for a gateway of kind stripe"]),
        (
            {"kind": "stripe", "secret_key": "pk_test_1"},
            ["secret_key is a publishable key; a secret one begins with sk_ or rk_"],
        ),
        (
            {"kind": "stripe", "secret_key": "hunter2", "webhook_secret": "x"},
            [
                "secret_key is no key of Stripe; a secret one begins with sk_ or rk_",
                "webhook_secret is no signing secret; one begins with whsec_",
            ],
        ),
        (
            {"kind": "stripe", "secret_key": "********"},
            ["secret_key stands for a secret that is not there yet"],
        ),
        ({"secret_key": "sk_test_1"}, ["secret_key is only for a gateway of kind stripe"]),
        ({"capture": "later"}, ["capture must be at_once or by_hand"]),
        (
            {"kind": "manual", "capture": "by_hand"},
            ["capture must be at_once, since money by hand is there at once"],
        ),
        (
            {"name": "a/b"},
            ["name must be at most 50 letters, digits, dots, hyphens and underscores"],
        ),
    ):
        kept["gateways"] = [{"name": "one", **gateway}]
        named = await problems(world, json.dumps(kept))
        assert named == [f"gateways[0].{mistake}" for mistake in mistakes]


async def test_what_is_no_object_of_json_is_refused_with_its_place(world: World):
    for text, message in (
        ('{"name": "shop",\n "taxes": }', r"line 2, column 11: not valid JSON"),
        ('{"name": "shop", "name": "shop"}', "name is there twice"),
        ('{"name": "shop", "taxes": [{"rate": 1, "rate": 2}]}', "rate is there twice"),
        ('{"unpaid_expiry": NaN}', "NaN is no number"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "one JSON object"),
        ("", "not valid JSON"),
    ):
        with pytest.raises(StoreFileError, match=message):
            parse(text)


async def test_numbers_beyond_all_bounds_are_mistakes(world: World):
    for number in ("1e400", "-1e400", "1e-400", "9" * 400):
        text = '{"name": "shop", "shipping_methods": [{"code": "x", "cost": %s, "days": 1}]}'
        (problem,) = await problems(world, text % number)
        assert problem.startswith("shipping_methods[0].cost must be")


async def test_money_has_the_digits_of_the_currency(world: World):
    methods = '[{"code": "x", "cost": %s, "days": 1}]'
    text = '{"name": "%s", "currency": "%s", "shipping_methods": ' + methods + "}"
    for name, currency, cost, minor in (
        ("yen", "JPY", "150", 150),
        ("dinar", "KWD", "1.505", 1505),
        ("dollar", "USD", "1.5", 150),
    ):
        outcome = await apply_store(world.services, parse(text % (name, currency, cost)))
        assert outcome.store.policy.shipping_methods[0].cost == minor
    with pytest.raises(StoreFileError, match="at most 0 digits"):
        await apply_store(world.services, parse(text % ("yen", "JPY", "1.5")))


async def test_a_currency_stays_once_there_are_prices_in_it(world: World):
    changed = await apply_store(world.services, parse('{"name": "shop", "currency": "EUR"}'))
    assert changed.store.currency == "EUR"
    await world.sells(1)
    assert await problems(world, '{"name": "shop", "currency": "USD"}') == [
        "currency stays EUR: there are prices or orders in it"
    ]


async def test_amounts_do_not_slip_into_another_currency(world: World):
    await apply_store(world.services, parse(WHOLE))
    assert await problems(world, '{"name": "shop", "currency": "JPY"}') == [
        "shipping_methods is required with a new currency: its amounts are in the old one",
        "discount_codes is required with a new currency: its amounts are in the old one",
    ]


async def test_a_store_can_be_renamed_but_not_to_anothers_name(
    world: World, database: Database, tmp_path: Path
):
    await a_world(database, tmp_path, name="other")
    with pytest.raises(StoreFileError, match="'other' is the name of another store"):
        await apply_store(world.services, {"name": "other"}, name="shop")
    outcome = await apply_store(world.services, {"name": "boutique"}, name="shop")
    assert (outcome.store.name, outcome.store.id) == ("boutique", world.store.id)
    with pytest.raises(StoreUnknownError, match="no store 'shop'; there are boutique, other"):
        await apply_store(world.services, {"name": "x"}, name="shop")


async def test_two_stores_cannot_take_the_same_tokens(world: World):
    await apply_store(world.services, parse(WHOLE))
    twin = parse(WHOLE.replace('"shop", "currency"', '"twin", "currency"'))
    with pytest.raises(StoreFileError, match="issuer and audience of another store"):
        await apply_store(world.services, twin)
    assert [store.name for store in await list_stores(world.services)] == ["shop"]


async def test_a_store_is_made_once(world: World):
    with pytest.raises(StoreFileError, match="'shop' is the name of another store"):
        await create_store(world.services, {"name": "shop", "currency": "USD"})
    with pytest.raises(StoreFileError, match="currency is required"):
        await create_store(world.services, {"name": "second"})
    for name in ("", " x", "a\nb", "a\x00b", "x" * 201, 7, None):
        with pytest.raises(StoreFileError, match="name"):
            await create_store(world.services, {"name": name, "currency": "USD"})


async def test_a_stores_policy_decides_what_orders_cost(world: World):
    await world.sells(1, price=1000)
    outcome = await apply_store(world.services, parse(WHOLE.replace("true", "false")))
    world.store = outcome.store
    order = await world.placed(wanted(1, 2), discount_code="FIFTH", shipping_method="standard")
    assert (order.totals.discount, order.totals.tax, order.totals.total) == (400, 160, 2359)
