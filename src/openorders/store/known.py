"""What a process remembers of the callers it has admitted, so that placing asks no further
question. Bounded in number and time, and emptied as soon as any key or store changes.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from openorders.domain.access import Caller

REMEMBERED_MAX: Final = 10_000
"""Callers remembered at once; beyond it the oldest are forgotten."""

REMEMBER_FOR: Final = timedelta(seconds=5)
"""How long a caller is believed without a look at the database: the net below the announcement,
for the time in which the listening connection is lost."""


class _Remembered(Struct, frozen=True):
    caller: Caller
    until: datetime


class KnownCallers:
    """Callers by (contract, digest of the credential). `forget` is what a listener of
    `access_changed` calls.
    """

    def __init__(
        self, *, entries_max: int = REMEMBERED_MAX, keep: timedelta = REMEMBER_FOR
    ) -> None:
        self._entries: dict[tuple[str, bytes], _Remembered] = {}
        self._entries_max = entries_max
        self._keep = keep
        self._changes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def changes(self) -> int:
        """Counts the calls of `forget`. Read it before looking a caller up, so that what was
        looked up before a change is not remembered after it.
        """
        return self._changes

    def find(self, contract: str, digest: bytes, now: datetime) -> Caller | None:
        """The caller, if it was admitted a moment ago."""
        remembered = self._entries.get((contract, digest))
        if remembered is None or remembered.until <= now:
            return None
        return remembered.caller

    def remember(
        self,
        digest: bytes,
        caller: Caller,
        now: datetime,
        *,
        changes: int,
        until: datetime | None = None,
    ) -> None:
        """Remember a caller that was looked up when `changes` was this; never beyond `until`."""
        if changes != self._changes:
            return
        end = now + self._keep
        key = (caller.contract, digest)
        self._entries.pop(key, None)
        if len(self._entries) >= self._entries_max:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Remembered(caller, end if until is None else min(end, until))

    def forget(self, *_: object) -> None:
        """Forget everything: a key or a store is not what it was. Takes and ignores whatever a
        listener is told.
        """
        self._changes += 1
        self._entries.clear()
