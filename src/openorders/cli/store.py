"""`openorders store`: the tenants, made and changed from a file."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from openorders.cli.failing import CommandFailed
from openorders.cli.showing import AsJson, as_json, as_table
from openorders.cli.working import HERE, Where, run

if TYPE_CHECKING:
    from openorders.usecases.context import Services

app = App(name="store", help="Make, show and change stores: each has its own orders and keys.")

File = Annotated[
    Path, Parameter(allow_leading_hyphen=True, help="The JSON file; - reads standard input.")
]


@app.command
def create(
    name: Annotated[str, Parameter(help="What the store is called in commands.")],
    *,
    currency: Annotated[str, Parameter(help="Its ISO 4217 currency.")] = "USD",
    time_zone: Annotated[str, Parameter(help="Whose days its metrics count.")] = "UTC",
    number_prefix: Annotated[
        str, Parameter(help="What its order numbers begin with, like MNKY-.")
    ] = "",
    where: Where = HERE,
) -> None:
    """Make a store.

    Taxes, shipping methods, discount codes and the like come with `openorders store apply`.
    """
    from openorders.usecases.keep_stores import create_store

    document: dict[str, Any] = {
        "name": name,
        "currency": currency,
        "time_zone": time_zone,
        "number_prefix": number_prefix,
    }

    async def work(services: "Services") -> None:
        with problems_named():
            store = await create_store(services, document)
        print(f"Created the store {store.name}, in {store.currency}.")

    run(where, work)


@app.command(name="list")
def list_(*, json: AsJson = False, where: Where = HERE) -> None:
    """List the stores. Their numbers are in the addresses of pages and of gateways' notices."""
    from openorders.usecases.keep_stores import list_stores

    async def work(services: "Services") -> None:
        rows = [
            {
                "id": store.id,
                "name": store.name,
                "currency": store.currency,
                "time_zone": store.time_zone,
                "number_prefix": store.number_prefix,
            }
            for store in await list_stores(services)
        ]
        if json:
            as_json(rows)
        else:
            columns = ("id", "name", "currency", "time_zone", "number_prefix")
            as_table(rows, columns, "There is no store yet; `openorders store create` makes one.")

    run(where, work)


@app.command
def show(
    name: Annotated[str, Parameter(help="The store to show.")],
    *,
    json: AsJson = False,
    where: Where = HERE,
) -> None:
    """Show everything a store has decided, in the form that `store apply` reads.

    A shared secret is shown as `********`; applied again, it stays what it is.
    """
    from openorders.usecases.keep_stores import find_store
    from openorders.usecases.store_file import written

    del json  # what is shown is JSON either way

    async def work(services: "Services") -> None:
        with problems_named():
            as_json(written(await find_store(services, name)))

    run(where, work)


@app.command
def apply(
    file: File,
    /,
    *,
    store: Annotated[
        str | None, Parameter(help="The store that is meant, where the file renames it.")
    ] = None,
    where: Where = HERE,
) -> None:
    """Make a store what a JSON file says; one that is not there yet is made.

    Fields: `name`, `currency`, `time_zone`, `number_prefix`, `taxes` [{name, rate}], `tax_base`,
    `shipping_methods` [{code, cost, days}], `discount_codes` [{code, percent or amount}],
    `gateways` [{name, kind, capture, secret_key, webhook_secret}], `jwt` {issuer, audience, secret
    or jwks_url}, `unpaid_expiry` (minutes, or a text like 48h), `require_registered_customers`,
    `mails`. A secret that is written as `********` stays what it is. What the file leaves out stays
    as it is; with anything wrong, nothing is changed.
    """
    from openorders.usecases import store_file
    from openorders.usecases.keep_stores import apply_store

    with problems_named():
        document = store_file.parse(_text(file))

    async def work(services: "Services") -> None:
        with problems_named():
            outcome = await apply_store(services, document, name=store)
        print(f"The store {outcome.store.name} is {outcome.applied.value}.")
        if outcome.weak_secret:
            print(
                "openorders: jwt.secret is shorter than 32 bytes; a longer one cannot be guessed.",
                file=sys.stderr,
            )

    run(where, work)


def _text(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{file} is not UTF-8 text.") from error


@contextmanager
def problems_named() -> Generator[None, None, None]:
    """Turn what is wrong with a store's file, or its name, into a `CommandFailed`."""
    from openorders.usecases.keep_stores import StoreUnknownError
    from openorders.usecases.store_file import StoreFileError

    try:
        yield
    except StoreUnknownError as error:
        raise CommandFailed(str(error)) from error
    except StoreFileError as error:
        lines = [f"  {problem}" for problem in error.problems]
        raise CommandFailed("\n".join(("nothing was changed:", *lines))) from error
