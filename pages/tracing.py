"""An id for every request and websocket: in its answer, and in the log lines of the work that it caused."""

import logging
import re
import secrets
from time import perf_counter
from typing import Final

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.logs import request_id
from hosts import only
from surface import API

log = logging.getLogger("arena.api")

HEADER: Final = "x-request-id"
STARTS: Final = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


def trace() -> None:
    """Let what this run of a page logs carry the id of the websocket that it serves."""
    request_id.set(st.context.headers.get(HEADER))


class Tracing:
    """Names every request: as the proxy before it did, when that name is well-formed, else by chance.

    What stands behind it, the pages' scripts included, finds the name in the request's own header. Readings of the
    API are logged: without their query, as no address is that may hold a battle's id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request or handshake on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = only(Headers(scope=scope), HEADER)
        name = given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
        request_id.set(name)  # the server runs each request in a context of its own
        others = [pair for pair in scope["headers"] if pair[0] != HEADER.encode()]
        begun, status = perf_counter(), 500

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] in STARTS:
                status = message.get("status", status)
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        try:
            await self._app({**scope, "headers": [*others, (HEADER.encode(), name.encode())]}, receive, named)
        finally:
            if scope["type"] == "http" and scope["path"].startswith(API):
                facts = {"method": scope["method"], "path": scope["path"][:100], "status": status}
                log.info("a program read", extra={**facts, "duration_ms": round((perf_counter() - begun) * 1000)})
