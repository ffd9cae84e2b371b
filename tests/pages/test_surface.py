"""What a stranger's client gets, over raw sockets, from the server that `arena serve` starts."""

import asyncio
import socket
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

import surface
from surface import Gate, broken
from tests.e2e.arena_process import ArenaProcess, arena_process, scripted

OK, SWITCHING, BAD, FORBIDDEN, NOT_FOUND = 200, 101, 400, 403, 404
HOST = "Host: 127.0.0.1:PORT"
ORIGIN = "Origin: http://127.0.0.1:PORT"
ELSEWHERE = "Origin: https://elsewhere.example"
UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)
XSRF = "0123456789abcdef0123456789abcdef"  # a cookie and a header that say the same: what only a page of ours can do
HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
MODELS = [scripted(name, "Yes.") for name in ("walnut", "hazel")]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    """On this machine only, behind a proxy, and in a careless environment."""
    environ = {"STREAMLIT_SERVER_ENABLE_AGENT_API": "true"}
    folder = tmp_path_factory.mktemp("local")
    with arena_process(folder, models=MODELS, environ=environ, allowed_hosts="Arena.example, 203.0.113.7") as arena:
        yield arena


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArenaProcess]:
    """On every address of this machine, without a word on who stands in front."""
    with arena_process(tmp_path_factory.mktemp("everywhere"), models=MODELS, host="0.0.0.0") as arena:
        yield arena


def ask(arena: ArenaProcess, request: str, *headers: str, address: str = "127.0.0.1") -> Answer:
    """Send one request as it is written; PORT is the arena's."""
    lines = [
        request if "HTTP/" in request else f"{request} HTTP/1.1",
        *headers,
        *([] if UPGRADE[0] in headers else ["Connection: close"]),
    ]
    with socket.create_connection((address, arena.port), timeout=30) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).replace("PORT", str(arena.port)).encode())
        with connection.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            fields = iter(lambda: stream.readline().decode().strip(), "")
            answered = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
            return Answer(status, answered, "" if status == SWITCHING else stream.read().decode("utf-8", "replace"))


HOSTS = [
    ("Host: 127.0.0.1:PORT", True),
    ("Host: 127.0.0.1", True),
    ("Host: localhost:PORT", True),
    ("Host: LOCALHOST:PORT", True),
    ("Host: [::1]:PORT", True),
    ("Host: [0:0:0:0:0:0:0:1]:PORT", True),
    ("Host: arena.example", True),
    ("Host: ARENA.example:8443", True),
    ("Host: 203.0.113.7", True),
    ("Host: rebound.example:PORT", False),
    ("Host: 127.0.0.1.rebound.example:PORT", False),
    ("Host: localhost.rebound.example", False),
    ("Host: rebound.example:80@127.0.0.1", False),
    ("Host: localhost:PORT@rebound.example", False),
    ("Host: 127.0.0.1:PORT, rebound.example", False),
    ("Host: 127.0.0.1/rebound.example", False),
    ("Host: sub.arena.example", False),
    ("Host: arena.example.rebound.example", False),
    ("Host: 203.0.113.8", False),
    ("Host: 0.0.0.0:PORT", False),
    ("Host: 2130706433:PORT", False),
    ("Host: 127.1:PORT", False),
    ("Host: [::1", False),
    ("Host: [::2]:PORT", False),
    ("Host: localhost:port", False),
    ("Host:", False),
    ("Host: rebound.example\r\nX-Forwarded-Host: localhost", False),
]
WITHOUT_ONE_HOST = ["X-Forwarded-Host: localhost", "Host: localhost:PORT\r\nHost: rebound.example"]
ROUTES = ["/", "/leaderboard", "/healthz", "/_stcore/health", "/_stcore/host-config", "/media/x", "/manifest.json"]


@pytest.mark.parametrize(("host", "allowed"), HOSTS)
def test_only_known_hosts_are_answered(local: ArenaProcess, host: str, allowed: bool) -> None:
    assert ask(local, "GET /healthz", host).status == (OK if allowed else FORBIDDEN)


@pytest.mark.parametrize("headers", WITHOUT_ONE_HOST)
def test_without_exactly_one_host_nothing_is_answered(local: ArenaProcess, headers: str) -> None:
    assert ask(local, "GET /healthz", headers).status == BAD  # the server's own word, before it asks the arena
    assert ask(local, "GET /healthz HTTP/1.0").status == FORBIDDEN


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_answers_a_rebound_name(local: ArenaProcess, route: str) -> None:
    refused = ask(local, f"GET {route}", "Host: rebound.example:PORT")

    assert refused.status == FORBIDDEN
    assert "allowed_hosts" in refused.body
    assert "arena.toml" in refused.body
    assert "ARENA_ALLOWED_HOSTS" in refused.body


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_answers_another_site(local: ArenaProcess, route: str) -> None:
    refused = ask(local, f"GET {route}", HOST, ELSEWHERE)

    assert refused.status == FORBIDDEN
    assert "access-control-allow-origin" not in refused.headers


HANDSHAKES = [
    ((HOST, ORIGIN), True),
    (("Host: localhost:PORT", "Origin: http://localhost:PORT"), True),
    (("Host: [::1]:PORT", "Origin: http://[::1]:PORT"), True),
    (("Host: arena.example", "Origin: https://arena.example"), True),
    (("Host: arena.example:8443", "Origin: https://arena.example:8443"), True),
    ((HOST,), False),
    ((HOST, "Origin: null"), False),
    ((HOST, "Origin:"), False),
    ((HOST, ELSEWHERE), False),
    ((HOST, "Origin: http://127.0.0.1"), False),
    ((HOST, "Origin: http://127.0.0.1:1"), False),
    ((HOST, "Origin: http://localhost:PORT"), False),
    ((HOST, "Origin: http://127.0.0.1:PORT.elsewhere.example"), False),
    ((HOST, "Origin: http://127.0.0.1:PORT/"), False),
    ((HOST, "Origin: http://elsewhere.example@127.0.0.1:PORT"), False),
    ((HOST, "Origin: ftp://127.0.0.1:PORT"), False),
    ((HOST, "Origin: file://"), False),
    ((HOST, "Origin: chrome-extension://abcdefghijklmnop"), False),
    (("Host: rebound.example:PORT", "Origin: http://rebound.example:PORT"), False),
    (("Host: rebound.example:PORT", ORIGIN), False),
    (("Host: sub.arena.example", "Origin: https://sub.arena.example"), False),
    (("Host: 0.0.0.0:PORT", "Origin: http://0.0.0.0:PORT"), False),
]


@pytest.mark.parametrize(("headers", "allowed"), HANDSHAKES)
def test_only_a_page_of_this_arena_may_open_its_websocket(
    local: ArenaProcess, headers: tuple[str, ...], allowed: bool
) -> None:
    answer = ask(local, "GET /_stcore/stream", *headers, *UPGRADE)

    assert answer.status == (SWITCHING if allowed else FORBIDDEN)


@pytest.mark.parametrize("origins", [(ORIGIN, ELSEWHERE), (ELSEWHERE, ORIGIN), (ORIGIN, ORIGIN)])
def test_two_origins_are_none(local: ArenaProcess, origins: tuple[str, str]) -> None:
    assert ask(local, "GET /healthz", HOST, *origins).status == FORBIDDEN
    assert ask(local, "GET /_stcore/stream", HOST, *origins, *UPGRADE).status == BAD  # the server's own word, again


def test_a_refused_handshake_says_what_to_do(local: ArenaProcess) -> None:
    refused = ask(local, "GET /_stcore/stream", "Host: rebound.example", "Origin: http://rebound.example", *UPGRADE)

    assert "allowed_hosts" in refused.body
    assert HEADERS.items() <= refused.headers.items()


PATHS = [
    ("GET /", OK),
    ("GET /win-probability?a=x", OK),
    ("GET /healthz", OK),
    ("GET /_stcore/health", OK),
    ("GET /_stcore/host-config", OK),
    ("GET /_stcore/metrics", NOT_FOUND),
    ("GET /_stcore/metrics?families=cache_memory_bytes", NOT_FOUND),
    ("GET /%5fstcore/metrics", NOT_FOUND),
    ("GET /%255fstcore/metrics", OK),  # a page's address, for what that is worth
    ("GET /_stcore/metrics/", NOT_FOUND),
    ("GET /_stcore/./metrics", NOT_FOUND),
    ("GET /_stcore%2fmetrics", NOT_FOUND),
    ("GET //_stcore/metrics", NOT_FOUND),
    ("GET /leaderboard/_stcore/metrics", NOT_FOUND),
    ("OPTIONS /_stcore/metrics", NOT_FOUND),
    ("GET /_stcore/script-health-check", NOT_FOUND),
    ("GET /_stcore/agent/openapi.json", NOT_FOUND),
    ("GET /_stcore/agent", NOT_FOUND),
    ("POST /_stcore/agent/interact", NOT_FOUND),
    ("POST /_stcore/agent/mcp", NOT_FOUND),
    ("GET /_stcore/agent/mcp/", NOT_FOUND),
    ("GET /_stcore/health/../metrics", NOT_FOUND),
    ("GET /_stcore/anything", NOT_FOUND),
    ("GET /_stcore", NOT_FOUND),
    ("GET /static/../../etc/passwd", BAD),
    ("GET /media/../../etc/passwd", BAD),
    ("GET /media/x", NOT_FOUND),
    ("POST /", 405),
    ("PUT /_stcore/upload_file/session/file", FORBIDDEN),
    ("DELETE /_stcore/upload_file/session/file", FORBIDDEN),
]


@pytest.mark.parametrize(("request_line", "status"), PATHS)
def test_a_visitor_finds_only_what_pages_need(local: ArenaProcess, request_line: str, status: int) -> None:
    assert ask(local, request_line, HOST).status == status


@pytest.mark.parametrize(("request_line", "_status"), PATHS)
def test_every_answer_carries_the_security_headers(local: ArenaProcess, request_line: str, _status: int) -> None:
    headers = ask(local, request_line, HOST).headers

    assert HEADERS.items() <= headers.items()
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "camera=()" in headers["permissions-policy"]


def test_an_upload_needs_the_token_that_only_our_pages_know(local: ArenaProcess) -> None:
    upload = "PUT /_stcore/upload_file/session/file"
    another = f"X-Xsrftoken: {XSRF[::-1]}"

    with_token = ask(local, upload, HOST, f"Cookie: _streamlit_xsrf={XSRF}", f"X-Xsrftoken: {XSRF}")

    assert with_token.status == BAD  # as far as the session, which does not exist
    assert "session" in with_token.body
    assert ask(local, upload, HOST, f"Cookie: _streamlit_xsrf={XSRF}").status == FORBIDDEN
    assert ask(local, upload, HOST, f"Cookie: _streamlit_xsrf={XSRF}", another).status == FORBIDDEN


def test_a_refusal_is_logged_once_and_harmlessly(local: ArenaProcess) -> None:
    for _ in range(3):
        ask(local, "GET /", "Host: logged.example\x9b31m")
        ask(local, "GET /", "Host: logged.example")

    assert local.log.count("logged.example") == 2
    assert "\x9b" not in local.log
    assert "external IP" not in local.log  # nobody was asked who we are


ADDRESSES = [
    ("Host: 127.0.0.1:PORT", "127.0.0.1", OK),
    ("Host: 127.0.0.2:PORT", "127.0.0.2", OK),  # the address by which it was reached
    ("Host: 127.0.0.3:PORT", "127.0.0.2", FORBIDDEN),
    ("Host: 0.0.0.0:PORT", "127.0.0.1", FORBIDDEN),
    ("Host: arena.example", "127.0.0.1", FORBIDDEN),
]


@pytest.mark.parametrize(("host", "address", "status"), ADDRESSES)
def test_on_every_address_unknown_names_are_refused(
    everywhere: ArenaProcess, host: str, address: str, status: int
) -> None:
    assert ask(everywhere, "GET /healthz", host, address=address).status == status


def test_listening_everywhere_without_a_name_is_said_at_the_start(
    everywhere: ArenaProcess, local: ArenaProcess
) -> None:
    assert "set allowed_hosts in arena.toml" in everywhere.log
    assert "set allowed_hosts in arena.toml" not in local.log


async def fail(_: Request) -> Response:
    raise LookupError("a secret")


def answer_to(app: Starlette, host: str) -> list[Message]:
    """What the application sends for one request."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", host.encode())]}
    with suppress(LookupError):  # for the server's log
        asyncio.run(app(scope, receive, send))
    return sent


@pytest.fixture
def failing() -> Starlette:
    """An application that breaks behind its gate."""
    gate = Middleware(Gate, hosts=lambda: ["arena.example"])
    return Starlette(routes=[Route("/", fail)], middleware=[gate], exception_handlers={Exception: broken})


def test_an_answer_to_what_broke_carries_the_headers_too(failing: Starlette) -> None:
    start, body = answer_to(failing, "arena.example")

    assert start["status"] == 500
    assert {(name.encode(), value.encode()) for name, value in HEADERS.items()} <= set(start["headers"])
    assert b"secret" not in body["body"]


def test_a_flood_of_names_does_not_fill_the_log(failing: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    statuses = {answer_to(failing, f"{n}.example" + "x" * 1_000)[0]["status"] for n in range(150)}

    assert statuses == {FORBIDDEN}
    assert len(caplog.records) == 100
    assert max(len(str(vars(record)["asked"])) for record in caplog.records) == 100


def test_the_settings_that_safety_rests_on_are_set() -> None:
    config = tomllib.loads(Path(surface.__file__).with_name(".streamlit").joinpath("config.toml").read_text("utf-8"))
    expected: dict[str, dict[str, object]] = {
        "logger": {"enableRich": False},  # its tracebacks would pass by the log, where keys are taken out
        "client": {"showErrorDetails": "none", "allowedOrigins": []},
        "server": {"enableAgentApi": False, "enableCORS": True, "enableXsrfProtection": True},
    }

    for section, values in expected.items():
        assert values.items() <= config[section].items()
