"""The administrator's sign-in: a page and a form of plain HTML, so that the password never enters a page's memory."""

import hmac
import secrets
from html import escape
from typing import Final
from urllib.parse import parse_qs

from itsdangerous import BadSignature, Signer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from arena.errors import ArenaError
from arena.network import network_of
from people import ADMIN_COOKIE, SIGN_IN, tokens
from shell import open_arena, settings

FORM_COOKIE: Final = "arena_form"
MOST_BYTES: Final = 10_000
STALE: Final = "This form is no longer valid: try once more."

# `referrer`: under the policy of all other answers browsers send "Origin: null", which is refused.
PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin"><meta name="robots" content="noindex"><title>Sign in · Arena</title>
<style>
:root {{ color-scheme: light dark; --back: #f4f5fa; --card: #fff; --text: #1c1f2b; --line: #8a8fa3; --act: #4f46e5;
  --bad: #b3261e }}
@media (prefers-color-scheme: dark) {{
  :root {{ --back: #11131a; --card: #1b1e29; --text: #e8eaf2; --line: #7c839c; --act: #6366f1; --bad: #ffb4ab }} }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--back); color: var(--text);
  font: 1rem/1.5 "Source Sans", system-ui, sans-serif }}
main {{ background: var(--card); padding: 2rem; border-radius: .6rem; width: min(22rem, 86vw) }}
h1 {{ font-size: 1.4rem; margin: 0 0 1rem }}
label {{ display: block; margin-bottom: .3rem }}
input {{ width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; border: 1px solid var(--line);
  border-radius: .4rem; background: transparent; color: inherit }}
button {{ font: inherit; margin-top: 1rem; padding: .5rem 1.2rem; border: 0; border-radius: .4rem; color: #fff;
  background: var(--act); cursor: pointer }}
:focus-visible {{ outline: 3px solid var(--act); outline-offset: 2px }}
[role=alert] {{ color: var(--bad) }}
a {{ color: inherit }}
</style></head><body><main><h1>🛠️ Administration</h1>{said}
<form method="post" action="{action}"><input type="hidden" name="form" value="{form}">
<label for="password">Password of the administrator</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000"
  autofocus required>
<button>Sign in</button></form><p><a href="/">Back to the arena</a></p></main></body></html>"""


async def show_form(request: Request) -> Response:
    """The form."""
    return _page(request)


async def sign_in(request: Request) -> Response:
    """Begin a session, or show the form again with what was wrong."""
    fields = await _fields(request)
    if not _is_own_form(fields.get("form", ""), request.cookies.get(FORM_COOKIE, "")):
        return _page(request, said=STALE, status=403)
    try:
        token = await run_in_threadpool(
            lambda: open_arena().people.sign_in(fields.get("password", ""), network=_network(request))
        )
    except ArenaError as error:
        return _page(request, said=str(error), status=403)
    answer = RedirectResponse("/admin", status_code=303)
    seconds = round(settings().login.session_hours * 3600)
    _set_cookie(request, answer, ADMIN_COOKIE, tokens().sign(token).decode(), seconds=seconds)
    answer.delete_cookie(FORM_COOKIE, path=SIGN_IN)
    return answer


def _page(request: Request, *, said: str | None = None, status: int = 200) -> Response:
    form = secrets.token_urlsafe(16)
    alert = "" if said is None else f'<p role="alert">{escape(said)}</p>'
    html = PAGE.format(said=alert, action=SIGN_IN, form=_signer().sign(form).decode())
    answer = HTMLResponse(html, status_code=status, headers={"cache-control": "no-store"})
    _set_cookie(request, answer, FORM_COOKIE, form, seconds=3600, path=SIGN_IN)
    return answer


def _set_cookie(request: Request, answer: Response, name: str, value: str, *, seconds: int, path: str = "/") -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


async def _fields(request: Request) -> dict[str, str]:
    """The form's fields; none of a body that is too large or no form."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return {}
    try:
        found = parse_qs(body.decode(), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _is_own_form(signed: str, cookie: str) -> bool:
    """Whether the form was made here for this very browser."""
    try:
        form = _signer().unsign(signed).decode()
    except (BadSignature, UnicodeDecodeError):
        return False
    return hmac.compare_digest(form.encode(), cookie.encode())


def _signer() -> Signer:
    return Signer(settings().cookie_secret().get_secret_value(), salt=FORM_COOKIE)


def _network(request: Request) -> str | None:
    secret = settings().cookie_secret().get_secret_value()
    forwarded = request.headers.getlist("x-forwarded-for")
    peer = request.client.host if request.client else None
    return network_of(peer, forwarded, proxies=settings().trusted_proxies, secret=secret)


ROUTES: Final = [Route(SIGN_IN, show_form, methods=["GET"]), Route(SIGN_IN, sign_in, methods=["POST"])]
