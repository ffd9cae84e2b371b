"""How the JSON API answers: documents with a tag, problems that name the parameter and the remedy."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from hashlib import sha256
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api_queries import BadParameter, NoSuchThing
from arena.errors import ArenaError, BeingRated, CannotRate, LimitReached, NotAllowed

log = logging.getLogger(__name__)

# As long as a page's visitor waits without a word; a client's own patience is seldom below ten seconds.
WAIT_SECONDS: Final = 5.0
ASK_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 2
UNAVAILABLE: Final = "The arena cannot answer just now; its administrator's log says why. Try again in a minute."
UNFORESEEN: Final = "Something broke on the arena's side; its administrator's log says what."


async def document(request: Request, make: Callable[[], str], *, wait_seconds: float = WAIT_SECONDS) -> Response:
    """What `make` writes, with a tag; 304 to whoever has it already, 202 when it takes longer than `wait_seconds`."""
    try:
        text = await _made(make, wait_seconds)
    except BeingRated as being:
        detail = f"{being} Ask again in {RETRY_SECONDS} seconds."
        return _json({"detail": detail, "share": being.share}, status=HTTPStatus.ACCEPTED, retry_after=RETRY_SECONDS)
    tag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"etag": f"W/{tag}", "cache-control": "no-cache"}  # weak: it may be sent compressed or not
    if tag in _tags(request):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


async def refuse(request: Request, error: Exception) -> Response:  # noqa: PLR0911 - one line for each kind of problem
    """The problem that an error is to a program."""
    match error:
        case RequestValidationError():
            return _invalid(request, error)
        case NoSuchThing():
            return problem(HTTPStatus.NOT_FOUND, str(error), parameter=error.parameter)
        case BadParameter():
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), parameter=error.parameter)
        case LimitReached():
            return problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), retry_after=error.retry_after_seconds)
        case NotAllowed():
            return problem(HTTPStatus.FORBIDDEN, str(error))
        case CannotRate():
            return problem(HTTPStatus.CONFLICT, str(error), parameter="order")
        case ArenaError():
            log.error("the API could not answer", exc_info=error)
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE, retry_after=60)
        case HTTPException():
            return problem(HTTPStatus(error.status_code), _words(error), headers=error.headers)
        case _:
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, UNFORESEEN)


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    parameter: str | None = None,
    retry_after: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Why there is no answer (RFC 9457)."""
    content = {"title": status.phrase, "status": status.value, "detail": detail, "parameter": parameter}
    reply = _json(content, status=status, retry_after=retry_after, media_type="application/problem+json")
    reply.headers.update(headers or {})
    return reply


def _json(
    content: Mapping[str, Any], *, status: HTTPStatus, retry_after: int | None, media_type: str = "application/json"
) -> Response:
    headers = {"cache-control": "no-store"} | ({"retry-after": str(retry_after)} if retry_after else {})
    return JSONResponse(content, status_code=status, headers=headers, media_type=media_type)


async def _made(make: Callable[[], str], wait_seconds: float) -> str:
    """Asked again and again, as pages do; meanwhile no thread waits."""
    deadline = monotonic() + wait_seconds
    while True:
        try:
            return await run_in_threadpool(make)
        except BeingRated:
            if monotonic() >= deadline:
                raise
        await asyncio.sleep(ASK_SECONDS)


def _tags(request: Request) -> set[str]:
    """Those that the reader knows, strong or weak."""
    given = request.headers.get("if-none-match", "")
    return {each.strip().removeprefix("W/") for each in given.split(",")}


def _invalid(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    parameter = str(first["loc"][1])  # behind "query"
    match first["type"]:
        case "extra_forbidden":
            known = _known(request)
            near = get_close_matches(parameter, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known here are: {', '.join(known) or 'none'}."
            detail = f"There is no parameter {parameter[:60]!r}; {hint}"
        case "missing":
            detail = f"The parameter {parameter!r} is missing."
        case "string_pattern_mismatch":
            detail = f"The parameter {parameter!r} does not fit: write it like {_example(request, parameter)}."
        case _:
            words = str(first["msg"]).removeprefix("Value error, ")
            detail = f"The parameter {parameter!r} does not fit: {words[:1].lower()}{words[1:]}."
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, parameter=parameter)


def _known(request: Request) -> Mapping[str, Mapping[str, Any]]:
    """The parameters of the address, by name."""
    path = request.scope["path"].removeprefix(request.scope["root_path"])
    operation = request.app.openapi()["paths"][path]["get"]
    return {each["name"]: each["schema"] for each in operation.get("parameters", ())}


def _example(request: Request, parameter: str) -> str:
    return str(_known(request)[parameter]["examples"][0])


def _words(error: HTTPException) -> str:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return "There is nothing here; /api/v1/docs lists what there is."
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return "This API can only be read: use GET."
        case _:
            return f"{error.detail}."
