"""Every list that a contract documents is read in the order of an index, at any size."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import get_args

import pytest
from msgspec.structs import replace

from openorders.contracts.basic import schemas as basic_schemas
from openorders.contracts.basic.translate import to_search as of_basic
from openorders.contracts.commerce import schemas as commerce_schemas
from openorders.contracts.commerce.translate import to_search as of_commerce
from openorders.contracts.marketplace.odata import read_options
from openorders.contracts.marketplace.words import STATUSES
from openorders.contracts.partner.schemas import ListQuery as PartnerQuery
from openorders.contracts.partner.translate import to_search as of_partner_list
from openorders.contracts.storefront import requests as storefront_requests
from openorders.contracts.storefront import schemas as storefront_schemas
from openorders.contracts.storefront.translate import to_search as of_storefront
from openorders.domain.ids import StoreId
from openorders.domain.narrowing import in_minor_units
from openorders.domain.search import Page, Search, all_of, of_customer, of_partner
from openorders.store import criteria

STORE = StoreId(1)
DAYS = (None, "2026-05-04", "2026-05-04T10:30:00Z")


def commerce_lists() -> Iterator[Search]:
    every = (None, *get_args(commerce_schemas.Status))
    for status, by, order in product(every, get_args(commerce_schemas.SortBy), ("asc", "desc")):
        query = commerce_schemas.ListQuery(status=status, sort_by=by, sort_order=order)
        yield of_commerce(query)


def basic_lists() -> Iterator[Search]:
    for status, user in product((None, *get_args(basic_schemas.Status)), (None, 5)):
        yield of_basic(basic_schemas.ListQuery(status=status, user_id=user))


def storefront_lists() -> Iterator[Search]:
    every = (None, *get_args(storefront_schemas.Status))
    for status, start, end in product(every, DAYS, DAYS):
        yield of_storefront(
            storefront_requests.ListQuery(status=status, from_date=start, to_date=end)
        )


def partner_lists() -> Iterator[Search]:
    for query in (PartnerQuery(), PartnerQuery(limit=20, offset=400)):
        yield of_partner_list(query)


def marketplace_lists() -> Iterator[Search]:
    filters = (None, *(f"status eq '{status}'" for status in STATUSES), "status ne 'cancelled'")
    sorts = (None, "id desc", "createdAt", "createdAt desc", "updatedAt desc", "totalAmount")
    for chosen, by in product(filters, sorts):
        options = [("$filter", chosen), ("$orderby", by)]
        given = [(name, text) for name, text in options if text is not None]
        yield in_minor_units(read_options(given, now=datetime(2026, 1, 1, tzinfo=UTC)).search, 2)


@pytest.mark.parametrize(
    "lists", [commerce_lists, basic_lists, storefront_lists, partner_lists, marketplace_lists]
)
def test_every_documented_list_is_a_walk_for_whoever_asks(lists) -> None:
    for search in lists():
        for who in (None, of_customer(5), of_partner("Acme")):
            wanted = (
                search if who is None else replace(search, criteria=all_of(who, search.criteria))
            )
            assert criteria.is_walk(wanted), wanted


@pytest.mark.parametrize(
    "alike",
    [
        ["status eq 'completed'", "status eq 'cancelled'"],
        ["status in ('completed','shipped')", "status eq 'paid' or status eq 'pending'"],
        ["customerId eq 'cust_5'", "customerId eq 'cust_70'"],
    ],
)
def test_lists_of_one_kind_share_a_statement_and_so_its_plan(alike: Sequence[str]) -> None:
    statements: set[str] = set()
    for number, chosen in enumerate(alike, 1):
        read = read_options([("$filter", chosen)], now=datetime(2026, 1, 1, tzinfo=UTC))
        page = Page(limit=20 * number, offset=20_000 * number)
        statements.add(criteria.ids(STORE, replace(read.search, page=page)).sql)
    assert len(statements) == 1
