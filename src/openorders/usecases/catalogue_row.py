"""One row of a catalogue file: from what is written to a variant, with everything that is wrong."""

import re
from decimal import Decimal
from typing import Final

from openorders.domain.ids import ID_MAX, ProductId, VariantId
from openorders.domain.money import AMOUNT_MAX, from_decimal
from openorders.domain.store_settings import Store
from openorders.store.catalogue import CatalogueRow, Given, RowProblem
from openorders.usecases.catalogue_file import REQUIRED, FileRow

TEXT_CHARS_MAX: Final = 300
IMAGE_CHARS_MAX: Final = 2000
STOCK_MAX: Final = 10**12

_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_AMOUNT: Final = re.compile(r"[0-9]{1,16}(\.[0-9]{1,8})?", re.ASCII)
_YES: Final = ("true", "yes", "1")
_NO: Final = ("false", "no", "0")
_OPTIONAL: Final = {
    "variant_name": Given.VARIANT_NAME,
    "sku": Given.SKU,
    "image": Given.IMAGE,
    "available": Given.AVAILABLE,
    "stock": Given.STOCK,
}


def read(row: FileRow, store: Store) -> CatalogueRow | list[RowProblem]:
    """The row as a variant of the store, or all its problems."""
    if row.problem is not None:
        return [_problem(row, row.problem)]
    cells = _Cells(row)
    for name in REQUIRED:
        if cells.is_empty(name):
            cells.wrong(name, "is required")
    cells.require_currency(store.currency)
    variant_id = cells.whole("variant_id", 1, ID_MAX)
    read_row = CatalogueRow(
        line=row.line,
        product_id=ProductId(cells.whole("product_id", 1, ID_MAX) or 0),
        product_name=cells.words("product_name", TEXT_CHARS_MAX) or "",
        variant_id=None if variant_id is None else VariantId(variant_id),
        variant_name=cells.words("variant_name", TEXT_CHARS_MAX),
        sku=cells.words("sku", TEXT_CHARS_MAX),
        price=cells.price("price", store.minor_digits) or 0,
        on_hand=cells.whole("stock", 0, STOCK_MAX),
        available=cells.flag("available"),
        image=cells.words("image", IMAGE_CHARS_MAX),
        given=Given(sum(bit for name, bit in _OPTIONAL.items() if name in row.values)),
    )
    return cells.problems or read_row


def _problem(row: FileRow, what: str) -> RowProblem:
    return RowProblem(row.line, what if row.entry is None else f"entry {row.entry}: {what}")


class _Cells:
    """The values of a row, each read by its own rule. An empty one counts as none."""

    def __init__(self, row: FileRow) -> None:
        self._row = row
        self.problems: list[RowProblem] = []

    def wrong(self, name: str, what: str) -> None:
        self.problems.append(_problem(self._row, f"{name} {what}"))

    def is_empty(self, name: str) -> bool:
        value = self._row.values.get(name)
        return value is None or (isinstance(value, str) and not value.strip())

    def text(self, name: str) -> str | None:
        """The value as it would stand in a CSV file; JSON's numbers and flags too."""
        match self._row.values.get(name):
            case None | "":
                return None
            case bool() as flag:
                return str(flag).lower()
            case str() as text:
                return text.strip() or None
            case int() | Decimal() as number:
                return format(number, "f") if isinstance(number, Decimal) else str(number)
            case _:
                self.wrong(name, "must be a text or a number")
                return None

    def words(self, name: str, chars_max: int) -> str | None:
        text = self.text(name)
        if text is None:
            return None
        if len(text) > chars_max:
            self.wrong(name, f"must have at most {chars_max} characters")
        elif not text.isprintable():
            self.wrong(name, "must not have control characters")
        return text

    def whole(self, name: str, least: int, most: int) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            self.wrong(name, f"must be a whole number from {least} to {most}, not {_short(text)}")
            return None
        return int(text)

    def price(self, name: str, digits: int) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        minor = None
        if _AMOUNT.fullmatch(text):
            minor = from_decimal(Decimal(text), digits)
            if minor is None and Decimal(text) <= AMOUNT_MAX:
                self.wrong(name, f"must have at most {digits} digits after the point")
                return None
        if minor is None:
            self.wrong(name, f"must be an amount like 12.50, not {_short(text)}")
        return minor

    def flag(self, name: str) -> bool:
        """Whether it can be bought; nothing said means yes."""
        text = self.text(name)
        if text is None:
            return True
        if text.lower() not in (*_YES, *_NO):
            self.wrong(name, f"must be true or false, not {_short(text)}")
        return text.lower() not in _NO

    def require_currency(self, currency: str) -> None:
        text = self.text("currency")
        if text is not None and text != currency:
            self.wrong("currency", f"must be {currency}, the store's, not {_short(text)}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")  # noqa: PLR2004 - fits a line
