"""localstripe in a process of its own, on a free port of this machine.

Run as a module it is that process: it serves until its standard input closes, so that it never
outlives the one who started it. It keeps nothing on disk.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
STOP_S = 5.0


@contextmanager
def running_localstripe() -> Iterator[str]:
    """The origin of a localstripe without any object, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.gateways.stripe_double.localstripe_process"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError("localstripe did not start")
        yield url
    finally:
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


async def _serve() -> None:
    from aiohttp import web
    from localstripe import resources, server

    # It would write all of itself to one file in the temporary folder after every request.
    resources.Store.dump_to_disk = lambda self: None  # noqa: ARG005 - its name
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)  # noqa: T201 - whoever started it reads this
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
