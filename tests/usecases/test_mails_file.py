"""What an operator writes down about mail: read whole, and refused before a customer meets it."""

import json
from pathlib import Path
from typing import Any

import pytest

from openorders.domain.mails import AUTOMATIC, MailPolicy, OwnTemplate, Template
from openorders.store.database import Database
from openorders.usecases.keep_stores import Applied, apply_store, find_store
from openorders.usecases.mails_file import TEMPLATES_MAX
from openorders.usecases.store_file import StoreFileError, parse, written
from tests.world import World, a_world

GERMAN = {
    "event": "shipped",
    "language": "de_DE",
    "subject": "{{ number }} ist unterwegs",
    "text": "{{ greeting }}\n{{ tracking_url }}\n",
    "html": "<p>{{ greeting }}</p>",
}


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path)


async def applied(world: World, **mails: Any) -> MailPolicy:
    await apply_store(world.services, parse(json.dumps({"name": "shop", "mails": mails})))
    return (await find_store(world.services, "shop")).policy.mails


async def problems(world: World, mails: Any) -> list[str]:
    before = await find_store(world.services, "shop")
    with pytest.raises(StoreFileError) as refused:
        await apply_store(world.services, parse(json.dumps({"name": "shop", "mails": mails})))
    assert await find_store(world.services, "shop") == before
    return [str(problem) for problem in refused.value.problems]


async def is_followed(world: World) -> bool:
    return bool(await world.rows("select from mail_cursors where store_id = $1"))


async def test_a_file_decides_what_is_written_about_and_how(world: World) -> None:
    policy = await applied(world, events=["placed", "shipped"], language="de", templates=[GERMAN])
    assert policy == MailPolicy(
        events=(Template.PLACED, Template.SHIPPED),
        language="de",
        templates=(
            OwnTemplate(
                event=Template.SHIPPED,
                language="de-DE",
                subject="{{ number }} ist unterwegs",
                text="{{ greeting }}\n{{ tracking_url }}\n",
                html="<p>{{ greeting }}</p>",
            ),
        ),
    )
    assert await is_followed(world)
    shown = written(await find_store(world.services, "shop"))
    again = await apply_store(world.services, parse(json.dumps({"name": "shop", **_plain(shown)})))
    assert again.applied is Applied.UNCHANGED


def _plain(shown: dict[str, Any]) -> dict[str, Any]:
    return {"mails": shown["mails"]}


async def test_what_is_left_out_stays_and_null_is_none_of_it(world: World) -> None:
    await applied(world, events=["paid"], templates=[GERMAN])
    policy = await applied(world, language="fr")
    assert policy.events == (Template.PAID,)
    assert len(policy.templates) == 1
    await apply_store(world.services, parse('{"name": "shop", "time_zone": "Asia/Tokyo"}'))
    assert (await find_store(world.services, "shop")).policy.mails == policy
    await apply_store(world.services, parse('{"name": "shop", "mails": null}'))
    assert (await find_store(world.services, "shop")).policy.mails == MailPolicy()
    assert not await is_followed(world)


async def test_a_store_writes_nothing_by_itself_unless_it_says_so(world: World) -> None:
    assert (await find_store(world.services, "shop")).policy.mails == MailPolicy()
    assert not await is_followed(world)
    assert (await applied(world, events=[word.value for word in AUTOMATIC])).events == AUTOMATIC


@pytest.mark.parametrize(
    ("mails", "problem"),
    [
        ("all", "mails must be an object"),
        ({"event": []}, "mails.event is not known; there are events, language, templates"),
        ({"events": "placed"}, "mails.events must be a list"),
        (
            {"events": ["arrived"]},
            "mails.events[0] must be placed or paid or shipped or cancelled or refunded",
        ),
        ({"events": ["paid", "paid"]}, "mails.events[1] names paid a second time"),
        ({"language": "German"}, "mails.language must be a language tag, like en or pt-BR"),
        (
            {"language": "pl"},
            "mails.language must be one that can be written in: de, en, es, fr, it, nl",
        ),
        (
            {"templates": [{"event": "paid", "language": "en"}]},
            "mails.templates[0] must have a subject, or text and html",
        ),
        (
            {"templates": [{"event": "paid", "language": "en", "text": "x"}]},
            "mails.templates[0] must have text and html, or neither",
        ),
        (
            {"templates": [{"event": "paid", "language": "pl", "subject": "x"}]},
            "mails.templates[0] must have subject, text and html: there are no others in pl",
        ),
        (
            {"templates": [{"language": "en", "subject": "x"}]},
            "mails.templates[0].event is required",
        ),
        (
            {"templates": [{"event": "paid", "language": "en", "subject": "x" * 201}]},
            "mails.templates[0].subject must be a text of 1 to 200 characters",
        ),
        (
            {"templates": [{"event": "paid", "language": "en", "subject": "{{ nobody }}"}]},
            "mails.templates[0] cannot be used: 'nobody' is undefined",
        ),
        (
            {"templates": [{"event": "paid", "language": "en", "subject": "{% if %}"}]},
            "mails.templates[0] cannot be used: line 1: ",
        ),
        (
            {"templates": [{"event": "paid", "language": "en", "subject": "{{ 9 ** 9 }}"}]},
            "mails.templates[0] cannot be used: line 1: pow is not allowed",
        ),
        (
            {
                "templates": [
                    {"event": "shipped", "language": "en", "subject": "{{ refund.amount }}"}
                ]
            },
            "mails.templates[0] cannot be used: 'None' has no attribute 'amount'",
        ),
        (
            {"templates": [{"event": "paid", "language": "en", "subject": "{{ tracking_url }}"}]},
            "mails.templates[0] cannot be used: writes an empty subject",
        ),
        (
            {"templates": [{**GERMAN, "text": "x" * 20_001}]},
            "mails.templates[0].text must be a text of 1 to 20000 characters",
        ),
        (
            {"templates": [GERMAN, GERMAN]},
            "mails.templates[1] names shipped in de-DE a second time",
        ),
        (
            {"templates": [GERMAN] * (TEMPLATES_MAX + 1)},
            f"mails.templates must have at most {TEMPLATES_MAX} entries",
        ),
        (
            {
                "templates": [
                    {**GERMAN, "event": event, "html": "x" * 20_000, "language": language}
                    for event in ("placed", "paid", "shipped", "cancelled", "refunded")
                    for language in ("en", "de", "fr")
                ]
            },
            "mails.templates must have at most 256000 characters together",
        ),
    ],
)
async def test_every_mistake_is_named_and_nothing_is_changed(
    world: World, mails: Any, problem: str
) -> None:
    found = await problems(world, mails)
    assert any(one.startswith(problem) for one in found), found
    assert not await is_followed(world)
