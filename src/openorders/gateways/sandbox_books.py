"""What the sandbox needs of whoever keeps its books, and what is written in them.

The books are the sandbox's own, as those of a provider are: the order book never reads them.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal, Protocol

from openorders.domain.ids import StoreId

PageKind = Literal["hosted", "3ds"]
"""A page where a buyer chooses how to pay, or one where the bank asks who they are."""

PageState = Literal["open", "accepted", "refused", "voided"]


class RecordedCharge(Protocol):
    """A payment in the sandbox's own books. Amounts are minor units."""

    @property
    def id(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def captured(self) -> int: ...
    @property
    def refunded(self) -> int: ...
    @property
    def voided(self) -> bool: ...
    @property
    def card_brand(self) -> str | None: ...
    @property
    def card_last_four(self) -> str | None: ...


class ListedCharge(RecordedCharge, Protocol):
    """A payment as it is listed. `held` says whether its money is, or was, really there."""

    @property
    def key(self) -> str | None: ...
    @property
    def held(self) -> bool: ...
    @property
    def at(self) -> datetime: ...


class RecordedPage(Protocol):
    """A page on which a buyer decides about a payment. `captures` says what their yes does."""

    @property
    def token(self) -> str: ...
    @property
    def charge_id(self) -> int: ...
    @property
    def order_id(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def kind(self) -> PageKind: ...
    @property
    def captures(self) -> bool: ...
    @property
    def state(self) -> PageState: ...
    @property
    def return_url(self) -> str: ...


class RecordedCall(Protocol):
    """A call that arrived: the whole request, and what was answered."""

    @property
    def kind(self) -> str: ...
    @property
    def request(self) -> bytes: ...
    @property
    def outcome(self) -> bytes: ...


class RecordedMethod(Protocol):
    """A card that a buyer left. `token` is the one it came as."""

    @property
    def id(self) -> int: ...
    @property
    def customer(self) -> str: ...
    @property
    def token(self) -> str: ...


class Book(Protocol):
    """One entry into the sandbox's books: all of it is kept, or nothing."""

    async def begin(self, key: str, kind: str, request: bytes) -> RecordedCall | None:
        """Take the key for this call; the earlier call when it was taken before."""
        ...

    async def answer(self, key: str, outcome: bytes) -> None:
        """Remember what is answered to the call that began."""
        ...

    async def open(
        self,
        *,
        key: str,
        order_id: int,
        amount: int,
        currency: str,
        captured: int,
        card_brand: str | None,
        card_last_four: str | None,
    ) -> int:
        """Enter a new payment and return its number."""
        ...

    async def charge(self, charge_id: int) -> RecordedCharge | None:
        """A payment, held until this entry is complete."""
        ...

    async def change(self, charge_id: int, *, captured: int, refunded: int, voided: bool) -> None:
        """Enter what a payment has become."""
        ...

    async def name_card(self, charge_id: int, brand: str, last_four: str) -> None:
        """Enter which card a payment was made with."""
        ...

    async def open_page(
        self, charge_id: int, token: str, *, kind: PageKind, captures: bool, return_url: str
    ) -> None:
        """Let a buyer decide about a payment under an address that nobody guesses."""
        ...

    async def page(self, token: str) -> RecordedPage | None:
        """The page behind a token."""
        ...

    async def page_of(self, charge_id: int) -> RecordedPage | None:
        """The page of a payment, if it has one."""
        ...

    async def close_page(self, token: str, state: PageState) -> None:
        """Enter what became of a page."""
        ...

    async def keep_method(self, key: str, customer: str, token: str) -> RecordedMethod:
        """Keep a card; the same key again gives the same card."""
        ...

    async def method(self, method_id: int) -> RecordedMethod | None:
        """A card that was kept and not forgotten."""
        ...

    async def forget_method(self, method_id: int) -> None:
        """Let go of a card."""
        ...


class Ledger(Protocol):
    """Where the sandbox keeps its books."""

    def entry(self, store_id: StoreId, gateway: str) -> AbstractAsyncContextManager[Book]:
        """Open the books of an account for one entry, complete when the block ends."""
        ...

    async def find(self, store_id: StoreId, gateway: str, key: str) -> RecordedCall | None:
        """The call that once arrived with a key."""
        ...

    async def opened(
        self,
        store_id: StoreId,
        gateway: str,
        *,
        since: datetime,
        until: datetime,
        after: int,
        limit: int,
    ) -> Sequence[ListedCharge]:
        """Payments of an account that were opened in that time, by their numbers."""
        ...
