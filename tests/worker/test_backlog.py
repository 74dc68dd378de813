"""What operators are told of what waits: right, and cheap however much there is."""

from datetime import timedelta
from pathlib import Path

import pytest

from openorders.domain.refusals import Refused
from openorders.domain.store_settings import StorePolicy
from openorders.store.database import Database
from openorders.telemetry import BACKLOG, Metrics
from openorders.usecases.fold_figures import fold_figures
from openorders.usecases.measure_backlog import measure_backlog
from openorders.usecases.pay_order import Pay, pay_order
from openorders.usecases.sequence_events import sequence
from tests.world import NOON, World, a_world, told


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path / "mail", policy=StorePolicy(unpaid_expiry_minutes=30))


async def test_nothing_waits_in_a_new_database(world: World) -> None:
    found = await measure_backlog(world.services)
    assert set(found) == set(BACKLOG)
    assert set(found.values()) == {0}


async def test_a_payment_without_an_answer_is_seen_and_grows_older(world: World) -> None:
    await world.sells(price=2500)
    order = await world.placed(payment_asked=True)
    with pytest.raises(Refused):
        await pay_order(
            world.context(), Pay(order_id=order.id, token="tok_timeoutAfterCharge"), told(str)
        )
    found = await measure_backlog(world.services)
    assert found["payment_operations_open"] == 1
    assert found["payment_operations_lag_seconds"] == 0
    world.clock.move(minutes=31)
    found = await measure_backlog(world.services)
    assert 1860 <= found["payment_operations_oldest_seconds"] < 1870
    assert found["payment_operations_lag_seconds"] > 1000
    assert found["overdue_orders"] == 1


async def test_events_wait_until_the_sequencer_has_met_them(world: World) -> None:
    await world.sells()
    await world.placed()
    found = await measure_backlog(world.services)
    assert found["events_unsequenced"] == 1
    while await sequence(world.services):
        pass
    assert (await measure_backlog(world.services))["events_unsequenced"] == 0


async def test_deliveries_and_endpoints_in_trouble_are_counted(world: World) -> None:
    await world.sells()
    order = await world.placed()
    while await sequence(world.services):
        pass
    await world.rows(ENDPOINTS, NOON, NOON - timedelta(hours=2))
    await world.rows(LANES, order.id, NOON - timedelta(minutes=1), NOON - timedelta(hours=1))
    found = await measure_backlog(world.services)
    assert found["deliveries_waiting"] == 3, "what is switched off waits for nothing"
    assert found["deliveries_retrying_orders"] == 1
    assert 60 <= found["deliveries_lag_seconds"] < 120, "the failing endpoint is no lag of ours"
    assert found["webhook_endpoints_off"] == 1
    assert found["webhook_endpoints_failing"] == 1
    assert 7200 <= found["webhook_endpoints_failing_seconds"] < 7300


async def test_a_slow_endpoint_that_is_being_told_something_is_no_lag_of_ours(
    world: World,
) -> None:
    await world.sells()
    first, second = await world.placed(), await world.placed()
    while await sequence(world.services):
        pass
    await world.rows(ENDPOINTS, NOON, NOON - timedelta(hours=2))
    await world.rows(LANES, first.id, NOON - timedelta(minutes=1), NOON - timedelta(hours=1))
    await world.rows(CLAIMED, second.id)
    found = await measure_backlog(world.services)
    assert (found["deliveries_lag_seconds"], found["deliveries_waiting"]) == (0, 4)
    await world.rows("update webhook_lanes set due_at = now() where store_id = $1 and claim = 1")
    found = await measure_backlog(world.services)
    assert found["deliveries_lag_seconds"] >= 60, "who had it is dead, and nobody takes it up"


CLAIMED = """
insert into webhook_lanes (store_id, endpoint_id, order_id, queued, due_at, claim)
values ($1, 1, $2, 1, now() + interval '30 s', 1)
"""
ENDPOINTS = """
insert into webhook_endpoints (store_id, id, url, contract, state, off_reason, off_at, failures,
    failing_since, created_at, updated_at)
values
    ($1, 1, 'https://a.example', 'partner', 'active', null, null, 0, null, $2, $2),
    ($1, 2, 'https://b.example', 'partner', 'active', null, null, 4, $3, $2, $2),
    ($1, 3, 'https://c.example', 'partner', 'off', 'failing', $2, 9, $3, $2, $2),
    ($1, 4, 'https://d.example', 'partner', 'off', 'operator', $2, 0, null, $2, $2)
"""
LANES = """
insert into webhook_lanes (store_id, endpoint_id, order_id, queued, tries, due_at)
values
    ($1, 1, $2, 1, 0, $3),
    ($1, 2, $2, 2, 4, $4),
    ($1, 3, $2, 7, 9, $4)
"""


async def test_mails_and_refunds_that_were_given_up_are_told_for_a_day(world: World) -> None:
    await world.sells()
    order = await world.placed()
    await world.rows(MAILS, order.id, NOON, NOON - timedelta(hours=23), NOON - timedelta(hours=25))
    found = await measure_backlog(world.services)
    assert found["mails_waiting"] == 1
    assert found["mails_given_up"] == 1


MAILS = """
insert into mails (store_id, order_id, template, cause, recipient, subject, body_text, body_html,
    due_at, created_at, given_up_at)
values
    ($1, $2, 'paid', 'a', 'x@example.com', 's', 't', 'h', $3, $3, null),
    ($1, $2, 'paid', 'b', 'x@example.com', 's', 't', 'h', $3, $3, $4),
    ($1, $2, 'paid', 'c', 'x@example.com', 's', 't', 'h', $3, $3, $5)
"""


def test_every_figure_is_a_gauge_from_the_first_look_on() -> None:
    metrics = Metrics()
    figures = metrics.background()
    figures.backlog(dict.fromkeys(BACKLOG, 7.0))
    figures.ran("sweep", 3)
    figures.failed("sweep")
    figures.attempted("delivered", 0.01)
    told = metrics.exposition().decode()
    for name in BACKLOG:
        assert f"\nopenorders_{name} 7.0\n" in told
    assert 'openorders_background_done_total{loop="sweep"} 3.0' in told
    assert 'openorders_background_failures_total{loop="sweep"} 1.0' in told
    assert 'openorders_background_last_run_timestamp_seconds{loop="sweep"} 1' in told


async def test_changes_wait_until_they_are_folded(world: World) -> None:
    await world.sells()
    await world.placed()
    found = await measure_backlog(world.services)
    assert (found["figure_changes_waiting"], found["figures_missing_stores"]) == (1, 0)
    assert await fold_figures(world.services) == 1
    assert (await measure_backlog(world.services))["figure_changes_waiting"] == 0
