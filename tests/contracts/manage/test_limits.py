"""So many requests per credential and minute, and what every answer tells of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openorders.contracts.kit.quotas import Quota
from openorders.contracts.kit.unreadable import OverQuota
from tests.contracts.manage.desk import Desk
from tests.contracts.serving import served
from tests.contracts.shop import open_shop


@pytest.fixture
async def scarce(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A store on a server that takes four requests a minute."""
    async with served(database_url, tmp_path, manage_rate=4) as world:
        yield Desk(await open_shop(world))


async def test_every_answer_tells_what_is_left(scarce: Desk) -> None:
    for path, status, left in (("/keys", 200, 3), ("/keys/key_1x", 404, 2), ("/keys?x=1", 400, 1)):
        told = await scarce.ask("GET", path)
        assert told.status == status
        assert told.headers["ratelimit-policy"] == '"requests";q=4;w=60'
        assert re.fullmatch(rf'"requests";r={left};t=([1-9]|[1-5]\d|60)', told.headers["ratelimit"])


async def test_one_too_many_is_told_when_to_come_back_and_changes_nothing(scarce: Desk) -> None:
    other = await scarce.service_key()
    for _ in range(4):
        assert (await scarce.ask("GET", "/keys")).status == 200
    before = await scarce.shop.everything()
    told = await scarce.ask("POST", "/keys", {"role": "admin"})
    assert told.status == 429
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert told.json["violated-policies"] == ["requests"]
    assert told.json["instance"] == f"/requests/{told.headers['x-request-id']}"
    assert told.headers["ratelimit"].startswith('"requests";r=0;t=')
    assert 1 <= int(told.headers["retry-after"]) <= 60
    assert await scarce.shop.everything() == before
    assert (await scarce.ask("GET", "/payments", key=other)).status == 200


async def test_the_documented_contracts_are_not_limited(scarce: Desk) -> None:
    for _ in range(6):
        answer = await scarce.shop.served.client.get(
            "/commerce/v1/orders", headers={"Authorization": f"Bearer {scarce.shop.admin}"}
        )
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


def test_there_is_more_when_the_window_is_over() -> None:
    now = [0.0]
    quota = Quota(2, clock=lambda: now[0])
    assert quota.take("a")[1] == (b"ratelimit", b'"requests";r=1;t=60')
    now[0] = 59.5
    assert quota.take("a")[1] == (b"ratelimit", b'"requests";r=0;t=1')
    quota.check("a")
    quota.take("a")
    with pytest.raises(OverQuota) as over:
        quota.check("a")
    assert over.value.retry_after_s == 1
    now[0] = 60.0
    assert quota.take("a")[1] == (b"ratelimit", b'"requests";r=1;t=60')
    quota.check("a")


def test_no_number_of_credentials_fills_the_memory() -> None:
    now = [0.0]
    quota = Quota(2, clock=lambda: now[0])
    for number in range(30_000):
        now[0] += 0.001
        quota.take(f"key:{number}")
        quota.check(f"key:{number}")
    assert len(quota._windows) == 10_000
    now[0] += 61
    quota.take("new")
    assert list(quota._windows) == ["new"]
