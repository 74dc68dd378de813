"""Write to a customer in the language that they asked staff for."""

from openorders.domain.access import Role
from openorders.domain.ids import CustomerId
from openorders.domain.language import language_tag
from openorders.domain.refusals import CustomerNotFound, Refused
from openorders.store import mails
from openorders.usecases.context import Context


async def set_customer_language(
    ctx: Context, customer_id: CustomerId, language: str | None
) -> str | None:
    """From now on mails to the customer are in this language, given back in its one spelling;
    None: in the store's. Staff only. Refuses with `CustomerNotFound`.

    Raises `ValueError` for a text that names no language.
    """
    ctx.caller.require(Role.ADMIN, Role.SERVICE, to="set a customer's language")
    tag = None if language is None else language_tag(language)
    if language is not None and tag is None:
        raise ValueError("must be a language tag, like en or pt-BR")
    async with ctx.services.database.connection() as connection:
        known = await mails.set_language(connection, ctx.store_id, customer_id, tag)
    if not known:
        raise Refused(CustomerNotFound(customer_id))
    return tag
