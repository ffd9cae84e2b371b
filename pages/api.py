"""The read-only JSON API: standings, win probability, models; for programs, on the port of the pages."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

import api_answers as answers
from api_page import api_page
from api_queries import NoQuery, NoSuchThing, PairQuery, StandingsQuery, once
from api_replies import document, refuse
from arena.board import Board
from arena.errors import ArenaError, CannotRate, UnknownModel
from arena.network import network_of
from arena.pair_facts import pair_facts
from board_filters import offer_of
from board_json import as_text, board_json, model_facts
from board_table import lines
from leaderboard import Forecast
from shell import open_arena, settings

ABOUT: Final = (
    "What the pages show, for programs. Nothing can be changed here, no key is needed, and any site's script may read. "
    "Repeat a request with the `ETag` of its last answer in `If-None-Match`: 304 says that nothing has moved."
)
PROBLEMS: Final = {
    HTTPStatus.FORBIDDEN: "this arena is for those who have logged in, and programs cannot",
    HTTPStatus.NOT_FOUND: "a parameter names what this arena does not have",
    HTTPStatus.CONFLICT: "the votes do not carry what the rating needs",
    HTTPStatus.UNPROCESSABLE_ENTITY: "a parameter is unknown or malformed",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests in a minute; see `Retry-After`",
    HTTPStatus.INTERNAL_SERVER_ERROR: "a fault of the arena",
    HTTPStatus.SERVICE_UNAVAILABLE: "the arena cannot answer just now; see `Retry-After`",
}
OTHERWISE: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.ACCEPTED: {"model": answers.Waiting, "description": "it is being computed; see `Retry-After`"},
    HTTPStatus.NOT_MODIFIED: {"description": "as it was"},
    **{status: {"model": answers.Problem, "description": words} for status, words in PROBLEMS.items()},
}
READABLE: Final = ("ETag", "Retry-After", "X-Request-ID")


async def admitted(request: Request) -> None:
    """Count the request, for every address that gives data; refuse a parameter that is given twice."""
    once([name for name, _ in request.query_params.multi_items()])
    peer, forwarded = request.client.host if request.client else None, request.headers.getlist("x-forwarded-for")

    def admit() -> None:
        arena, mine = open_arena(), settings()
        secret = mine.cookie_secret().get_secret_value()
        arena.admit_read(network_of(peer, forwarded, proxies=mine.trusted_proxies, secret=secret))

    await run_in_threadpool(admit)


async def standings(request: Request, query: Annotated[StandingsQuery, Query()]) -> Response:
    """The leaderboard with the filters of its page: what its JSON button gives."""

    def make() -> str:
        arena = open_arena()
        view = query.view(offer_of(arena.board(), arena.facets()))
        live = arena.board(until=view.until)
        board = arena.rated_board(method=view.method, selection=view.selection, order_by_elo=view.by_elo)
        return board_json(board, lines(board, live, view), view)

    return await document(request, make)


async def win_probability(request: Request, query: Annotated[PairQuery, Query()]) -> Response:
    """How likely is the answer of `a` preferred to that of `b`: with the interval, or the reason why none is told."""

    def make() -> str:
        arena = open_arena()
        board = arena.board()
        model_a, model_b = _found(board, "a", query.a), _found(board, "b", query.b)
        try:
            told: Forecast | str = arena.forecast(model_a, model_b, method=query.method)
        except CannotRate as refusal:
            told = str(refusal)
        return as_text(pair_facts(model_a, model_b, board.prediction(model_a, model_b), told))

    return await document(request, make)


async def models(request: Request, _: Annotated[NoQuery, Query()]) -> Response:
    """Every model that the board knows, retired ones too: what is publicly known of it."""

    def make() -> str:
        board = open_arena().board()
        listed = [model_facts(spec) for _, spec in sorted(board.specs.items())]
        return as_text({"board_version": board.version, "models": listed})

    return await document(request, make)


def json_api() -> FastAPI:
    """The application below `/api`; it asks the arena of this process."""
    api = FastAPI(
        title="Arena",
        description=ABOUT,
        version=version("team-arena"),
        openapi_url="/v1/openapi.json",
        servers=[{"url": "/api"}],
        docs_url=None,
        redoc_url=None,
    )
    for path, function, answer in (
        ("/v1/standings", standings, answers.Standings),
        ("/v1/win-probability", win_probability, answers.Pair),
        ("/v1/models", models, answers.Models),
    ):
        api.get(
            path,
            response_model=answer,
            response_description="the answer",
            responses=OTHERWISE,
            dependencies=[Depends(admitted)],
        )(function)
    api.get("/v1/docs", include_in_schema=False)(lambda: HTMLResponse(api_page(api.openapi())))
    for kind in (RequestValidationError, HTTPException, ArenaError, Exception):
        api.add_exception_handler(kind, refuse)
    api.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], allow_headers=["*"], expose_headers=READABLE
    )
    _name_problems(api.openapi())
    return api


def _name_problems(description: Mapping[str, Any]) -> None:
    """Problems have a media type of their own."""
    for path in description["paths"].values():
        for status, reply in path["get"]["responses"].items():
            if int(status) >= HTTPStatus.BAD_REQUEST:
                reply["content"]["application/problem+json"] = reply["content"].pop("application/json")


def _found(board: Board, parameter: str, name: str) -> str:
    try:
        return board.find(name)
    except UnknownModel as error:
        raise NoSuchThing(parameter, str(error)) from error
