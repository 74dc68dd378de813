"""Orders of one store that arrived together, placed with one question and one statement.

Each has a fate of its own. Where stock is short for all of them together, those that cannot have
what they want are refused and the others go on together; where the database refuses the statement,
whatever has no fate yet is placed one by one.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from openorders.domain.customer import Customer, Identity
from openorders.domain.ids import VariantId
from openorders.domain.order import Order
from openorders.domain.refusals import Refused
from openorders.store import placing
from openorders.store.database import (
    Connection,
    OutcomeUnknownError,
    is_connection_loss,
    ran_out_of_time,
)
from openorders.store.placing import Asked, Prepared, Ready
from openorders.store.stock import Short
from openorders.usecases.answers import Answer, Reply, replay, replay_of
from openorders.usecases.context import Context, Services
from openorders.usecases.draft_order import PlaceOrder, draft, first_events, out_of_stock

Fate = Answer | Exception
"""What became of one of several orders."""


class Placing(Struct, frozen=True, kw_only=True, eq=False):
    """An order to be placed without a charge, and how its contract words the result."""

    ctx: Context
    command: PlaceOrder
    reply: Reply[Order]

    @property
    def digest(self) -> bytes | None:
        """What names its idempotency key."""
        return self.ctx.keyed.digest if self.ctx.keyed else None


class _Worded(Struct, frozen=True, eq=False):
    """An order that is ready to be written, and the answer that is kept with it."""

    one: Placing
    ready: Ready
    answer: Answer


class _Fates:
    """What became of whom."""

    def __init__(self, gathered: Sequence[Placing]) -> None:
        self._found: dict[Placing, Fate | None] = dict.fromkeys(gathered)

    def settle(self, one: Placing, fate: Fate) -> None:
        self._found[one] = fate

    def settle_open(self, fate: Fate) -> None:
        """The same for all who have none."""
        for one in self.open():
            self.settle(one, fate)

    def open(self) -> list[Placing]:
        """Those without a fate."""
        return [one for one, fate in self._found.items() if fate is None]

    def all(self) -> list[Fate]:
        """In the order in which they came."""
        return [fate for fate in self._found.values() if fate is not None]


async def place_together(services: Services, gathered: Sequence[Placing]) -> list[Fate]:
    """Place orders of one store; for each the answer, or why there is none.

    A twin of another one waits for its answer. When the connection is lost or time runs out, all
    who have no fate yet are told so (decision 0014). Raises `OutcomeUnknownError` when what was
    written is not confirmed.
    """
    fates = _Fates(gathered)
    newcomers: set[Placing] = set()
    try:
        newcomers = await _place(services, _without_twins(gathered), fates)
    except OutcomeUnknownError:
        raise
    except Exception as error:  # noqa: BLE001 - handed to those whom it concerns
        if len(gathered) == 1 or _would_meet_all(error):
            fates.settle_open(error)
    for one in fates.open():
        fate = await _alone(services, one, is_new=one in newcomers)
        if isinstance(fate, Exception) and _would_meet_all(fate):
            fates.settle_open(fate)
            break
        fates.settle(one, fate)
    return fates.all()


def _would_meet_all(error: Exception) -> bool:
    """Whether it says nothing of one order: if each tried by itself, each would wait as long."""
    return is_connection_loss(error) or ran_out_of_time(error)


def _without_twins(gathered: Sequence[Placing]) -> list[Placing]:
    """The first under each key."""
    digests: set[bytes] = set()
    first: list[Placing] = []
    for one in gathered:
        if one.digest is not None:
            if one.digest in digests:
                continue
            digests.add(one.digest)
        first.append(one)
    return first


async def _alone(services: Services, one: Placing, *, is_new: bool) -> Fate:
    fates = _Fates([one])
    try:
        if is_new or await _place(services, [one], fates):
            return await _register_and_place(services, one)
    except Exception as error:  # noqa: BLE001 - handed to the one it concerns
        return error
    return fates.all()[0]


async def _place(services: Services, gathered: Sequence[Placing], fates: _Fates) -> set[Placing]:
    """Settle the fates of all but those whose customer is to be registered first: these come
    back.
    """
    async with services.database.connection() as connection:
        worded, newcomers = await _word(connection, gathered, fates)
        late = await _write(connection, worded, fates)
    for one in late:
        fates.settle(one, await _replayed(one))
    return newcomers


async def _word(
    connection: Connection, gathered: Sequence[Placing], fates: _Fates
) -> tuple[list[_Worded], set[Placing]]:
    """Ask what they need to know, word what can be written, and refuse what cannot."""
    asked = [
        Asked(lines=one.command.lines, customer=one.command.customer, digest=one.digest)
        for one in gathered
    ]
    prepared = await placing.prepare(connection, gathered[0].ctx.store_id, asked)
    worded: list[_Worded] = []
    newcomers: set[Placing] = set()
    for one, known in zip(gathered, prepared, strict=True):
        try:
            if known.known is not None and one.ctx.keyed is not None:
                fates.settle(one, replay_of(known.known, one.ctx.keyed))
            elif known.customer is None and isinstance(one.command.customer, Identity):
                newcomers.add(one)
            else:
                worded.append(_ready(one, known, None))
        except Refused as refused:
            fates.settle(one, refused)
    return worded, newcomers


def _ready(one: Placing, known: Prepared, registered: Customer | None) -> _Worded:
    order = draft(one.ctx, one.command, known, registered)
    answer = one.reply.done(order)
    ready = Ready(
        order=order,
        events=first_events(order),
        customer_is_known=(registered or known.customer) is not None,
        key=one.ctx.keyed,
        answer=(answer.status, answer.headers, answer.body),
    )
    return _Worded(one, ready, answer)


async def _write(connection: Connection, worded: Sequence[_Worded], fates: _Fates) -> list[Placing]:
    """Write them, together as far as the stock goes. Those come back whose key was taken
    meanwhile.
    """
    late: list[Placing] = []
    waiting = list(worded)
    while waiting:
        now, waiting = waiting, []
        store_id = now[0].one.ctx.store_id
        outcome = await placing.place(connection, store_id, [one.ready for one in now])
        while outcome.short and now:
            now, later = _parted(now, outcome.short, fates)
            waiting = later + waiting
            if now:
                outcome = await placing.place(connection, store_id, [one.ready for one in now])
        for one in now:
            if one.ready.order.id in outcome.placed:
                fates.settle(one.one, one.answer)
            else:
                late.append(one.one)
    return late


def _parted(
    worded: Sequence[_Worded], left: Mapping[VariantId, int], fates: _Fates
) -> tuple[list[_Worded], list[_Worded]]:
    """Those for whom what is left suffices, the first come first, and those who have to see what
    remains after them. Whoever alone wants more than is left is refused.
    """
    now: list[_Worded] = []
    later: list[_Worded] = []
    remaining = dict(left)
    for one in worded:
        wanted = _wanted(one.ready.order, left)
        if short := _short(wanted, left):
            fates.settle(one.one, out_of_stock(one.ready.order, short))
        elif _short(wanted, remaining):
            later.append(one)
        else:
            now.append(one)
            for variant_id, quantity in wanted.items():
                remaining[variant_id] -= quantity
    return now, later


def _wanted(order: Order, of: Mapping[VariantId, int]) -> dict[VariantId, int]:
    wanted: dict[VariantId, int] = {}
    for line in order.lines:
        if line.variant_id in of:
            wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
    return wanted


def _short(wanted: Mapping[VariantId, int], left: Mapping[VariantId, int]) -> Short | None:
    """The first variant of which more is wanted than there is."""
    short = (variant_id for variant_id in sorted(wanted) if wanted[variant_id] > left[variant_id])
    variant_id = next(short, None)
    return None if variant_id is None else Short(variant_id, left[variant_id])


async def _replayed(one: Placing) -> Fate:
    assert one.ctx.keyed is not None, "only keys have twins"
    try:
        return await replay(one.ctx, one.ctx.keyed)
    except Refused as refused:
        return refused


async def _register_and_place(services: Services, one: Placing) -> Fate:
    """Place the first order of somebody whom others know: registered with it, or not at all."""
    asked = Asked(lines=one.command.lines, customer=one.command.customer, digest=one.digest)
    fates = _Fates([one])
    async with services.database.transaction() as tx:
        (known,) = await placing.prepare(tx, one.ctx.store_id, [asked])
        if known.known is not None and one.ctx.keyed is not None:
            return replay_of(known.known, one.ctx.keyed)
        customer = await registered(tx, one.ctx, one.command, known)
        late = await _write(tx, [_ready(one, known, customer)], fates)
        for fate in fates.all():
            if isinstance(fate, Exception):
                raise fate
    return await _replayed(one) if late else fates.all()[0]


async def registered(
    connection: Connection, ctx: Context, command: PlaceOrder, prepared: Prepared
) -> Customer | None:
    """Register who is new under a name of somebody else's, in the transaction that is open. None
    for everybody else.
    """
    if prepared.customer is not None or not isinstance(command.customer, Identity):
        return None
    return await placing.register_identity(connection, ctx.store_id, command.customer, ctx.now())
