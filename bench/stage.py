"""The servers of one run: made when a case first asks for them, closed at the end.

The large one holds as many orders as the run is about, the small one 10,000; their folders are
filled by `bench.orders`, or copied from where an earlier run kept them.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.subject import Subject, running, scratch, serving, with_key, with_shop
from bench.wrong import Wrong

STORE = "bench"
PRODUCTS = 1_000
SMALL_ORDERS = 10_000

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line decided. Times are in seconds; `seconds` is of one run under load."""

    orders: int = 1_000_000
    rounds: int = 5
    seconds: int = 8
    workers: int = 2
    connections: int = 16
    is_quick: bool = False
    keep: Path | None = None
    reuse: Path | None = None

    @property
    def small_orders(self) -> int:
        """What the large number of orders is compared with."""
        return min(SMALL_ORDERS, self.orders // 5)

    @property
    def short_seconds(self) -> int:
        """For runs whose requests are so many that less time tells as much."""
        return max(1, self.seconds // 4)


@dataclass(slots=True)
class Stage:
    """What cases are measured on."""

    options: Options
    tell: Callable[[str], None]
    _open: ExitStack = field(default_factory=ExitStack)
    _made: dict[str, Subject] = field(default_factory=dict[str, Subject])
    _scratch: Path | None = None

    @property
    def large(self) -> Subject:
        """The server with all the orders, and a key that sees them."""
        return self._subject("large", lambda: self._filled(self.options.orders))

    @property
    def small(self) -> Subject:
        """The same with few orders."""
        return self._subject("small", lambda: self._filled(self.options.small_orders))

    @property
    def crowded_shop(self) -> Subject:
        """A store of its own in the large server's database, to place orders in."""
        return self._subject("shop", lambda: with_shop(self.large, "shop", PRODUCTS))

    @property
    def has_large(self) -> bool:
        """Whether a case has asked for the large server."""
        return "large" in self._made

    @contextmanager
    def fresh(self) -> Iterator[Subject]:
        """A new server with nothing but a shop."""
        with running(workers=self.options.workers, products=PRODUCTS) as subject:
            yield subject

    def close(self) -> None:
        """Stop the servers and remove their folders. What is asked for later is made anew."""
        self._made.clear()
        self._scratch = None
        self._open.close()

    def _subject(self, name: str, make: Callable[[], Subject]) -> Subject:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _filled(self, orders: int) -> Subject:
        if self._scratch is None:
            self._scratch = self._open.enter_context(scratch())
        folder = self._scratch / folder_name(orders)
        kept = None if self.options.reuse is None else self.options.reuse / folder.name
        if kept is not None and kept.exists():
            self.tell(f"Copying {kept}")
            copy(kept, folder)
        else:
            self.tell(f"Filling a folder with {orders:,} orders")
            fill(folder, orders)
        if self.options.keep is not None:
            copy(folder, self.options.keep / folder.name)
        subject = self._open.enter_context(serving(folder, workers=self.options.workers))
        return with_key(subject, STORE)


def folder_name(orders: int) -> str:
    """What a filled data folder is called where it is kept."""
    return f"orders-{orders}"


def fill(folder: Path, orders: int) -> None:
    """Make a data folder with so many orders, reproducibly."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.orders", "--orders", str(orders),
         "--data-dir", str(folder), "--store", STORE],
        check=False, cwd=_ROOT,
    )  # fmt: skip
    if done.returncode:
        raise Wrong("The orders could not be made; what is above says why.")


def copy(folder: Path, to: Path) -> None:
    """Copy a data folder that no server uses, with its owner; by reference where the disk can."""
    shutil.rmtree(to, ignore_errors=True)
    to.parent.mkdir(parents=True, exist_ok=True)
    reference = ["--reflink=auto"] if sys.platform == "linux" else []
    subprocess.run(["cp", "-a", *reference, str(folder), str(to)], check=True)
