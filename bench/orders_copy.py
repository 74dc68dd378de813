"""A chunk of made-up orders as texts for COPY: one writer per table, all for the same order.

This is where the time of making a million orders goes, so rows are put together by hand, column
for column in the order of `orders_rows.COLUMNS`.
"""

from dataclasses import dataclass, field
from typing import Final

from bench import orders_words as words
from bench.orders_drawn import DAY, Past, Plan, draw
from bench.orders_events import events_of, keys_of
from bench.orders_rows import (
    COLUMNS,
    CURRENCY,
    DISCOUNT_CODE,
    LINES_MAX,
    TAX,
    Costs,
    Numbers,
    costs_of,
    customer_name,
    day,
    in_json,
    line_state,
    moment,
    states_of,
    token,
    variant,
)

NO: Final = r"\N"
_CONTRACTS: Final = ("commerce", "storefront", "marketplace", "basic")


def texts(plan: Plan, numbers: Numbers, chunk: int) -> dict[str, bytes]:
    """The rows of a chunk's orders in all tables."""
    writer = _Writer(plan, numbers)
    for past in draw(plan, chunk):
        writer.write(past)
    return {table: "".join(rows).encode() for table, rows in writer.rows.items() if rows}


@dataclass(slots=True)
class _One:
    """What the rows of an order share."""

    past: Past
    costs: Costs
    order_id: int
    customer_id: int
    contract: str
    actor: str
    states: tuple[str, str, str]
    dice: int
    placed: str
    times: dict[str, str]
    """When it was placed, and when each of its steps was taken, as COPY reads it."""


@dataclass(slots=True)
class _Writer:
    plan: Plan
    numbers: Numbers
    rows: dict[str, list[str]] = field(default_factory=lambda: {table: [] for table in COLUMNS})

    def write(self, past: Past) -> None:
        dice = int(past.dice * 1_000_000)
        contract = "partner" if past.partner is not None else _CONTRACTS[dice // 100 % 4]
        one = _One(
            past=past,
            costs=costs_of(self.plan, past),
            order_id=self.numbers.order + past.place + 1,
            customer_id=self.numbers.customer_id(past.customer),
            contract=contract,
            actor=f"key:{_CONTRACTS.index(contract) + 1 if past.partner is None else 5}",
            states=states_of(past),
            dice=dice,
            placed=moment(past.at),
            times={word: moment(at) for word, at in past.steps},
        )
        self._order(one)
        self._lines(one)
        self._history(one)
        self._movements(one)
        if past.has("paid") or past.declined_at:
            self._payment(one)
        if past.refund:
            self._refund(one)
        told = self.plan, self.numbers, past, one.actor, contract
        self.rows["told"] += events_of(*told)
        self.rows["idempotency_keys"] += keys_of(*told)

    def _order(self, one: _One) -> None:
        past, costs, dice = one.past, one.costs, one.dice
        progress, payment, fulfilment = one.states
        number = past.place + 1
        partner = words.PARTNERS[past.partner] if past.partner is not None else NO
        reference = f"PO-{2023 + dice % 4}-{number:07d}" if past.partner is not None else NO
        taxes = (
            f'[{{"name": "{TAX[0]}", "rate": "{TAX[1]}", "amount": {costs.tax}}}]'
            if costs.taxed
            else "[]"
        )
        method = costs.method
        address = _address(past.customer, past.place) if method else NO
        shown = "credit_card" if past.gateway == "sandbox" else "bank_transfer"
        touched = (
            moment(past.last_at) if past.declined_at else [one.placed, *one.times.values()][-1]
        )
        self.rows["orders"].append(
            f"{self.numbers.store}\t{one.order_id}\t{number}\t{one.customer_id}\t{partner}\t"
            f"{reference}\t{CURRENCY}\t2\t{costs.subtotal}\t{costs.discount}\t{costs.shipping}\t"
            f"{costs.tax}\t{costs.total}\t{taxes}\t{DISCOUNT_CODE if costs.discount else NO}\t"
            f"{progress}\t{payment}\t{fulfilment}\t{'t' if past.asked else 'f'}\t"
            f"{method[0] if method else NO}\t"
            f"{day(past.at // DAY + method[2]) if method else NO}\t{address}\t"
            f"{address if dice % 5 in (0, 2, 4) else NO}\t{shown}\t{past.gateway}\t"
            f"{token(past.place, self.plan.seed)}\t"
            f"{words.NOTES[dice // 13 % len(words.NOTES)] if dice % 13 == 0 else NO}\t"
            f"{_shipment(past, dice) if past.has('shipped') else NO}\t"
            f"{_cancellation(past, dice) if past.has('cancelled') else NO}\t"
            f"{one.placed}\t{touched}\t{one.times.get('completed', NO)}\t"
            f"{1 + len(past.steps)}\n"
        )

    def _lines(self, one: _One) -> None:
        past, costs = one.past, one.costs
        first = self.numbers.line + past.place * LINES_MAX
        state = line_state(past)
        append = self.rows["order_lines"].append
        for n, (number, quantity) in enumerate(past.lines):
            sold = variant(number)
            append(
                f"{self.numbers.store}\t{one.order_id}\t{first + n + 1}\t{n + 1}\t{sold.product}\t"
                f"{number}\t{sold.product_name}\t{sold.name or NO}\t{sold.sku}\t{NO}\t"
                f"{costs.prices[n]}\t{quantity}\t{costs.discounts[n]}\t"
                f"{f'[{costs.taxes[n]}]' if costs.taxed else '[]'}\t{state}\n"
            )

    def _history(self, one: _One) -> None:
        lead = f"{self.numbers.store}\t{one.order_id}\t"
        tail = f"\t{one.actor}\t{one.contract}\t"
        append = self.rows["order_history"].append
        append(f"{lead}1\tcreated{tail}{one.placed}\n")
        for n, (word, at) in enumerate(one.times.items(), 2):
            append(f"{lead}{n}\t{word}{tail}{at}\n")

    def _movements(self, one: _One) -> None:
        past = one.past
        variants = ",".join(str(number) for number, _ in past.lines)
        quantities = ",".join(str(quantity) for _, quantity in past.lines)
        tail = f"\t{one.order_id}\t{{{variants}}}\t{{{quantities}}}\t"
        append = self.rows["stock_movements"].append
        append(f"{self.numbers.store}\treserve{tail}{one.placed}\n")
        if past.has("shipped"):
            append(f"{self.numbers.store}\tship{tail}{one.times['shipped']}\n")
        if past.has("cancelled"):
            append(f"{self.numbers.store}\trelease{tail}{one.times['cancelled']}\n")
        if past.refund == "all" and past.has("shipped"):
            append(f"{self.numbers.store}\treturn{tail}{one.times['refunded']}\n")

    def _payment(self, one: _One) -> None:
        past, total, numbers = one.past, one.costs.total, self.numbers
        place = past.place + 1
        declined = past.declined_at is not None
        at = moment(past.declined_at) if past.declined_at else one.times["paid"]
        begun = one.placed if past.charged else moment((past.declined_at or past.words["paid"]) - 1)
        by_card = past.gateway == "sandbox"
        brand, last_four = words.CARDS[one.dice % len(words.CARDS)] if by_card else (NO, NO)
        if declined:
            brand, last_four = NO, NO
        reference = f"ch_{numbers.charge + place}" if by_card and not declined else NO
        captured = 0 if declined else total
        back = _given_back(one)
        self.rows["payments"].append(
            f"{numbers.store}\t{numbers.payment + place}\t{one.order_id}\t{past.gateway}\t"
            f"{'credit_card' if by_card else 'bank_transfer'}\t{total}\t{CURRENCY}\t"
            f"{'declined' if declined else 'captured'}\t{captured}\t{back}\t{reference}\t{brand}\t"
            f"{last_four}\t{'insufficient_funds' if declined else NO}\t{begun}\t{at}\n"
        )
        self.rows["payment_operations"].append(
            f"{numbers.store}\t{numbers.operation + 2 * place - 1}\t{numbers.payment + place}\t"
            f"{one.order_id}\tcharge\t{total}\t{'failed' if declined else 'succeeded'}\t{NO}\t"
            f"{reference}\t{'insufficient_funds' if declined else NO}\t{NO}\t{one.actor}\t"
            f"{one.contract}\t{begun}\t{begun}\t{at}\n"
        )
        if by_card and not declined:
            self.rows["sandbox_charges"].append(
                f"{numbers.store}\t{numbers.charge + place}\tsandbox\t{one.order_id}\t{total}\t"
                f"{CURRENCY}\t{captured}\t{back}\t{brand}\t{last_four}\t{begun}\n"
            )

    def _refund(self, one: _One) -> None:
        past, costs, numbers = one.past, one.costs, self.numbers
        place, amount = past.place + 1, _given_back(one)
        goods = past.refund == "all" and past.has("shipped")
        at = one.times["refunded"]
        refund_id = numbers.refund + place
        self.rows["refunds"].append(
            f"{numbers.store}\t{refund_id}\t{one.order_id}\t{amount}\t"
            f"{costs.shipping if goods else 0}\t{0 if past.refund == 'all' else amount}\t"
            f"{words.REASONS[one.dice % len(words.REASONS)]}\t{'t' if goods else 'f'}\t"
            f"{one.actor}\t{one.contract}\t{at}\n"
        )
        self.rows["payment_operations"].append(
            f"{numbers.store}\t{numbers.operation + 2 * place}\t{numbers.payment + place}\t"
            f"{one.order_id}\trefund\t{amount}\tsucceeded\t{NO}\t{NO}\t{NO}\t{refund_id}\t"
            f"{one.actor}\t{one.contract}\t{at}\t{at}\t{at}\n"
        )
        if goods:
            first = numbers.line + past.place * LINES_MAX + 1
            self.rows["refund_lines"] += [
                f"{numbers.store}\t{refund_id}\t{one.order_id}\t{first + n}\t{quantity}\t"
                f"{costs.share(n, quantity)}\t{quantity}\t{quantity}\n"
                for n, (_, quantity) in enumerate(past.lines)
            ]


def _given_back(one: _One) -> int:
    if one.past.refund is None:
        return 0
    return one.costs.total if one.past.refund == "all" else max(1, one.costs.total // 5)


def _address(customer: int, place: int) -> str:
    name, _ = customer_name(customer)
    city, state, code = words.CITIES[customer * 31 % len(words.CITIES)]
    street = words.STREETS[customer * 17 % len(words.STREETS)]
    second = f'"Apt {place % 90 + 1}"' if customer % 4 == 0 else "null"
    return (
        f'{{"name": "{name}", "line1": "{customer % 990 + 1} {street} Street", "line2": {second}, '
        f'"city": "{city}", "state": "{state}", "postal_code": "{code}{customer % 100:02d}", '
        f'"country": "US", "phone": "+1 555 {customer % 10_000_000:07d}"}}'
    )


def _shipment(past: Past, dice: int) -> str:
    carrier, prefix, url = words.CARRIERS[dice % len(words.CARRIERS)]
    tracking = f"{prefix}{past.place * 7919 % 10**12:012d}"
    return (
        f'{{"carrier": "{carrier}", "tracking_number": "{tracking}", '
        f'"tracking_url": "{url}{tracking}", "shipped_at": {in_json(past.words["shipped"])}}}'
    )


def _cancellation(past: Past, dice: int) -> str:
    reason = words.REASONS[dice % len(words.REASONS)]
    at = in_json(past.words["cancelled"])
    return f'{{"reason": "{reason}", "comments": null, "at": {at}}}'
