"""`openorders verify`: whether the books add up."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from cyclopts import Parameter

from openorders.cli.failing import FAILED, CommandFailed
from openorders.cli.showing import AsJson
from openorders.cli.store import problems_named
from openorders.cli.working import HERE, Where, run

if TYPE_CHECKING:
    from openorders.domain.store_settings import Store
    from openorders.usecases.context import Services
    from openorders.usecases.verify_ledgers import Found


_SOUND: Final = "The books add up: stock, totals, payments and states agree with the ledgers."
_NO_BOOKS: Final = "There is no store in this database, and so nothing to verify."


def verify(
    *,
    store: Annotated[str | None, Parameter(help="Only this store.")] = None,
    json: AsJson = False,
    where: Where = HERE,
) -> None:
    """Recompute stock, totals, payments and states from the ledgers; name every difference.

    Reads one consistent view while servers go on working, and changes nothing. Ends with exit
    code 1 if there is a difference. With --json, a list of objects.
    """
    from openorders.usecases.keep_stores import list_stores
    from openorders.usecases.verify_ledgers import verify as differences

    def begun(of: "Store", check: str) -> None:
        if sys.stderr.isatty() and not json:
            print(f"{of.name}: {check}", file=sys.stderr)

    async def work(services: "Services") -> tuple[int, int]:
        books, count = len(await list_stores(services)), 0
        if json:
            print("[", end="")
        with problems_named():
            async for found in differences(services, store=store, begun=begun):
                separator = ",\n " if count else ""
                print(
                    f"{separator}{_json(found)}" if json else _line(found), end="" if json else "\n"
                )
                count += 1
        if json:
            print("]")
        return books, count

    books, count = run(where, work)
    if count:
        raise CommandFailed(f"{count} differences." if count > 1 else "1 difference.", code=FAILED)
    if not json:
        print(_SOUND if books else _NO_BOOKS)


def _line(found: "Found") -> str:
    difference = found.difference
    return (
        f"{found.store.name}: {difference.subject} {difference.id}: {difference.what} is "
        f"{difference.found}, and should be {difference.expected}"
    )


def _json(found: "Found") -> str:
    row = {"store": found.store.name, "check": found.check, **msgspec.to_builtins(found.difference)}
    return msgspec.json.encode(row).decode()
