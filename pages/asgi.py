"""The web application around the pages: voter cookie, security policy, health; `streamlit run pages/asgi.py`.

Plain `streamlit run pages/app.py` works, too, without these.
"""

import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES: Final = Path(__file__).resolve().parent
if str(PAGES) not in sys.path:  # as in a page: `streamlit run` adds the folder, other servers do not
    sys.path.insert(0, str(PAGES))

from arena.errors import ArenaError  # noqa: E402
from shell import open_arena, voter_cookies  # noqa: E402
from voters import COOKIE, MAX_AGE_SECONDS, VoterCookies, new_voter  # noqa: E402

log = logging.getLogger(__name__)

# Streamlit's one inline line of script (window.prerenderReady) is blocked by this, which does no harm.
POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
PAGE_HEADERS: Final = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-frame-options": "DENY",
}
REVALIDATION: Final = {b"if-none-match", b"if-modified-since"}


class PageGuard:
    """Gives every page its security headers, and every browser without a valid voter cookie a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request; anything but HTTP passes untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cookies = _cookies_or_none()
        newcomer = cookies is not None and cookies.read(_sent_cookie(scope)) is None
        if newcomer:  # "not modified" would be an answer without a cookie
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in REVALIDATION]}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-content-type-options"] = "nosniff"
                if headers.get("content-type", "").startswith("text/html"):
                    headers.update(PAGE_HEADERS)
                    if newcomer and cookies is not None:
                        headers.append("set-cookie", _set_cookie(cookies, secure=scope["scheme"] == "https"))
            await send(message)

        await self._app(scope, receive, guarded)


def _cookies_or_none() -> VoterCookies | None:
    try:
        return voter_cookies()
    except ArenaError:
        return None  # the page says what is wrong


def _sent_cookie(scope: Scope) -> str | None:
    try:
        cookie = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _set_cookie(cookies: VoterCookies, *, secure: bool) -> str:
    value = cookies.write(new_voter())
    return f"{COOKIE}={value}; Path=/; Max-Age={MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax" + "; Secure" * secure


async def health(_: Request) -> JSONResponse:
    """Whether the arena can be used: 200 with the number of ready models, or 503 with a sentence."""
    try:
        ready = await run_in_threadpool(lambda: open_arena().catalogue().ready_count)
    except ArenaError:
        return JSONResponse({"status": "unavailable"}, status_code=503)
    return JSONResponse({"status": "ok", "ready_models": ready})


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Open the arena before the first visitor comes, and close it after the last has gone."""
    try:
        arena = await run_in_threadpool(open_arena)
    except ArenaError:
        log.exception("the arena cannot be opened; every page says why")
        yield
        return
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked at again
    try:
        yield
    finally:
        await run_in_threadpool(arena.close)


app = st.App(
    PAGES / "app.py",
    lifespan=lifespan,
    routes=[Route("/healthz", health)],
    middleware=[Middleware(PageGuard)],
)
