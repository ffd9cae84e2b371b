"""What machines ask about this process: does it live, may visitors come, and how is it doing?"""

import hmac
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from arena.errors import ArenaError
from arena.metrics import CONTENT_TYPE
from arena.vitals import Readiness
from hosts import LOOPBACK, named, only
from shell import open_arena, settings
from surface import NOT_SERVED

CANNOT_OPEN: Final = "The arena cannot start; its log says why."
NOT_KNOWN: Final = "Send the token of ARENA_METRICS_TOKEN: Authorization: Bearer …"
# Whoever came through a proxy that runs beside the arena is no neighbour, though the connection is.
FORWARDING: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


async def alive(_: Request) -> JSONResponse:
    """200 for as long as the process answers at all; whoever gets none starts it again."""
    return JSONResponse({"status": "ok"})


async def ready(_: Request) -> JSONResponse:
    """Whether visitors should be sent here: 200, or 503 with the reasons."""

    def ask() -> Readiness:
        return open_arena().vitals.readiness()

    try:
        state = await run_in_threadpool(ask)
    except ArenaError:
        return JSONResponse({"status": "not ready", "reasons": [CANNOT_OPEN]}, status_code=503)
    if state.reasons:
        return JSONResponse({"status": "not ready", "reasons": state.reasons}, status_code=503)
    return JSONResponse({"status": "ready", "ready_models": state.ready_models})


async def figures(request: Request) -> Response:
    """The metrics, for the operator alone: with the token if one is set, else from this machine itself.

    They name the models, so a voter who could read them before and after an answer would know who wrote it.
    """

    def write() -> bytes:
        return open_arena().vitals.metrics.text()

    try:
        token = (await run_in_threadpool(settings)).metrics_token
        if token is None and not _is_neighbour(request):
            return PlainTextResponse(NOT_SERVED, 404)
        if token is not None and not _knows(request.headers, token.get_secret_value()):
            return PlainTextResponse(NOT_KNOWN, 401, headers={"www-authenticate": "Bearer"})
        text = await run_in_threadpool(write)
    except ArenaError:
        return PlainTextResponse(CANNOT_OPEN, 503)
    return Response(text, headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})


def _knows(headers: Headers, token: str) -> bool:
    given = only(headers, "authorization")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_neighbour(request: Request) -> bool:
    """Whether a program on this very machine asks, by the machine's own name and through nobody."""
    peer = request.client.host if request.client else ""
    direct = not any(name in request.headers for name in FORWARDING)
    return direct and named(peer) in LOOPBACK and named(only(request.headers, "host")) in LOOPBACK
