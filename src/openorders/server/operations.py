"""What operators' machines ask a process: does it live, can it take requests, what has it done."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from openorders.server.lifecycle import Lifecycle, Phase
from openorders.telemetry import METRICS_TYPE, Metrics

Check = Callable[[], Awaitable[bool]]

_OK: Final = 200
_UNAVAILABLE: Final = 503


def operation_routes(
    lifecycle: Callable[[], Lifecycle],
    metrics: Callable[[], Metrics],
    checks: Mapping[str, Check],
    concerns: Mapping[str, Check],
) -> list[HTTPRouteHandler]:
    """`/livez`, `/readyz` and `/metrics`. `checks` are asked by `/readyz`, each by its name.

    `lifecycle` and `metrics` give what is this process's own; only requests ask for it. A concern
    that does not pass is told by `?verbose` and keeps no traffic away.
    """

    async def livez() -> Response[bytes]:
        return _plain(_OK, b"ok\n")

    async def readyz(request: Request[Any, Any, Any]) -> Response[bytes]:
        phase = lifecycle().phase
        found = {"serving": phase is Phase.SERVING}
        if phase is not Phase.DRAINING:
            for name, check in checks.items():
                found[name] = await check()
        ready = all(found.values())
        status = _OK if ready else _UNAVAILABLE
        if "verbose" not in request.query_params:
            return _plain(status, b"ok\n" if ready else b"not ready\n")
        told = {name: "pass" if passed else "fail" for name, passed in found.items()}
        if ready:
            for name, check in concerns.items():
                told[name] = "pass" if await check() else "warn"
        worst = next((word for word in ("fail", "warn") if word in told.values()), "pass")
        body = msgspec.json.encode({"status": worst, "phase": phase.value, "checks": told})
        return _answer(status, body, "application/health+json")

    async def counted() -> Response[bytes]:
        return _answer(_OK, metrics().exposition(), METRICS_TYPE)

    methods: Any = ["GET", "HEAD"]
    return [
        HTTPRouteHandler("/livez", http_method=methods)(livez),
        HTTPRouteHandler("/readyz", http_method=methods)(readyz),
        HTTPRouteHandler("/metrics", http_method=methods)(counted),
    ]


def _plain(status: int, body: bytes) -> Response[bytes]:
    return _answer(status, body, "text/plain; charset=utf-8")


def _answer(status: int, body: bytes, kind: str) -> Response[bytes]:
    headers = {"Content-Type": kind, "Cache-Control": "no-store"}
    return Response(body, status_code=status, headers=headers)
