"""Who learns what about a running arena: whether it lives, whether it is ready, and its figures."""

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from arena.store.engine import database_of
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted
from tests.pages.test_surface import FORBIDDEN, HOST, NOT_FOUND, OK, ORIGIN, SWITCHING, UPGRADE, ask

TOKEN = "planted-metrics-token"
MODELS = [scripted(name, "Yes.") for name in ("walnut", "hazel")]


@pytest.fixture(scope="module")
def neighbourly(
    tmp_path_factory: pytest.TempPathFactory, shared_variables: Mapping[str, str]
) -> Iterator[ArenaProcess]:
    folder = tmp_path_factory.mktemp("neighbourly")
    with arena_process(
        folder, models=MODELS, environ=shared_variables, host="0.0.0.0", allowed_hosts="arena.example"
    ) as arena:
        yield arena


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    """With a token, and with one model only."""
    with arena_process(tmp_path_factory.mktemp("guarded"), models=MODELS[:1], metrics_token=TOKEN) as arena:
        yield arena


def test_this_machine_reads_the_figures(neighbourly: ArenaProcess) -> None:
    answer = ask(neighbourly, "GET /metrics", HOST)

    assert answer.status == OK
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    for name in ("arena_battles_total", "arena_open_streams", "arena_database_seconds_bucket", "process_cpu_seconds"):
        assert f"\n{name}" in answer.body


STRANGERS = [
    ("Host: arena.example", "127.0.0.1"),  # a proxy on this machine
    ("Host: 127.0.0.1:PORT\r\nX-Forwarded-For: 203.0.113.9", "127.0.0.1"),
    ("Host: 127.0.0.1:PORT\r\nX-Forwarded-For: 127.0.0.1", "127.0.0.1"),
    ("Host: 127.0.0.1:PORT\r\nX-Real-IP: 127.0.0.1", "127.0.0.1"),
    ("Host: 127.0.0.1:PORT\r\nForwarded: for=127.0.0.1", "127.0.0.1"),
    ("Host: 127.0.0.1:PORT\r\nVia: 1.1 proxy", "127.0.0.1"),
    ("Host: 127.0.0.2:PORT", "127.0.0.2"),  # another address than the machine's own name
]


@pytest.mark.parametrize(("host", "address"), STRANGERS)
def test_nobody_else_learns_that_there_are_figures(neighbourly: ArenaProcess, host: str, address: str) -> None:
    answer = ask(neighbourly, "GET /metrics", host, address=address)

    assert (answer.status, answer.body) == (NOT_FOUND, "There is nothing here.")


def test_another_sites_script_learns_no_figures(neighbourly: ArenaProcess) -> None:
    assert ask(neighbourly, "GET /metrics", HOST, "Origin: https://elsewhere.example").status == FORBIDDEN


@pytest.mark.parametrize("header", ["X-A: b", "Authorization: Bearer wrong", f"Authorization: {TOKEN}"])
def test_with_a_token_set_nothing_else_opens(guarded: ArenaProcess, header: str) -> None:
    refused = ask(guarded, "GET /metrics", HOST, header)

    assert refused.status == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in refused.body


def test_whoever_knows_the_token_reads_the_figures_from_anywhere(guarded: ArenaProcess) -> None:
    forwarded = ask(guarded, "GET /metrics", HOST, f"Authorization: Bearer {TOKEN}", "X-Forwarded-For: 203.0.113.9")

    assert forwarded.status == OK
    assert "arena_models_ready 1.0" in forwarded.body
    assert TOKEN not in forwarded.body + guarded.log


def test_with_one_model_an_arena_lives_and_is_not_ready(guarded: ArenaProcess) -> None:
    alive, ready = ask(guarded, "GET /healthz", HOST), ask(guarded, "GET /readyz", HOST)

    assert (alive.status, json.loads(alive.body)) == (OK, {"status": "ok"})
    assert ready.status == 503
    assert json.loads(ready.body) == {"status": "not ready", "reasons": ["Fewer than 2 models are ready."]}


def test_without_its_tables_an_arena_is_not_ready(neighbourly: ArenaProcess) -> None:
    assert json.loads(ask(neighbourly, "GET /readyz", HOST).body) == {"status": "ready", "ready_models": 2}

    engine = database_of(neighbourly._database).writing_engine()
    with engine.begin() as database:
        database.exec_driver_sql("ALTER TABLE board_state RENAME TO hidden")
    refused = ask(neighbourly, "GET /readyz", HOST)
    with engine.begin() as database:
        database.exec_driver_sql("ALTER TABLE hidden RENAME TO board_state")
    engine.dispose()

    assert refused.status == 503
    assert json.loads(refused.body)["reasons"] == ["The database does not answer."]
    assert ask(neighbourly, "GET /readyz", HOST).status == OK


# Traces in the answers and in the log


def lines(arena: ArenaProcess) -> list[dict[str, object]]:
    """What it has logged; behind what it says about its address."""
    return [json.loads(line) for line in arena.log.splitlines()[1:]]


def test_a_request_keeps_the_name_that_its_proxy_gave_it(neighbourly: ArenaProcess) -> None:
    answer = ask(neighbourly, "GET /healthz", HOST, "X-Request-ID: 4bf92f35-77b3.4da6_a3ce")

    assert answer.headers["x-request-id"] == "4bf92f35-77b3.4da6_a3ce"


@pytest.mark.parametrize(
    "given", ["X-A: b", "X-Request-ID: short", "X-Request-ID: a b c d e f g h", f"X-Request-ID: {'x' * 65}"]
)
def test_any_other_request_gets_a_name_of_its_own(neighbourly: ArenaProcess, given: str) -> None:
    first, second = (ask(neighbourly, "GET /healthz", HOST, given).headers["x-request-id"] for _ in range(2))

    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert first != second


@pytest.mark.parametrize("path", ["/", "/api/v1/models", "/no-such-page", "/_stcore/metrics"])
def test_every_answer_has_its_name(neighbourly: ArenaProcess, path: str) -> None:
    assert ask(neighbourly, f"GET {path}", HOST).headers["x-request-id"]
    assert ask(neighbourly, f"GET {path}", "Host: rebound.example").headers["x-request-id"]


def test_a_handshake_has_its_name(neighbourly: ArenaProcess) -> None:
    answer = ask(neighbourly, "GET /_stcore/stream", HOST, ORIGIN, *UPGRADE, "X-Request-ID: handshake-1")

    assert (answer.status, answer.headers["x-request-id"]) == (SWITCHING, "handshake-1")


def test_a_reading_is_logged_as_json_without_its_query(neighbourly: ArenaProcess) -> None:
    ask(
        neighbourly,
        "GET /api/v1/models?battle=planted-battle",
        HOST,
        "X-Request-ID: reading-1",
        "Cookie: a=planted-cookie",
    )

    (read,) = (line for line in lines(neighbourly) if line.get("request_id") == "reading-1")
    assert (read["level"], read["logger"], read["message"]) == ("INFO", "arena.api", "a program read")
    assert (read["method"], read["path"], read["status"]) == ("GET", "/api/v1/models", 422)
    assert "planted" not in neighbourly.log


def test_a_refusal_is_logged_with_the_name_of_its_request(neighbourly: ArenaProcess) -> None:
    ask(neighbourly, "GET /", "Host: refused.example", "X-Request-ID: refusal-1")

    (refused,) = (line for line in lines(neighbourly) if line.get("asked") == "refused.example")
    assert (refused["level"], refused["request_id"]) == ("WARNING", "refusal-1")
