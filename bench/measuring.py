"""What processes cost: CPU time and memory as the kernel counts them, and percentiles of times.

Reads `/proc`; where there is none, every figure of a process is None, which means "not known".
Knows nothing of servers, requests or cases.
"""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PROC = Path("/proc")
_LISTENING = "0A"
_FORGET_THE_PEAK = "5"
_MB = 1_000_000


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """The three that every case shows."""
    return {
        f"p{per_cent}_ms": percentile(milliseconds, per_cent / 100) for per_cent in (50, 95, 99)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Of one process, in MB of a million bytes. `pss` divides shared pages among their users."""

    rss: float
    pss: float


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes and all that descend from them, as they are at each question."""

    roots: tuple[int, ...]

    def cpu_seconds(self) -> float | None:
        """CPU time of all of them, those that have ended included; None when not known.

        A process that ended is counted by the one that waited for it.
        """
        spent = [_ticks(pid) for pid in self.pids()]
        known = [ticks for ticks in spent if ticks is not None]
        return sum(known) / os.sysconf("SC_CLK_TCK") if known else None

    def pids(self) -> list[int]:
        """The processes, parents before their children."""
        children: dict[int, list[int]] = {}
        for pid, parent in _parents():
            children.setdefault(parent, []).append(pid)
        found: list[int] = []
        waiting = [root for root in self.roots if (PROC / str(root)).exists()]
        while waiting:
            pid = waiting.pop(0)
            found.append(pid)
            waiting.extend(children.get(pid, ()))
        return found

    def answering(self, port: int) -> list[int]:
        """Those that accept connections on a port, without a parent that only keeps its socket."""
        listening = _listening_sockets(port)
        holders = [pid for pid in self.pids() if listening & _sockets(pid)]
        parents = {parent for pid, parent in _parents() if pid in holders}
        return [pid for pid in holders if pid not in parents]


OURSELVES = Processes((os.getpid(),))
"""This process, and the programs that it runs and waits for."""


class Spent:
    """CPU time of processes from now on."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._before = processes.cpu_seconds()

    def seconds(self) -> float | None:
        """So much until now; None when not known."""
        now = self._processes.cpu_seconds()
        return None if self._before is None or now is None else now - self._before


def memory(pid: int) -> Memory | None:
    """What a process holds in memory now; None when not known."""
    found = _kilobytes(PROC / str(pid) / "smaps_rollup")
    if "Rss" not in found:
        return None
    return Memory(rss=found["Rss"] * 1024 / _MB, pss=found["Pss"] * 1024 / _MB)


def forget_peaks(pids: Iterable[int]) -> None:
    """Let the peaks of these processes begin anew, where the system allows it."""
    for pid in pids:
        _attempt(lambda pid=pid: (PROC / str(pid) / "clear_refs").write_text(_FORGET_THE_PEAK))


def highest_peak(pids: Iterable[int]) -> float | None:
    """The most that any of these processes had in memory, in MB; None when not known."""
    peaks = [_kilobytes(PROC / str(pid) / "status").get("VmHWM") for pid in pids]
    known = [peak * 1024 / _MB for peak in peaks if peak is not None]
    return max(known, default=None)


def _ticks(pid: int) -> int | None:
    fields = _stat(pid)
    # utime, stime, and the same of children that were waited for.
    return sum(map(int, fields[11:15])) if fields else None


def _parents() -> list[tuple[int, int]]:
    pids = [int(entry.name) for entry in _entries(PROC) if entry.name.isdigit()]
    return [(pid, int(fields[1])) for pid in pids if (fields := _stat(pid))]


def _stat(pid: int) -> list[str]:
    """The fields after the program's name, which may hold blanks and parentheses itself."""
    text = _attempt((PROC / str(pid) / "stat").read_text)
    return text.rpartition(")")[2].split() if text else []


def _listening_sockets(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("tcp", "tcp6"):
        text = _attempt((PROC / "net" / table).read_text) or ""
        for line in text.splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _sockets(pid: int) -> set[str]:
    links = (
        _attempt(lambda one=one: str(one.readlink())) for one in _entries(PROC / str(pid) / "fd")
    )
    return {link for link in links if link is not None}


def _kilobytes(file: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in (_attempt(file.read_text) or "").splitlines():
        name, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            found[name] = int(rest.split()[0])
    return found


def _entries(folder: Path) -> list[Path]:
    return _attempt(lambda: list(folder.iterdir())) or []


def _attempt(look: Callable[[], T]) -> T | None:
    """What is seen; None when the process is gone, is another's, or there is no `/proc`."""
    try:
        return look()
    except OSError:
        return None
