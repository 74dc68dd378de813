"""A subscriber of webhooks as a process of its own: it keeps a log that is only ever added to,
checks every signature, and now and then fails the first time it is told of an event.

`python -m tests.chaos.receiver LOG SECRETS SEED SHARE` prints its port. SECRETS is a JSON file of
secrets by path, read when the first request comes. Faults are decided by seed, path and event, so
that a run can be repeated whatever arrives first.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

FAULTS = ("refuses", "hangs", "redirects", "cuts", "forgets")
"""`cuts`: no answer at all. `forgets`: the event is taken, but its answer says otherwise."""

FLAKY = "flaky"
HANG_S = 30.0


class Receiver:
    """Answers everything, and remembers what it was told."""

    def __init__(self, log: TextIO, secrets: Path, seed: int, share: float) -> None:
        self._log = log
        self._secrets_file = secrets
        self._secrets: dict[str, str] = {}
        self._seed = seed
        self._share = share
        self._met: set[tuple[str, str]] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path, body = request.path, await request.read()
        event = request.headers.get("webhook-id", "")
        fault = self._fault(path, event)
        self._met.add((path, event))
        taken = fault in ("", "forgets")
        line = {
            "path": path,
            "event": event,
            "taken": taken,
            "fault": fault,
            "signed": self._is_signed(path, body, request),
            "body": hashlib.sha256(body).hexdigest(),
        }
        print(json.dumps(line), file=self._log, flush=True)
        return await self._reply(request, fault)

    async def _reply(self, request: web.Request, fault: str) -> web.StreamResponse:
        match fault:
            case "hangs":
                await asyncio.sleep(HANG_S)
            case "redirects":
                return web.Response(status=302, headers={"Location": f"{request.path}-elsewhere"})
            case "cuts":
                assert request.transport is not None
                request.transport.close()
            case "refuses" | "forgets":
                return web.Response(status=500, text="Not today.")
        return web.Response(status=204)

    def _fault(self, path: str, event: str) -> str:
        if FLAKY not in path or (path, event) in self._met:
            return ""
        chance = random.Random(f"{self._seed} {path} {event}")  # noqa: S311 - to be repeated
        return chance.choice(FAULTS) if chance.random() < self._share else ""

    def _is_signed(self, path: str, body: bytes, request: web.Request) -> bool:
        if not self._secrets:
            self._secrets = json.loads(self._secrets_file.read_text())
        if path not in self._secrets:
            return False
        try:
            Webhook(self._secrets[path]).verify(body, dict(request.headers.items()))
        except WebhookVerificationError:
            return False
        return True


async def serve(log: Path, secrets: Path, seed: int, share: float) -> None:
    with log.open("a") as lines:
        receiver = Receiver(lines, secrets, seed, share)
        application: Any = web.Application()
        application.router.add_route("*", "/{anything:.*}", receiver.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        sockets: Any = site._server
        sys.stdout.write(f"{sockets.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
