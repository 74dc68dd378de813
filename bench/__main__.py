"""`make bench`: place orders of three lines over HTTP and with pgbench, in turn, and compare."""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from bench import limit
from bench.subject import Subject, running

INSTALL_WRK = "sudo apt-get install --yes wrk"


def main() -> int:
    """Print a line per round, then medians and the ratio; with --json, write them to a file."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not _wrk_is_here():
        print(f"The load generator wrk is missing. Install it with:\n  {INSTALL_WRK}")
        return 1
    with running(workers=options.workers, products=options.products) as subject:
        rounds = _rounds(subject, options)
    result = _summary(rounds, options)
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


def _rounds(subject: Subject, options: argparse.Namespace) -> list[dict[str, Any]]:
    wrk(subject, connections=options.connections, seconds=2)
    script = asyncio.run(limit.write_script(subject.database_url, subject.products))
    pgbench = subject.bindir / "pgbench"
    rounds: list[dict[str, Any]] = []
    for number in range(1, options.rounds + 1):
        ours = wrk(subject, connections=options.connections, seconds=options.seconds)
        theirs = limit.run(
            pgbench,
            subject.database_url,
            script,
            clients=options.connections,
            seconds=options.seconds,
        )
        ours["orders_per_second"] = ours["requests"] / ours["seconds"]
        ours["pgbench_orders_per_second"] = theirs
        ours["ratio"] = ours["orders_per_second"] / theirs
        rounds.append(ours)
        print(
            f"round {number}: openorders {ours['orders_per_second']:7.0f}/s"
            f"  p50 {ours['p50_ms']:.1f} ms  p99 {ours['p99_ms']:.1f} ms"
            f"   pgbench {theirs:7.0f}/s   ratio {ours['ratio']:.2f}",
            flush=True,
        )
    return rounds


def wrk(subject: Subject, *, connections: int, seconds: int) -> dict[str, Any]:
    """Place orders for so long; how many, and how long they took (milliseconds)."""
    done = subprocess.run(
        [
            "wrk", "--threads", "1", "--connections", str(connections),
            "--duration", f"{seconds}s", "--script",
            str(Path(__file__).with_name("place_orders.lua")),
            f"http://127.0.0.1:{subject.port}/", "--",
            subject.key, str(subject.products), "/commerce",
        ],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    assert not result["not_2xx"], f"{result['not_2xx']} orders were refused"
    assert not result["socket_errors"], f"{result['socket_errors']} connections broke"
    return result


def _summary(rounds: list[dict[str, Any]], options: argparse.Namespace) -> dict[str, Any]:
    figures = ("orders_per_second", "pgbench_orders_per_second", "ratio", "p50_ms", "p95_ms")
    return {
        "case": "place an order of three lines through commerce, idempotency key on",
        "workers": options.workers,
        "connections": options.connections,
        "products": options.products,
        "rounds": len(rounds),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        **{
            figure: {
                "median": round(median(one[figure] for one in rounds), 3),
                "min": round(min(one[figure] for one in rounds), 3),
                "max": round(max(one[figure] for one in rounds), 3),
            }
            for figure in (*figures, "p99_ms")
        },
    }


def _wrk_is_here() -> bool:
    """Debian's package is installed when root may do so; nobody else's system is touched."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "--quiet", "--yes", "wrk"], check=False)
    return shutil.which("wrk") is not None


if __name__ == "__main__":
    sys.exit(main())
