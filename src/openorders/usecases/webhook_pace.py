"""How many orders a process tells one endpoint of at once: many while it answers fast, few when it
takes its time, so that a slow endpoint takes no places from others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from openorders.store.webhook_lanes import EndpointKey, Places

PLACES_FIRST: Final = 8
"""What an endpoint gets that is not known yet."""
PLACES_MAX: Final = 64
BUSY_S: Final = 64.0
"""Seconds of answering that an endpoint gets per second: an average answer that takes a second
leaves it 64 places, one of 15 s four.
"""
KNOWN_MAX: Final = 1_000
"""Of so many endpoints the average is remembered, the ones used last."""

_WEIGHT: Final = 0.1
_WEIGHT_IF_SLOWER: Final = 0.5
"""How much one answer changes the average: slowness is believed sooner than speed."""


@dataclass(slots=True)
class _Endpoint:
    average_s: float = BUSY_S / PLACES_FIRST
    under_way: int = 0


class Pace:
    """What one process has under way, by endpoint."""

    def __init__(self) -> None:
        self._endpoints: dict[EndpointKey, _Endpoint] = {}

    def places(self) -> dict[EndpointKey, Places]:
        """How many places each known endpoint has, and how many of them are taken."""
        return {
            key: Places(places_for(one.average_s), one.under_way)
            for key, one in self._endpoints.items()
        }

    def is_full(self, key: EndpointKey) -> bool:
        """Whether all places of an endpoint are taken, so that it may have more to be told."""
        one = self._endpoints.get(key)
        return one is not None and one.under_way >= places_for(one.average_s)

    def began(self, key: EndpointKey) -> None:
        """One more is under way."""
        self._endpoints.setdefault(key, _Endpoint()).under_way += 1

    def ended(self, key: EndpointKey, seconds: float) -> None:
        """One less is under way; it took so long. What was idle for longest is forgotten when
        there are too many.
        """
        one = self._endpoints.pop(key)
        one.under_way -= 1
        weight = _WEIGHT_IF_SLOWER if seconds > one.average_s else _WEIGHT
        one.average_s += weight * (seconds - one.average_s)
        self._endpoints[key] = one
        if len(self._endpoints) > KNOWN_MAX:
            self._forget(key for key, one in self._endpoints.items() if not one.under_way)

    def _forget(self, idle: Iterable[EndpointKey]) -> None:
        oldest = next(iter(idle), None)
        if oldest is not None:
            del self._endpoints[oldest]


def places_for(average_s: float) -> int:
    """How many places an endpoint has whose answers take so long on average."""
    return max(1, min(PLACES_MAX, int(BUSY_S / max(average_s, 0.001))))
