"""Secrets are planted everywhere an arena may meet one, a whole life of it is lived, and all it left is searched."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from arena.domain import Side
from tests.e2e.arena_process import ROOT, ArenaProcess, arena_process
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.received import Received
from tests.fault_server import FaultServer, wait_until
from tests.faults import Exchange

pytestmark = pytest.mark.e2e

# None looks like any vendor's key, so that only whoever knows them can keep them out.
WALNUT, HAZEL = "wal+nut/planted=0001", "hazel planted 0002"
LITERAL, PASSWORD, BYSTANDER = "literal-planted-0003", "pass-planted-0004", "bystander-planted-0005"
SIGNING = "cookie-signing-planted-0006"
VARIABLES = {
    "WALNUT_CREDENTIAL": WALNUT,
    "HAZEL_ACCESS": HAZEL,
    "SOMEBODY_ELSES_TOKEN": BYSTANDER,
    "ARENA_SECRET": SIGNING,
    # Everybody talks as much as they can.
    "OPENAI_LOG": "debug",
    "STREAMLIT_LOGGER_LEVEL": "debug",
    "PYTHONASYNCIODEBUG": "1",
}
PLANTED = (WALNUT, HAZEL, LITERAL, PASSWORD, BYSTANDER, SIGNING)
SPOILT = f'\napi_key = "{LITERAL}"\n'
PROMPT, ANSWER = "Where is the planting bed?", "Behind the house."
UNREADABLE = (
    f"mysql//root:{PASSWORD}@host/arena",
    f"mysql://root:{PASSWORD}@host/arena",
    f"sqlite://?password={PASSWORD}",
)
EXPORTS = ("plain.csv", "clean_battle.json", "lmarena_140k.jsonl", "lmarena_100k.parquet", "comparia_votes.csv")


async def echo(exchange: Exchange) -> None:
    """Redirect with the key in the address, be busy and repeat it, answer once, then refuse it by repeating it."""
    key = exchange.request.headers["authorization"].removeprefix("Bearer ")
    address = f"https://elsewhere.example/v1?token={quote(key, safe='')}&api_key={key}"
    body = json.dumps(
        {"error": {"message": f"Not with {key}; the header was: Authorization: Bearer {key} ({address})"}}
    )
    match exchange.nth:
        case 1:
            await exchange.head(307, "application/json", Location=address)
        case 2:
            await exchange.head(429, "application/json", Retry_After="300")
        case 3:
            await exchange.answer(ANSWER)
            return
        case _:
            await exchange.head(401, "application/json")
    await exchange.send(body)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultServer]:
    with FaultServer() as upstream:
        upstream.faults |= {"walnut": echo, "hazel": echo}
        yield upstream


class Life:
    """One arena from its first prompt to its end, and everything that it wrote or sent."""

    def __init__(self, browser: Browser, folder: Path, upstream: FaultServer) -> None:
        self.folder = folder
        self.found: dict[str, bytes] = {}
        self.upstream = upstream
        environ = {**VARIABLES, "ARENA_DATABASE_URL": f"sqlite:///{folder}/data/arena.sqlite3?password={PASSWORD}"}
        variables = {"walnut": "WALNUT_CREDENTIAL", "hazel": "HAZEL_ACCESS"}
        models = [
            {"name": name, "upstream_id": name, "base_url": upstream.url(name), "key_variable": variables[name]}
            for name in variables
        ]
        (folder / "data").mkdir()
        with arena_process(folder, models=models, environ=environ, hold_seconds=20) as arena:
            self._visit(browser, arena)
            self._run_commands(arena, environ)
            self._keep_files("while it ran")
        self._fail_to_start(environ)
        self._keep_files("after it ended")

    def _visit(self, browser: Browser, arena: ArenaProcess) -> None:
        with browser.new_context(locale="en-GB") as context:
            received = Received(context)
            battle = BattlePage(context.new_page(), arena.url).open().ask(PROMPT)
            for side in Side:
                for said in ("not set up correctly", "very busy"):
                    expect(battle.pane(side)).to_contain_text(said)
                    battle.pane(side).get_by_role("button", name="Retry this side").click()
                expect(battle.pane(side)).to_contain_text(ANSWER)
            battle.expect_votable().button(LABELS[0]).click()
            battle.button("Reveal now").click()
            battle.expect_names()
            self._spoil_settings(arena)
            self._read(arena)
            for path in ("/leaderboard", "/win-probability", "/models"):
                battle.page.goto(arena.url + path)
                expect(battle.page.get_by_text("Answers can be wrong")).to_be_visible()
            expect(battle.page.get_by_text("was not read again")).to_be_visible()
            for seen in received.everything():
                self._keep(f"browser: {seen.where}", seen.data)

    def _read(self, arena: ArenaProcess) -> None:
        """What programs get: the API and the metrics."""
        for path in ("api/v1/standings", "api/v1/models", "api/v1/openapi.json", "metrics"):
            with urllib.request.urlopen(f"{arena.url}/{path}", timeout=30) as answer:
                self._keep(path, answer.read())

    def _spoil_settings(self, arena: ArenaProcess) -> None:
        """A key written where none belongs, and read again by the running arena."""
        assert arena.config is not None
        (self.folder / "spoilt.toml").write_text(arena.config.read_text() + SPOILT)
        (self.folder / "spoilt.toml").replace(arena.config)

    def _run_commands(self, arena: ArenaProcess, environ: Mapping[str, str]) -> None:
        assert arena.config is not None
        assert self._run(arena, "standings") == 2  # refuses the spoilt file
        arena.config.write_text(arena.config.read_text().removesuffix(SPOILT))
        for arguments in (
            ["standings", "--json"],
            ["models", "list", "--json"],
            ["verify"],
            *(["export", name, "--format", name.split(".")[0]] for name in EXPORTS),
        ):
            assert self._run(arena, *arguments) == 0
        for unreadable in UNREADABLE:
            assert self._run(arena, "verify", ARENA_DATABASE_URL=unreadable) == 2
        with self._started(environ, "models", "check") as check:
            assert check.wait(60) == 1

    def _run(self, arena: ArenaProcess, *arguments: str, **variables: str) -> object:
        command = arena.command(*arguments, **variables)
        self._keep(f"command: {arguments[0]}", command.output.encode())
        return command.code

    @contextmanager
    def _started(self, environ: Mapping[str, str], *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
        """A command as a process of its own, killed at the end."""
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
        log = self.folder / f"{arguments[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "arena", *arguments], cwd=self.folder, env=environ, stdout=output, stderr=output
            )
        yield process
        process.kill()
        process.wait(30)

    def _fail_to_start(self, environ: Mapping[str, str]) -> None:
        """A server whose database has no readable address; it says so on every page and in its log."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environ = {**environ, "ARENA_DATABASE_URL": UNREADABLE[0]}
        with self._started(environ, "serve", "--port", str(port)):
            wait_until(lambda: _status(f"http://127.0.0.1:{port}/readyz") == HTTPStatus.SERVICE_UNAVAILABLE)

    def _keep_files(self, when: str) -> None:
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name != "arena.toml":
                self._keep(f"{when}: {path.name}", path.read_bytes())
        with closing(sqlite3.connect(self.folder / "data" / "arena.sqlite3")) as database:
            self._keep(f"{when}: dump", "\n".join(database.iterdump()).encode())

    def _keep(self, where: str, data: bytes) -> None:
        self.found[where] = self.found.get(where, b"") + data


def _status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@pytest.fixture(scope="module")
def life(browser: Browser, tmp_path_factory: pytest.TempPathFactory, upstream: FaultServer) -> Life:
    return Life(browser, tmp_path_factory.mktemp("planted"), upstream)


@pytest.mark.parametrize("secret", PLANTED)
def test_no_secret_is_anywhere(life: Life, secret: str) -> None:
    forms = {form.encode() for form in (secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1])}

    assert [where for where, data in life.found.items() for form in forms if form in data] == []


def test_the_keys_were_in_use(life: Life) -> None:
    sent = {request.headers["authorization"] for request in life.upstream.requests}

    assert sent == {f"Bearer {WALNUT}", f"Bearer {HAZEL}"}


def test_the_search_looks_where_something_is(life: Life) -> None:
    log = life.found["after it ended: server.log"]

    assert b"[redacted]" in log
    failed = [json.loads(line) for line in log.splitlines() if b"a model failed" in line]
    assert all(line["request_id"] for line in failed)
    assert b"a model failed" in log
    assert b"walnut" in life.found["api/v1/models"]
    assert b'arena_replies_total{model="walnut",status="failed"}' in life.found["metrics"]
    assert b"DEBUG" in log
    assert b"Traceback" in life.found["after it ended: serve.log"]
    for where in ("while it ran: arena.sqlite3-wal", "after it ended: arena.sqlite3", "after it ended: dump"):
        assert PROMPT.encode() in life.found[where]
    assert PROMPT.encode() in life.found["browser: frame"]
    assert b"was not read again" in life.found["browser: frame"]
    assert b"api_key: a key does not belong into this file" in life.found["command: standings"]
    assert b"[redacted]" in life.found["after it ended: models.log"]
    assert all(life.found[f"after it ended: {name}"] for name in EXPORTS)
