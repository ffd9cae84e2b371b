"""Who may ask what over the network, and the headers of every answer: plain ASGI, one look per request or handshake.

A browser says in `Host` which name it was told to open, and in `Origin` which page is asking. The first betrays a
foreign name that was rebound to this machine's address, the second another site's script.
"""

import logging
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.logs import request_id
from hosts import LOOPBACK, named, only, own_address

log = logging.getLogger(__name__)

# Streamlit's one inline line of script (window.prerenderReady) is blocked by this, which does no harm.
POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
UNKNOWN_HOST: Final = (
    "This arena does not answer under this name. Its administrator can allow it: add the name to allowed_hosts in "
    "arena.toml, or to the variable ARENA_ALLOWED_HOSTS, and start the arena again."
)
FOREIGN_ORIGIN: Final = (
    "This request does not come from a page of this arena. A proxy in front of it must pass on the Host header as the "
    "browser sent it, and the name in it must be in allowed_hosts in arena.toml."
)
API: Final = "/api/"  # read by programs, from any site: it knows no cookie, and nothing can be changed there
NOT_SERVED: Final = "There is nothing here."

# What Streamlit's front-end asks for; its metrics and its agent API are nobody's business.
_SERVED: Final = re.compile(r"/_stcore/(?:health|host-config|stream|upload_file/[^/]+/[^/]+)")
_MOST_LOGGED = 100
_LONGEST_LOGGED = 100


class Gate:
    """Lets through what pages of this arena ask for, and gives every answer its security headers.

    Args:
        app: what stands behind it.
        hosts: tells, once, the names under which the arena answers beside this machine's own; addresses without
            brackets, all in lower case.
    """

    def __init__(self, app: ASGIApp, *, hosts: Callable[[], Collection[str]]) -> None:
        self._app = app
        self._hosts = frozenset(LOOPBACK).union(hosts())
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request or handshake on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        app = self._app if refusal is None else refusal
        await app(scope, receive, send if scope["type"] == "websocket" and refusal is None else _with_headers(send))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = only(headers, "host")
        if named(host) not in self._hosts | {own_address(scope)}:
            self._log("an unknown host name was refused; allowed_hosts would let it in", host)
            return PlainTextResponse(UNKNOWN_HOST, 403)
        if not (_is_reading_the_api(scope) or _is_own_page(scope, headers, host)):
            self._log("a request of another site was refused", only(headers, "origin"))
            return PlainTextResponse(FOREIGN_ORIGIN, 403)
        if "_stcore" in scope["path"].split("/") and not _SERVED.fullmatch(scope["path"]):
            return PlainTextResponse(NOT_SERVED, 404)
        return None

    def _log(self, message: str, asked: str) -> None:
        """Once for each name, and not for ever: whoever sends rubbish must not fill the disk."""
        shown = asked[:_LONGEST_LOGGED]
        if shown not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add(shown)
            log.warning(message, extra={"asked": shown})


async def broken(_: Request, error: Exception) -> PlainTextResponse:  # noqa: ARG001 - the server logs it
    """The answer when something unforeseen happened: it says nothing, and is given outside of `Gate`."""
    name = {"x-request-id": known} if (known := request_id.get()) else {}
    return PlainTextResponse("Internal Server Error", 500, headers={**SECURITY_HEADERS, **name})


def _is_own_page(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether a page of this arena asks; links and address bars send no Origin, but every websocket has one.

    The scheme is not compared: behind a proxy that speaks https the arena itself hears http.
    """
    if "origin" not in headers:
        return bool(scope["type"] == "http")
    return only(headers, "origin") in {f"http://{host}", f"https://{host}"}


def _is_reading_the_api(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"].startswith(API) and scope["method"] in {"GET", "HEAD", "OPTIONS"}


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            MutableHeaders(scope=message).update(SECURITY_HEADERS)
        await send(message)

    return send_with_headers
