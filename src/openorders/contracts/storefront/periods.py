"""Reading `fromDate` and `toDate`: days and times, both inclusive, in UTC where none is named.

Times are shown in whole seconds, so a time without a fraction means the whole of its second: the
order that shows it is within.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from openorders.contracts.kit import Unreadable

_DAY_LENGTH: Final = len("2023-03-15")
_FORM: Final = "must be a day like 2023-03-15 or a time like 2023-03-15T14:30:00Z"


def start_of(text: str, name: str) -> datetime:
    """The first moment that is meant. Raises `Unreadable` for the parameter `name`."""
    return _read(text, name)[0]


def end_of(text: str, name: str) -> datetime | None:
    """The moment right after the last one that is meant; None when no time can be later.

    Raises `Unreadable` for the parameter `name`.
    """
    start, length = _read(text, name)
    try:
        return start + length
    except OverflowError:
        return None


def _read(text: str, name: str) -> tuple[datetime, timedelta]:
    try:
        if len(text) == _DAY_LENGTH:
            day = msgspec.convert(text, date)
            return datetime.combine(day, time.min, UTC), timedelta(days=1)
        moment = msgspec.convert(text, datetime)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (msgspec.ValidationError, ValueError, OverflowError):
        raise Unreadable(name, _FORM, "query") from None
    whole = moment.microsecond == 0
    return moment, timedelta(seconds=1) if whole else timedelta(microseconds=1)
