"""Orders of one store that arrived together, placed with one question and one statement.

Each has a fate of its own: a refusal is only for the one it concerns, and where stock is short
for all of them together, or the database refuses one, they are placed one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from openorders.domain.customer import Customer, Identity
from openorders.domain.ids import StoreId
from openorders.domain.order import Order
from openorders.domain.refusals import Refused
from openorders.store import placing
from openorders.store.database import Connection, is_connection_loss
from openorders.store.placing import Asked, Placed, Prepared, Ready
from openorders.store.stock import Short
from openorders.usecases.answers import Answer, Reply, replay, replay_of
from openorders.usecases.context import Context, Services
from openorders.usecases.draft_order import PlaceOrder, draft, first_events, out_of_stock

Fate = Answer | Exception
"""What became of one of several orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """An order to be placed without a charge, and how its contract words the result."""

    ctx: Context
    command: PlaceOrder
    reply: Reply[Order]

    @property
    def digest(self) -> bytes | None:
        """What names its idempotency key."""
        return self.ctx.keyed.digest if self.ctx.keyed else None


@dataclass(frozen=True, slots=True)
class _Worded:
    """An order that is ready to be written, and the answer that is kept with it."""

    place: int
    ready: Ready
    answer: Answer


async def place_together(services: Services, gathered: Sequence[Placing]) -> list[Fate]:
    """Place orders of one store; for each the answer, or why there is none.

    A twin of another one waits for its answer.
    """
    first: dict[bytes, int] = {}
    twins: list[int] = []
    for place, one in enumerate(gathered):
        if one.digest is not None and first.setdefault(one.digest, place) != place:
            twins.append(place)
    alone = set(twins)
    together = [place for place in range(len(gathered)) if place not in alone]
    some = await _place_or_part(services, [gathered[place] for place in together])
    fates: dict[int, Fate] = dict(zip(together, some, strict=True))
    for place in twins:
        fates[place] = await _alone(services, gathered[place])
    return [fates[place] for place in range(len(gathered))]


async def _place_or_part(services: Services, gathered: Sequence[Placing]) -> list[Fate]:
    """Place them with one statement, unless one of them makes the database refuse them all."""
    try:
        return await _place(services, gathered)
    except Exception as error:
        if len(gathered) == 1 or is_connection_loss(error):
            raise
        return [await _alone(services, one) for one in gathered]


async def _alone(services: Services, one: Placing) -> Fate:
    try:
        return (await _place(services, [one]))[0]
    except Exception as error:  # noqa: BLE001 - handed to the one it concerns
        return error


async def _place(services: Services, gathered: Sequence[Placing]) -> list[Fate]:
    fates: list[Fate | None] = [None] * len(gathered)
    async with services.database.connection() as connection:
        worded = await _word(connection, gathered, fates)
        placed = await _write(connection, gathered[0].ctx.store_id, worded)
    for one, outcome in zip(worded, placed, strict=True):
        fates[one.place] = await _fate(services, gathered[one.place], one, outcome, len(worded))
    return [
        await _registering(services, one) if fate is None else fate
        for one, fate in zip(gathered, fates, strict=True)
    ]


async def _registering(services: Services, one: Placing) -> Fate:
    try:
        return await _register_and_place(services, one)
    except Exception as error:  # noqa: BLE001 - handed to the one it concerns
        return error


async def _register_and_place(services: Services, one: Placing) -> Fate:
    """Place the first order of somebody whom others know: registered with it, or not at all."""
    asked = Asked(lines=one.command.lines, customer=one.command.customer, digest=one.digest)
    async with services.database.transaction() as tx:
        (known,) = await placing.prepare(tx, one.ctx.store_id, [asked])
        if known.known is not None and one.ctx.keyed is not None:
            return replay_of(known.known, one.ctx.keyed)
        customer = await registered(tx, one.ctx, one.command, known)
        worded = _ready(0, one, draft(one.ctx, one.command, known, customer))
        (placed,) = await placing.place(tx, one.ctx.store_id, [worded.ready])
        if placed.variant_id is not None:
            raise out_of_stock(worded.ready.order, Short(placed.variant_id, placed.left))
    return await _fate(services, one, worded, placed, 1)


async def registered(
    connection: Connection, ctx: Context, command: PlaceOrder, prepared: Prepared
) -> Customer | None:
    """Register who is new under a name of somebody else's, in the transaction that is open. None
    for everybody else.
    """
    if prepared.customer is not None or not isinstance(command.customer, Identity):
        return None
    return await placing.register_identity(connection, ctx.store_id, command.customer, ctx.now())


async def _word(
    connection: Connection, gathered: Sequence[Placing], fates: list[Fate | None]
) -> list[_Worded]:
    """Ask what they need to know, and word what can be written. The others have their fate now,
    apart from those whose customer is to be registered first.
    """
    asked = [
        Asked(lines=one.command.lines, customer=one.command.customer, digest=one.digest)
        for one in gathered
    ]
    prepared = await placing.prepare(connection, gathered[0].ctx.store_id, asked)
    worded: list[_Worded] = []
    for place, (one, known) in enumerate(zip(gathered, prepared, strict=True)):
        try:
            if known.known is not None and one.ctx.keyed is not None:
                fates[place] = replay_of(known.known, one.ctx.keyed)
            elif known.customer is not None or not isinstance(one.command.customer, Identity):
                worded.append(_ready(place, one, draft(one.ctx, one.command, known)))
        except Refused as refused:
            fates[place] = refused
    return worded


def _ready(place: int, one: Placing, order: Order) -> _Worded:
    answer = one.reply.done(order)
    kept = (answer.status, answer.headers, answer.body)
    ready = Ready(order=order, events=first_events(order), key=one.ctx.keyed, answer=kept)
    return _Worded(place, ready, answer)


async def _write(
    connection: Connection, store_id: StoreId, worded: Sequence[_Worded]
) -> list[Placed]:
    if not worded:
        return []
    return await placing.place(connection, store_id, [one.ready for one in worded])


async def _fate(
    services: Services, one: Placing, worded: _Worded, placed: Placed, together: int
) -> Fate:
    match placed.outcome:
        case "placed":
            return worded.answer
        case "twin":
            assert one.ctx.keyed is not None, "only keys have twins"
            try:
                return await replay(one.ctx, one.ctx.keyed)
            except Refused as refused:
                return refused
        case "short" if together > 1:
            return await _alone(services, one)
        case "short":
            assert placed.variant_id is not None, "it is short of something"
            return out_of_stock(worded.ready.order, Short(placed.variant_id, placed.left))
