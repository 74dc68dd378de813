"""`openorders db`: the database below everything."""

from typing import Final

from cyclopts import App

from openorders.cli.ending import until_ended
from openorders.cli.showing import AsJson, as_json
from openorders.cli.working import HERE, Where, report, sentences, settings_for

app: Final = App(name="db", help="Migrate the database, and say where it is.")


@app.command
def migrate(*, where: Where = HERE) -> None:
    """Bring the tables to what this version expects.

    A server does this by itself when it starts. Safe to run from several places at once.
    """
    from openorders import installation, services

    settings = settings_for(where)

    async def work() -> int:
        async with installation.command_url(settings, report) as url:
            return await services.migrated(url, report)

    with sentences():
        applied = until_ended(work())
    counted = f"Applied {applied} migration{'' if applied == 1 else 's'}."
    print(counted if applied else "The database is up to date.")


@app.command
def status(*, json: AsJson = False, where: Where = HERE) -> None:
    """Show which migrations are still to be applied."""
    from openorders import installation, services

    settings = settings_for(where)

    async def work() -> tuple[str, ...]:
        async with installation.command_url(settings, report) as url:
            return await services.unmigrated(url)

    with sentences():
        pending = until_ended(work())
    if json:
        as_json({"pending": pending})
    else:
        print("\n".join(pending) if pending else "The database is up to date.")


@app.command
def url(*, where: Where = HERE) -> None:
    """Print the database's URL, for psql and backups. It holds a password.

    An embedded database answers there for as long as its server runs.
    """
    from openorders import installation

    settings = settings_for(where)

    async def work() -> str:
        async with installation.command_url(settings, report) as found:
            return found

    with sentences():
        print(until_ended(work()))
