"""Statements whose plans are not checked by themselves, each with the reason."""

from typing import Final

EXEMPT: Final = {
    # No statements over tables that grow.
    "embedded": "makes roles and databases",
    "migrate": "changes the schema",
    "database": "asks for settings",
    "catalogue.index_rows": "no statement that has a plan",
    "catalogue.tell_the_planner": "no statement that has a plan",
    "catalogue.hold_stock_still": "no statement that has a plan",
    "reconciling.tell_the_planner": "no statement that has a plan",
    # Parts of other statements: `test_lists` runs those.
    "listing.orders_of_page": "what follows a page, which the search puts in front",
    # Everything is what was asked for.
    "ledgers": "`openorders verify` recomputes all books from all rows",
    "figures.figure_differences": "`openorders verify`, too",
    "figures.rebuild": "computes the figures of a store from its orders: a repair",
    "exports.rows_per_order": "an export of everything, read through a cursor",
    "exports.rows_per_line": "an export of everything, read through a cursor",
    "exports.has_more_orders": "an export of everything asks it, and it ends at 50,000 orders",
    "exports.count_orders": "an export says how many rows it has; it is a search's condition",
    "exports.count_lines": "an export says how many rows it has; it is a search's condition",
    "reconciling.unlike_there": "`verify --gateway` compares all payments of a time",
    "reconciling.unknown_here": "`verify --gateway` compares all payments of a time",
    "reconciling.drop_entries": "takes back all that one comparison has written",
    "reconciling.drop_old_entries": "takes back what comparisons left that were cut off",
    "sandbox_ledger.opened_charges": "the sandbox's own books for such a comparison",
    "sandbox_ledger.charges_of_order": "asks the sandbox's own books in tests; nobody else does",
    "webhook_endpoints.add_secret": "every endpoint of the million has a lasting secret already",
}
"""By file, or by file and name."""
