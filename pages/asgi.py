"""The web application around the pages: who may ask what, voter cookie, health; `streamlit run pages/asgi.py`.

Plain `streamlit run pages/app.py` works, too, without these.
"""

import gc
import logging
import os
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
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES: Final = Path(__file__).resolve().parent
if str(PAGES) not in sys.path:  # as in a page: `streamlit run` adds the folder, other servers do not
    sys.path.insert(0, str(PAGES))

from api import json_api  # noqa: E402
from arena.errors import ArenaError  # noqa: E402
from arena.logs import guard_logs, secrets_of, speak_with_one_voice  # noqa: E402
from hosts import is_everywhere  # noqa: E402
from login import streamlit_secrets  # noqa: E402
from people import warn_of_another_secret  # noqa: E402
from probes import alive, figures, ready  # noqa: E402
from shell import open_arena, settings, voter_cookies  # noqa: E402
from sign_in import ROUTES as SIGN_IN_ROUTES  # noqa: E402
from surface import API, Gate, broken  # noqa: E402
from tracing import Tracing  # noqa: E402
from voters import COOKIE, MAX_AGE_SECONDS, VoterCookies, new_voter  # noqa: E402

log = logging.getLogger(__name__)

LISTENS_EVERYWHERE: Final = (
    "The arena listens on every address of this machine, but answers only under localhost and the number of the "
    "address at which it is reached: set allowed_hosts in arena.toml, or ARENA_ALLOWED_HOSTS, to the names people type."
)
REVALIDATION: Final = {b"if-none-match", b"if-modified-since"}


class Greeter:
    """Gives every browser without a valid voter cookie a new one, with the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request; anything but HTTP passes untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cookies = None if scope["path"].startswith(API) else _cookies_or_none()
        if cookies is None or cookies.read(_sent_cookie(scope)) is not None:
            await self._app(scope, receive, send)
            return
        # "Not modified" would be an answer without a cookie.
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in REVALIDATION]}

        async def greet(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", _set_cookie(cookies, secure=scope["scheme"] == "https"))
            await send(message)

        await self._app(scope, receive, greet)


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


def hosts() -> tuple[str, ...]:
    """The names under which browsers may reach the arena, beside this machine's own."""
    bound = st.get_option("server.address")
    try:
        allowed = settings().allowed_hosts
    except ArenaError:
        allowed = ()  # the page says what is wrong
    return allowed if is_everywhere(bound) else (*allowed, bound.lower())


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Open the arena before the first visitor comes, and close it after the last has gone."""
    speak_with_one_voice()
    guard_logs(secrets_of(None, environ=os.environ))  # until the settings are read
    try:
        guard_logs(secrets_of(settings(), environ=os.environ))
        arena = await run_in_threadpool(open_arena)
    except ArenaError:
        log.exception("the arena cannot be opened; every page says why")
        yield
        return
    await run_in_threadpool(warn_of_another_secret, arena.people)
    if is_everywhere(st.get_option("server.address")) and not settings().allowed_hosts:
        log.warning(LISTENS_EVERYWHERE)
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked at again
    try:
        yield
    finally:
        await run_in_threadpool(arena.close)


app = st.App(
    PAGES / "app.py",
    lifespan=lifespan,
    routes=[
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/metrics", figures),
        Route("/api", lambda _: RedirectResponse("/api/v1/docs")),
        Mount("/api", json_api()),
        *SIGN_IN_ROUTES,
    ],
    secrets=streamlit_secrets(),
    middleware=[Middleware(Tracing), Middleware(Gate, hosts=hosts), Middleware(Greeter)],
    exception_handlers={Exception: broken},
)
