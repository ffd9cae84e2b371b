import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

import voters
from voters import COOKIE, VoterCookies, new_voter

PAGES = Path(voters.__file__).parent
DEADLINE_SECONDS = 60
MODELS = '[[models]]\nname = "walnut"\nprovider = "scripted"\n[[models]]\nname = "hazel"\nprovider = "scripted"\n'


@dataclass
class Server:
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def get(self, path: str = "/", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        connection.close()
        return response


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared_variables: Mapping[str, str]) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("asgi")
    (folder / "arena.toml").write_text(MODELS, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PAGES / "asgi.py")]
    flags = ["--server.address=127.0.0.1", f"--server.port={port}"]
    environ = {
        **os.environ,
        **shared_variables,
        "ARENA_CONFIG": str(folder / "arena.toml"),
        "PYTHONPATH": str(PAGES.parent),
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *flags], cwd=folder, env=environ, stdout=output, stderr=output)
    running = Server(port, process, log)
    try:
        wait_until_healthy(running)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE_SECONDS)


def wait_until_healthy(running: Server) -> None:
    deadline = monotonic() + DEADLINE_SECONDS
    while monotonic() < deadline:
        assert running.process.poll() is None, running.log.read_text()
        try:
            if running.get("/healthz").status == http.HTTPStatus.OK:
                return
        except ConnectionError:
            continue
    pytest.fail(running.log.read_text())


def cookie_of(response: http.client.HTTPResponse) -> str:
    return next((each for each in response.headers.get_all("set-cookie", []) if each.startswith(COOKIE)), "")


def test_a_new_browser_becomes_a_voter(server: Server) -> None:
    cookie = cookie_of(server.get())

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_two_browsers_are_two_voters(server: Server) -> None:
    assert cookie_of(server.get()) != cookie_of(server.get())


def test_behind_https_the_cookie_is_secure(server: Server) -> None:
    assert "; Secure" in cookie_of(server.get(X_Forwarded_Proto="https"))


def test_a_known_voter_stays_who_it_is(server: Server) -> None:
    value = cookie_of(server.get()).split(";")[0]

    assert not cookie_of(server.get(Cookie=value))


@pytest.mark.parametrize("value", ["", "made-up", "a.b", "x" * 4000, '"', "é"])
def test_a_forged_cookie_is_replaced(server: Server, value: str) -> None:
    assert cookie_of(server.get(Cookie=f"{COOKIE}={value}"))


def test_a_cached_page_still_makes_a_voter(server: Server) -> None:
    first = server.get()
    etag = first.headers["etag"]

    assert cookie_of(server.get(If_None_Match=etag))
    assert server.get(If_None_Match=etag, Cookie=cookie_of(first).split(";")[0]).status == http.HTTPStatus.NOT_MODIFIED


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/no-such-page", "/?battle=x"])
def test_every_page_carries_the_policy(server: Server, path: str) -> None:
    headers = server.get(path).headers

    assert "script-src 'self';" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


def test_other_answers_make_no_voter(server: Server) -> None:
    response = server.get("/manifest.json")

    assert response.headers["x-content-type-options"] == "nosniff"
    assert not cookie_of(response)


def test_a_process_that_answers_lives(server: Server) -> None:
    response = server.get("/healthz")

    assert json.loads(response.body) == {"status": "ok"}  # type: ignore[attr-defined]


def test_an_arena_with_two_models_is_ready(server: Server) -> None:
    response = server.get("/readyz")

    assert json.loads(response.body) == {"status": "ready", "ready_models": 2}  # type: ignore[attr-defined]


def test_the_settings_beside_the_pages_are_in_force(server: Server) -> None:
    hosts = json.loads(server.get("/_stcore/host-config").body)  # type: ignore[attr-defined]

    assert hosts["allowedOrigins"] == []


def test_ctrl_c_ends_it_quietly(server: Server) -> None:
    server.process.send_signal(signal.SIGINT)
    server.process.wait(DEADLINE_SECONDS)

    assert "Traceback" not in server.log.read_text()


def test_a_cookie_is_read_back() -> None:
    cookies, voter = VoterCookies("secret"), new_voter()

    assert cookies.read(cookies.write(voter)) == voter


@pytest.mark.parametrize("value", [None, "", "voter", "voter.signature", VoterCookies("another").write("voter"), "é.é"])
def test_what_was_not_signed_here_is_nobody(value: str | None) -> None:
    assert VoterCookies("secret").read(value) is None
