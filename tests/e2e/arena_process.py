"""A whole arena as a visitor meets it: a server process of its own, with its settings and data in one folder."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from arena.__main__ import main
from arena.board import Board, board_of
from arena.domain import Battle
from arena.store import Store
from tests.fault_server import wait_until

ROOT = Path(__file__).parents[2]
Model = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """How a command ended, and what it printed."""

    code: object
    output: str


class ArenaProcess:
    """`arena serve` on a free port; the same folder and port again after a `restart`.

    `environ` adds variables, `settings` those called `ARENA_…` by their key (`hold_seconds`); `before` may fill the
    database, given the settings' file and the database's URL.
    """

    def __init__(
        self,
        folder: Path,
        *,
        models: Sequence[Model],
        environ: Mapping[str, str] | None = None,
        before: Callable[[Path, str], None] | None = None,
        **settings: object,
    ) -> None:
        self.folder = folder
        self.config = folder / "arena.toml" if models else None
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        self._variables = {f"ARENA_{key.upper()}": str(value) for key, value in settings.items()} | dict(environ or {})
        if self.config is not None:
            self._write(models)
        if before is not None and self.config is not None:
            before(self.config, self._database)
        self._start()

    def restart(self) -> None:
        """Kill it without a word, and start it again on the same data."""
        with self.killed():
            pass

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Kill it without a word; it starts again afterwards, on the same data."""
        self._process.kill()
        self._process.wait(30)
        try:
            yield
        finally:
            self._start()

    def rewrite(self, models: Sequence[Model]) -> None:
        """Describe other models in its file; returns once it knows them by their display names."""
        self._write(models)
        wanted = {str(model["display_name"]) for model in models}
        with closing(self._store()) as store:
            wait_until(lambda: {model.spec.display_name for model in store.read.models()} == wanted)

    def close(self) -> None:
        """End it as Ctrl-C does; asserts that it ends well and leaves no process behind."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(60)
        _, left = psutil.wait_procs(children, timeout=30)

        assert (code, left) == (0, []), self.log
        assert "Traceback" not in self.log, self.log

    def command(self, *arguments: str, **variables: str) -> Command:
        """Run `arena …` on the same settings and data; in this process, because starting one takes seconds."""
        output = io.StringIO()
        environ = {"ARENA_DATA_DIR": str(self.folder / "data"), **self._variables, **variables}
        if self.config is not None:
            environ["ARENA_CONFIG"] = str(self.config)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(output):
            patch.chdir(self.folder)
            for name, value in environ.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(arguments)
        return Command(ended.value.code, output.getvalue())

    @property
    def log(self) -> str:
        """What it has written to its terminal."""
        return self._log.read_text(encoding="utf-8")

    def board(self) -> Board:
        """The leaderboard as it is stored."""
        with closing(self._store()) as store:
            return board_of(store.read.board(now=datetime.now(UTC)))

    def battle(self, battle_id: str) -> Battle:
        """A battle as it is stored."""
        with closing(self._store()) as store:
            battle = store.read.battle(battle_id)
        assert battle is not None
        return battle

    def connects_to(self, port: int) -> bool:
        """Whether it has a connection to a server on this machine."""
        connections = psutil.Process(self._process.pid).net_connections("tcp")
        return any(each.raddr and each.raddr.port == port for each in connections)

    @property
    def _database(self) -> str:
        return self._variables.get("ARENA_DATABASE_URL") or f"sqlite:///{self.folder / 'data' / 'arena.sqlite3'}"

    def _store(self) -> Store:
        return Store.open_to_read(self._database)

    def _write(self, models: Sequence[Model]) -> None:
        assert self.config is not None
        draft = self.config.with_suffix(".draft")
        draft.write_text(_toml(models), encoding="utf-8")
        draft.replace(self.config)  # nobody reads half of it

    def _start(self) -> None:
        command = [sys.executable, "-m", "arena", "serve", "--port", str(self.port)]
        command += ["--config", str(self.config)] if self.config else []
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ARENA_")}
        environ = {**inherited, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(self.folder)}
        environ |= {"ARENA_DATA_DIR": str(self.folder / "data"), **self._variables}
        with self._log.open("a", encoding="utf-8") as log:
            # From a folder without settings: what the repository or the user keeps must not matter here.
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        wait_until(self._answers)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def arena_process(folder: Path, *, models: Sequence[Model], **options: Any) -> Iterator[ArenaProcess]:  # noqa: ANN401 - as above
    """An arena that is up, and that ends well; the options are those of `ArenaProcess`."""
    arena = ArenaProcess(folder, models=models, **options)
    try:
        yield arena
    finally:
        arena.close()


def scripted(name: str, text: str | Sequence[str], *, script: Model | None = None, **more: object) -> Model:
    """A model that says `text`; `script` holds the other keys of its script."""
    return {"name": name, "provider": "scripted", "script": {"text": text, **(script or {})}, **more}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _toml(models: Sequence[Model]) -> str:
    return "\n\n".join("\n".join(["[[models]]", *(f"{k} = {_value(v)}" for k, v in m.items())]) for m in models)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
