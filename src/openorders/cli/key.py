"""`openorders key`: the API keys of stores."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from openorders.cli.failing import CommandFailed
from openorders.cli.showing import AsJson, as_json, as_table
from openorders.cli.store import problems_named
from openorders.cli.working import HERE, Where, run

if TYPE_CHECKING:
    from openorders.usecases.context import Services

app = App(name="key", help="Make, list and revoke API keys. A key works in all five contracts.")


@app.command
def create(
    *,
    store: Annotated[str, Parameter(help="The store whose orders the key opens.")],
    role: Annotated[
        Literal["admin", "service", "partner", "customer"],
        Parameter(
            help="admin and service see all of the store's orders, partner those of one partner, "
            "customer those of one customer; only admin may use storefront's admin paths."
        ),
    ],
    partner: Annotated[str | None, Parameter(help="The partner's name, for that role.")] = None,
    customer: Annotated[int | None, Parameter(help="The customer's number, for that role.")] = None,
    label: Annotated[str | None, Parameter(help="A note for `key list`.")] = None,
    where: Where = HERE,
) -> None:
    """Make a key, and print it: the one time it can be seen.

    Nothing but the key goes to standard output. Only its hash is stored.
    """
    from openorders.domain.access import Role
    from openorders.usecases.keep_keys import KeyRefusedError, WantedKey, create_key

    wanted = WantedKey(
        store=store, role=Role(role), partner_name=partner, customer_id=customer, label=label
    )

    async def work(services: "Services") -> None:
        try:
            with problems_named():
                key = await create_key(services, wanted)
        except KeyRefusedError as error:
            raise CommandFailed(str(error)) from error
        print(key.text)
        print(
            f"Key {key.id} of {store}, role {role}. Keep it now: it is not shown again.",
            file=sys.stderr,
        )

    run(where, work)


@app.command(name="list")
def list_(
    *,
    store: Annotated[str | None, Parameter(help="Only the keys of this store.")] = None,
    json: AsJson = False,
    where: Where = HERE,
) -> None:
    """List keys by their numbers; the keys themselves are nowhere to be had."""
    from openorders.usecases.keep_keys import list_keys

    async def work(services: "Services") -> None:
        with problems_named():
            keys = await list_keys(services, store)
        rows = [
            {
                "id": key.id,
                "store": key.store,
                "role": key.role.value,
                "partner": key.partner_name,
                "customer": key.customer_id,
                "label": key.label,
                "created_at": key.created_at.isoformat(timespec="seconds"),
                "revoked_at": key.revoked_at and key.revoked_at.isoformat(timespec="seconds"),
            }
            for key in keys
        ]
        if json:
            as_json(rows)
        else:
            as_table(rows, list(rows[0]) if rows else (), "There is no key yet.")

    run(where, work)


@app.command
def revoke(
    key: Annotated[str, Parameter(help="The key's number from `key list`, or the key itself.")],
    /,
    *,
    where: Where = HERE,
) -> None:
    """End a key. Every running server refuses it from that moment on."""
    from openorders.usecases.keep_keys import KeyRefusedError, revoke_key

    async def work(services: "Services") -> None:
        try:
            revoked = await revoke_key(services, key)
        except KeyRefusedError as error:
            raise CommandFailed(str(error)) from error
        print(
            f"Key {revoked.id} is revoked."
            if revoked.now
            else f"Key {revoked.id} was revoked before."
        )

    run(where, work)
