"""Searches to SQL: pages of ids in order, and how many orders fit.

Like `conditions` it composes SQL, from constants of its own and what that renders. Which way a
page is found is decided in `walks`; here is what each way looks like.
"""

from collections.abc import Sequence
from typing import Final

from openorders.domain.ids import ID_MAX, StoreId
from openorders.domain.narrowing import narrowed
from openorders.domain.search import AnyLine, Column, Expression, Field, Page, Search, SortKey
from openorders.store import walks
from openorders.store.conditions import Composer, Statement
from openorders.store.walks import Walk

_PAGE: Final = (
    "with page as materialized"
    " (select * from unnest(array({})) with ordinality as winner (id, place))"
)
_CHOSEN: Final = (
    "with page as (select * from unnest($2::bigint[]) with ordinality as winner (id, place))"
)
_GATHERED: Final = (
    "with matched as materialized ({matched} limit {most})"
    " select (select count(*) from matched) as matches,"
    " array(select m.id from matched m order by {order} {cut}) as ids"
)
# `offset 0` keeps the order out of the way in which they are found.
_SORTED: Final = "select m.id from ({matched} offset 0) m order by {order} {cut}"
_MERGED: Final = "select leg.id from ({legs}) leg order by {order} {cut}"
# A line belongs to an order, so that orders with a line need not be read to be counted. Numbers
# that are sorted are told apart faster than in a table of hashes; `offset 0` keeps from reading
# all lines in the order of their orders for that.
_WITH_LINES: Final = (
    "select count(distinct m.order_id) from ("
    "select l.order_id from order_lines l where l.store_id = $1::bigint{condition} offset 0) m"
)
_ORDERS: Final = "from orders o where o.store_id = $1::bigint"


def is_walk(wanted: Search) -> bool:
    """Whether `page_then` takes the same steps whatever the values, so that its plan can be kept.

    Otherwise the statements of the search are to be planned for their values.
    """
    return walks.walk_of(wanted) is not None


def ids(store_id: StoreId, wanted: Search) -> Statement:
    """The ids of what fits, in order: one page, or all of them (for a cursor)."""
    composer = Composer(store_id)
    return composer.statement(_ids(composer, wanted))


def page_then(store_id: StoreId, wanted: Search, then: str) -> Statement:
    """The ids as `page (id, place)`, followed by the statement that reads it.

    Only the orders of the page are joined to anything, however many were skipped over. `then`
    comes from a `.sql` file, may use `$1` for the store, and ends with `order by page.place`.
    """
    composer = Composer(store_id)
    page = _PAGE.format(_ids(composer, wanted))
    return composer.statement(f"{page}\n{then}")


def these_then(store_id: StoreId, chosen: Sequence[int], then: str) -> Statement:
    """The same with ids that are known already, in their order."""
    return Statement(f"{_CHOSEN}\n{then}", (store_id, list(chosen)))


def gathered(store_id: StoreId, wanted: Search, page: Page, most: int) -> Statement:
    """One row: `matches`, how many fit, and `ids`, the page of them.

    It finds all that fit before it sorts them, and gives up at `most`: more `matches` than that
    mean that there are more, and the ids mean nothing.
    """
    composer = Composer(store_id)
    matched, order = _keyed(composer, wanted)
    cut = _cut(composer, page)
    return composer.statement(
        _GATHERED.format(matched=matched, order=order, cut=cut, most=most + 1)
    )


def count(store_id: StoreId, criteria: Expression) -> Statement:
    """How many orders fit, exactly."""
    composer = Composer(store_id)
    lines = walks.lines_alone(criteria)
    if lines is None or lines.condition is None:
        return composer.statement(f"select count(*) {_ORDERS}{_condition(composer, criteria)}")
    condition = composer.condition(lines.condition)
    if isinstance(lines, AnyLine):
        return composer.statement(_WITH_LINES.format(condition=condition))
    failing = _WITH_LINES.format(condition=f" and (true{condition}) is not true")
    return composer.statement(f"select (select count(*) {_ORDERS}) - ({failing}) as count")


def where(store_id: StoreId, criteria: Expression) -> Statement:
    """What follows `where o.store_id = $1` in a statement over `orders o`; empty for everything."""
    composer = Composer(store_id)
    return composer.statement(composer.condition(narrowed(criteria).criteria))


def _ids(composer: Composer, wanted: Search) -> str:
    walk = walks.walk_of(wanted)
    if walk is not None and len(walk.words) > 1 and wanted.page is not None:
        return _merged(composer, walk, wanted.page)
    if wanted.page is not None and (walks.is_in_stretches(wanted) if walk is None else walk.sorted):
        matched, order = _keyed(composer, wanted)
        return _SORTED.format(matched=matched, order=order, cut=_cut(composer, wanted.page))
    keys = [composer.sort(key) for key in wanted.total_order]
    order = ", ".join(f"{key}{falls}" for key, falls in keys)
    condition = (
        _condition(composer, wanted.criteria)
        if walk is None
        else composer.condition(narrowed(wanted.criteria).criteria)
    )
    cut = "" if wanted.page is None else _cut(composer, wanted.page)
    return f"select o.id {_ORDERS}{condition} order by {order} {cut}".rstrip()


def _merged(composer: Composer, walk: Walk, page: Page) -> str:
    """One index for each word, read side by side and merged by the key.

    Each ends where the page does: with a limit of its own it is read in order whatever is
    believed of the tables' sizes.
    """
    falls = " desc" if walk.descending else ""
    keys = [
        composer.sort(SortKey(key=Column(field=field), descending=walk.descending))[0]
        for field in walk.by
    ]
    key = f"{keys[0]} as key, o.id"
    order = ", ".join(f"{one}{falls}" for one in keys)
    rest = composer.condition(walk.rest)
    end = composer.bound(min(page.offset + page.limit, ID_MAX))
    legs = " union all ".join(
        f"(select {key} {_ORDERS} and o.word = {composer.bound(word)}{rest}"
        f" order by {order} limit {end})"
        for word in walk.words
    )
    merged = f"leg.key{falls}, leg.id{falls}" if walk.by != (Field.ID,) else f"leg.id{falls}"
    return _MERGED.format(legs=legs, order=merged, cut=_cut(composer, page))


def _keyed(composer: Composer, wanted: Search) -> tuple[str, str]:
    """What fits with what to sort it by, and the order for it as `m`."""
    keys = [composer.sort(key) for key in wanted.total_order]
    columns = "".join(f", {key} as k{number}" for number, (key, _) in enumerate(keys))
    order = ", ".join(f"m.k{number}{falls}" for number, (_, falls) in enumerate(keys))
    return f"select o.id{columns} {_ORDERS}{_condition(composer, wanted.criteria)}", order


def _condition(composer: Composer, criteria: Expression) -> str:
    return composer.condition(walks.for_every_index(narrowed(criteria)).criteria)


def _cut(composer: Composer, page: Page) -> str:
    limit = f"limit {composer.bound(page.limit)}"
    return f"{limit} offset {composer.bound(page.offset)}" if page.offset else limit
