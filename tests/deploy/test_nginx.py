"""`deploy/nginx.conf` in a real nginx, before two servers that say what they were asked."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.reverse_proxy import PRETENDED, STRANGER, ReverseProxy

LONG = b"the same for every visitor " * 200
KEY = "0123456789abcdef" * 2


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def seen(self) -> Any:  # noqa: ANN401 - what the server was asked, as JSON
        return json.loads(self.body)


@dataclass(slots=True)
class Replica:
    """Answers with the headers that it got; with something long under /static/."""

    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        class Echo(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                told = {"server": self.connection.getsockname()[1], **{k.lower(): v for k, v in self.headers.items()}}
                body = LONG if "long" in self.path else json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/css")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_port

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def replicas() -> Iterator[tuple[Replica, Replica]]:
    with ExitStack() as stack:
        yield (stack.enter_context(closing(Replica())), stack.enter_context(closing(Replica())))


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        return [stack.enter_context(create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


@pytest.fixture(scope="module")
def proxy(replicas: tuple[Replica, Replica], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReverseProxy]:
    port, strange_port = free_ports(2)
    folder = tmp_path_factory.mktemp("proxy") / "nginx"
    with ReverseProxy(folder, replicas=[each.port for each in replicas], port=port, strange_port=strange_port) as proxy:
        yield proxy


def ask(url: str, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    with closing(connection):
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer: HTTPResponse = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def test_nginx_accepts_the_file(proxy: ReverseProxy) -> None:
    found = proxy.check()

    assert found.returncode == 0, found.stderr
    assert "warn" not in found.stderr


def test_nginx_would_refuse_a_misspelt_directive(tmp_path: Path) -> None:
    proxy = ReverseProxy(tmp_path / "nginx", replicas=[1, 2], port=3, strange_port=4)
    file = tmp_path / "nginx" / "arena.conf"
    file.write_text(file.read_text().replace("proxy_connect_timeout", "proxy_connect_timeuot"))

    assert 'unknown directive "proxy_connect_timeuot"' in proxy.check().stderr


# Who stays where


def cookie_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].split(";")[0]


def test_a_browser_stays_with_the_replica_of_its_very_first_page(proxy: ReverseProxy) -> None:
    places = []
    for _ in range(30):
        first = ask(proxy.url, "/")
        later = ask(proxy.url, "/_stcore/host-config", Cookie=f"arena_voter=x; {cookie_of(first)}")
        places.append((first.seen["server"], later.seen["server"]))

    assert [first for first, _ in places] == [later for _, later in places]
    assert len(set(places)) == 2, "all browsers went to one replica"


def test_the_key_is_set_once_and_nobody_can_put_anything_else_into_it(proxy: ReverseProxy) -> None:
    known = ask(proxy.url, "/", Cookie=f"arena_replica={KEY}")
    odd = ask(proxy.url, "/", Cookie="arena_replica=x; arena_voter=y")

    assert "set-cookie" not in known.headers
    assert odd.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert len(cookie_of(odd)) == len(f"arena_replica={KEY}")


def test_a_replica_that_has_gone_is_passed_over(replicas: tuple[Replica, Replica], tmp_path: Path) -> None:
    gone, port, strange_port = free_ports(3)
    here = replicas[0].port
    with ReverseProxy(tmp_path / "nginx", replicas=[gone, here], port=port, strange_port=strange_port) as proxy:
        answers = [ask(proxy.url, "/") for _ in range(10)]

    assert {(answer.status, answer.seen["server"]) for answer in answers} == {(200, here)}


# What is told and what is kept


def test_the_visitors_address_is_the_proxys_word_whatever_the_visitor_claims(proxy: ReverseProxy) -> None:
    seen = ask(proxy.strange_url, "/").seen

    assert seen["x-forwarded-for"] == STRANGER
    assert PRETENDED not in json.dumps(seen)


def test_host_is_passed_on_as_the_browser_sent_it_and_claims_about_it_are_dropped(proxy: ReverseProxy) -> None:
    seen = ask(proxy.url, "/", Host="arena.example.com:8080", X_Forwarded_Host="evil.example", X_Real_IP=PRETENDED).seen

    assert seen["host"] == "arena.example.com:8080"
    assert seen["x-forwarded-proto"] == "http"
    assert {"x-forwarded-host", "x-real-ip", "forwarded"} & set(seen) == set()


def test_only_a_handshake_asks_for_an_upgrade(proxy: ReverseProxy) -> None:
    plain = ask(proxy.url, "/").seen
    handshake = ask(proxy.url, "/_stcore/stream", Upgrade="websocket", Connection="Upgrade").seen

    assert "upgrade" not in plain
    assert (handshake["upgrade"], handshake["connection"]) == ("websocket", "upgrade")


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics/",
        "/_stcore/metrics",
        "//metrics",
        "/%6Detrics",
        "/x/../metrics",
        "/metrics?a=b",
        "/./metrics",
    ],
)
def test_the_figures_are_not_for_visitors(proxy: ReverseProxy, path: str) -> None:
    assert ask(proxy.url, path).status == 404


def test_a_large_body_is_refused_before_it_reaches_a_replica(proxy: ReverseProxy) -> None:
    assert ask(proxy.url, "/", method="POST", body=b"x" * 100_000).status == 200
    assert ask(proxy.url, "/", method="POST", Content_Length=str(2_000_000)).status == 413


# What is compressed


@pytest.mark.parametrize("path", ["/static/long.css", "/api/v1/long"])
def test_what_is_the_same_for_everybody_is_compressed(proxy: ReverseProxy, path: str) -> None:
    answer = ask(proxy.url, path, Accept_Encoding="gzip")

    assert answer.headers["content-encoding"] == "gzip"
    assert "set-cookie" not in answer.headers
    assert len(answer.body) < len(LONG) / 10


@pytest.mark.parametrize("path", ["/long", "/admin/long", "/_stcore/long"])
def test_nothing_else_is_compressed(proxy: ReverseProxy, path: str) -> None:
    answer = ask(proxy.url, path, Accept_Encoding="gzip")

    assert "content-encoding" not in answer.headers
    assert answer.body == LONG
