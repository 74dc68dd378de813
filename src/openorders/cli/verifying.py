"""`openorders verify`: whether the books add up."""

import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from cyclopts import Parameter

from openorders.cli.failing import FAILED, MISUSED, CommandFailed
from openorders.cli.showing import AsJson
from openorders.cli.store import problems_named
from openorders.cli.working import HERE, Where, run

if TYPE_CHECKING:
    from openorders.domain.store_settings import Store
    from openorders.usecases.context import Services
    from openorders.usecases.reconcile import Difference
    from openorders.usecases.verify_ledgers import Found


_SOUND: Final = (
    "The books add up: stock, totals, payments, states and figures agree with the ledgers."
)
_AGREED: Final = "The books of every gateway agree with ours."
_NO_BOOKS: Final = "There is no store in this database, and so nothing to verify."
_SINCE: Final = timedelta(days=30)
"""How far back gateways' books are compared unless said otherwise."""


def verify(
    *,
    store: Annotated[str | None, Parameter(help="Only this store.")] = None,
    gateway: Annotated[
        bool,
        Parameter(negative="", help="Compare payments with each gateway's own books instead."),
    ] = False,
    since: Annotated[
        str | None,
        Parameter(help="With --gateway: payments begun on this day (UTC) or later; 30 days back."),
    ] = None,
    json: AsJson = False,
    where: Where = HERE,
) -> None:
    """Recompute stock, totals, payments, states and figures from the ledgers; name differences.

    Reads one consistent view while servers go on working, and changes nothing. Ends with exit
    code 1 if there is a difference. With --json, a list of objects.
    """
    if since is not None and not gateway:
        raise CommandFailed("--since goes with --gateway.", code=MISUSED)
    first = _day(since)

    async def work(services: "Services") -> tuple[int, int]:
        from openorders.usecases.keep_stores import list_stores

        found = (
            _compared(services, store, first)
            if gateway
            else _recomputed(services, store, json=json)
        )
        with problems_named():
            return len(await list_stores(services)), await _shown(found, json=json)

    books, count = run(where, work)
    if count:
        raise CommandFailed(f"{count} differences." if count > 1 else "1 difference.", code=FAILED)
    if not json:
        print((_AGREED if gateway else _SOUND) if books else _NO_BOOKS)


async def _shown(found: "AsyncIterator[tuple[str, dict[str, Any]]]", *, json: bool) -> int:
    """Print differences as they come; how many there were."""
    count = 0
    if json:
        print("[", end="")
    async for line, row in found:
        separator = ",\n " if count else ""
        text = f"{separator}{msgspec.json.encode(row).decode()}" if json else line
        print(text, end="" if json else "\n")
        count += 1
    if json:
        print("]")
    return count


async def _recomputed(
    services: "Services", store: str | None, *, json: bool
) -> "AsyncIterator[tuple[str, dict[str, Any]]]":
    from openorders.usecases.verify_ledgers import verify as differences

    def begun(of: "Store", check: str) -> None:
        _say(f"{of.name}: {check}", json=json)

    async for found in differences(services, store=store, begun=begun):
        yield _line(found), _row(found)


async def _compared(
    services: "Services", store: str | None, since: datetime | None
) -> "AsyncIterator[tuple[str, dict[str, Any]]]":
    from openorders.usecases.keep_stores import find_store, list_stores
    from openorders.usecases.reconcile import BooksNotRead, reconcile

    until = services.clock()
    first = since or until - _SINCE
    wanted = await list_stores(services) if store is None else (await find_store(services, store),)
    for one in wanted:
        try:
            async for difference in reconcile(services, one, first, until):
                row = {"store": one.name, **msgspec.to_builtins(difference)}
                yield f"{one.name}: {_sentence(difference)}", row
        except BooksNotRead as error:
            raise CommandFailed(str(error)) from error


def _sentence(difference: "Difference") -> str:
    ours = "" if difference.payment_id is None else f" (our payment {difference.payment_id})"
    what = difference.kind.value.replace("_", " ")
    return (
        f"{difference.gateway} {difference.reference or 'without a reference'}{ours}: {what}: "
        f"we have {difference.ours}, the gateway has {difference.theirs}"
    )


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError as error:
        raise CommandFailed("--since must be a day, like 2026-01-31.", code=MISUSED) from error


def _say(text: str, *, json: bool) -> None:
    if sys.stderr.isatty() and not json:
        print(text, file=sys.stderr)


def _line(found: "Found") -> str:
    difference = found.difference
    return (
        f"{found.store.name}: {difference.subject} {difference.id}: {difference.what} is "
        f"{difference.found}, and should be {difference.expected}"
    )


def _row(found: "Found") -> dict[str, Any]:
    difference: dict[str, Any] = msgspec.to_builtins(found.difference)
    return {"store": found.store.name, "check": found.check, **difference}
