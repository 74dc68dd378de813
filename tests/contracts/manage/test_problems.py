"""Every problem: its type, that it is explained, and that it is told in the API's shape."""

from __future__ import annotations

import re

import msgspec
import pytest

from openorders.contracts.kit import NoSuch, Rendered, Unreadable, encode
from openorders.contracts.manage import errors, problems
from openorders.contracts.manage.schemas import Problem
from openorders.domain import refusals as no
from tests.contracts.manage.desk import Desk
from tests.contracts.reasons import EVERY_REASON
from tests.contracts.serving import Served

SLUGS = {one.slug: one for one in problems.ALL}


def fits(rendered: Rendered) -> Problem:
    signed = errors.sign(rendered, "request-1")
    assert isinstance(signed.body, Problem)
    read = msgspec.json.decode(encode(signed.body), type=Problem)
    assert read == signed.body
    assert (read.status, read.instance) == (rendered.status, "/requests/request-1")
    slug = read.type.rpartition("#")[2]
    assert (read.title, read.status) == (SLUGS[slug].title, SLUGS[slug].status)
    assert read.detail.endswith(".")
    return read


@pytest.mark.parametrize("reason", EVERY_REASON, ids=lambda reason: type(reason).__name__)
def test_every_reason_is_a_problem_of_a_known_type(reason: no.Reason) -> None:
    fits(errors.render(reason))


@pytest.mark.parametrize("status", [404, 405, 408, 413, 429, 500, 503])
def test_every_status_beside_the_use_cases_is_a_problem(status: int) -> None:
    assert fits(errors.render_status(status)).status == status


def test_a_field_is_named_by_its_pointer() -> None:
    for field, pointer in (
        ("body", "#"),
        ("amount", "#/amount"),
        ("lines[0].lineId", "#/lines/0/lineId"),
        ("lines[12].a/b~c", "#/lines/12/a~1b~0c"),
    ):
        problem = fits(errors.render_unreadable(Unreadable(field, "must be there")))
        assert isinstance(problem.errors, list)
        assert problem.errors[0].pointer == pointer
        assert problem.detail == f"{field} must be there."


def test_what_an_identifier_does_not_name_is_told_as_it_was_sent() -> None:
    problem = fits(errors.render_unknown(NoSuch("refund", "ref_07")))
    assert (problem.status, problem.detail) == (404, "There is no refund ref_07.")


def test_who_comes_too_late_is_told_where_to_go_on() -> None:
    problem = fits(errors.render(no.EventsForgotten(12)))
    assert (problem.status, len(str(problem.oldest))) == (410, 20)


async def test_every_type_is_explained_where_it_leads(everyone: Served, desk: Desk) -> None:
    client = everyone.client
    for host in ("shop.example", "manage.localhost", "commerce.localhost"):
        page = await client.get("/problems", headers={"Host": host})
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        anchors = re.findall(r'<li id="([a-z-]+)">', page.text)
        assert anchors == list(SLUGS)
    told = await desk.ask("GET", "/orders/order_999999")
    address, _, anchor = told.json["type"].partition("#")
    assert f'id="{anchor}"' in (await client.get(address)).text


async def test_the_api_is_shown_beside_the_contracts(everyone: Served) -> None:
    client = everyone.client
    start = (await client.get("/")).text
    assert "5 documented APIs" in start
    assert "http://shop.example/manage" in start
    assert (await client.get("/manage/docs")).status_code == 200
    document = await client.get("/openapi.json", headers={"Host": "manage.localhost"})
    assert document.json()["info"]["title"] == "openorders: Management"
