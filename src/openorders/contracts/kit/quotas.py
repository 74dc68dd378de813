"""How much each credential may ask for: a quota of requests per window, told in every answer.

Counted in this process alone: a server of several processes lets through that many times as much.
The headers are those of draft-ietf-httpapi-ratelimit-headers-10, as structured fields.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Final

from openorders.contracts.kit.unreadable import OverQuota

POLICY: Final = "requests"
"""The name of the one policy; what a refusal says was violated."""

WINDOW_S: Final = 60
_COUNTED_MAX: Final = 10_000
"""Credentials that are counted at once; beyond, the one whose window began first is forgotten."""

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


class Quota:
    """So many requests per minute for each credential. A credential's window begins with its
    first request, so that windows of many clients do not end together.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = per_minute
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._policy = (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (_NAME, per_minute, WINDOW_S))

    def take(self, credential: str) -> tuple[Header, ...]:
        """Count a request; what its answer tells of the quota. Never raises: see `check`."""
        now = self._clock()
        window = self._windows.get(credential)
        if window is None or window.ends <= now:
            self._windows.pop(credential, None)
            self._make_room(now)
            window = self._windows[credential] = _Window(now + WINDOW_S)
        window.used += 1
        left, seconds = max(0, self._most - window.used), ceil(window.ends - now)
        return (self._policy, (b"ratelimit", b'"%b";r=%d;t=%d' % (_NAME, left, seconds)))

    def check(self, credential: str) -> None:
        """Refuse with `OverQuota` when the last request taken was one too many."""
        window = self._windows[credential]
        if window.used > self._most:
            raise OverQuota(max(1, ceil(window.ends - self._clock())))

    def _make_room(self, now: float) -> None:
        # Windows are kept in the order in which they began, which is that of their ends.
        while self._windows:
            credential, window = next(iter(self._windows.items()))
            if window.ends > now and len(self._windows) < _COUNTED_MAX:
                return
            del self._windows[credential]


_NAME: Final = POLICY.encode()
