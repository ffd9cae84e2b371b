"""One model server as a child process: started, watched, restarted, ended."""

import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread, Timer

from arena.embedded.child import KEY_VARIABLE

log = logging.getLogger(__name__)

START_SECONDS = 180.0
FIRST_PAUSE_SECONDS = 0.25
STOP_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
STARTS_IN_VAIN = 5

# A child gets what a program needs to run, and none of the keys that lie in the environment beside it.
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHOME",
)


@dataclass(frozen=True, slots=True)
class Served:
    """Where an embedded model is asked (an OpenAI-compatible address), and with which key."""

    base_url: str
    api_key: str


class ModelProcess:
    """Keeps `command` running; it is told its key in the environment and prints `{"port": n}` when it answers.

    A child that ends is started again after a pause that doubles with every early end. One that did not get ready in
    five starts, or that the CPU cannot run, is given up.

    Args:
        command: program and arguments.
        log_path: what the last child wrote to its error output.
        on_change: called in a thread of its own whenever `served` or `error` has changed.
        start_seconds: how long a child may take to get ready.
        first_pause_seconds: before the first restart.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log_path: Path,
        on_change: Callable[[], object] = lambda: None,
        start_seconds: float = START_SECONDS,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._command = tuple(command)
        self._start_seconds = start_seconds
        self._pause_seconds = first_pause_seconds
        self._log_path = log_path
        self._on_change = on_change
        self._closing = Event()
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._keep_running, name="embedded-model", daemon=True)
        self._served: Served | None = None
        self._was_ready = False
        self._error: str | None = None

    def start(self) -> None:
        """Start the child in the background."""
        self._thread.start()

    @property
    def served(self) -> Served | None:
        """Where the child listens now; None while it starts, restarts or has ended."""
        return None if self._closing.is_set() else self._served

    @property
    def ready(self) -> bool:
        """Whether it has answered and was not given up since; stays true while a child is being replaced."""
        return self._was_ready and self._error is None and not self._closing.is_set()

    @property
    def error(self) -> str | None:
        """Why it was given up, as a sentence; None otherwise."""
        return self._error

    def stop(self) -> None:
        """Ask the child to end, without waiting; `close` waits."""
        self._closing.set()
        with self._lock:
            if self._process is not None:
                self._process.terminate()

    def close(self) -> None:
        """End the child, within a second even if it hangs; without effect the second time."""
        self.stop()
        if (process := self._process) is not None:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _keep_running(self) -> None:
        early_ends = in_vain = 0
        while not self._closing.is_set():
            started = time.monotonic()
            try:
                in_vain = 0 if self._run_once() else in_vain + 1
            except OSError as exc:
                self._give_up(f"{exc.strerror or exc}: {exc.filename or self._command[0]}")
            if in_vain == STARTS_IN_VAIN:
                self._give_up(f"it ended {in_vain} times before it was ready ({self._last_words()})")
            if self._closing.is_set() or self._error is not None:
                return
            early_ends = 0 if time.monotonic() - started > STEADY_SECONDS else early_ends
            self._closing.wait(min(self._pause_seconds * 2**early_ends, LONGEST_PAUSE_SECONDS))
            early_ends += 1

    def _run_once(self) -> bool:
        """Start one child and wait for its end; whether it got ready."""
        key = secrets.token_urlsafe(32)
        process = self._spawn(key)
        if process is None:
            return False
        with process:
            port = _ready_port(process, within_seconds=self._start_seconds)
            if port is not None and not self._closing.is_set():
                self._was_ready = True
                self._set_served(Served(f"http://127.0.0.1:{port}/v1", key))
            code = process.wait()
        if self._closing.is_set():
            return False
        log.warning("A local model server ended and is started again.", extra={"code": code, "child_pid": process.pid})
        self._set_served(None)
        if code == -signal.SIGILL:
            self._give_up("this CPU lacks instructions that it needs, such as AVX2")
        return port is not None

    def _spawn(self, key: str) -> subprocess.Popen[bytes] | None:
        # A session of its own keeps the terminal's Ctrl-C away; standard input is how it learns that we are gone.
        with self._lock, self._log_path.open("wb") as errors:
            if self._closing.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(key),
                start_new_session=True,
            )
            return self._process

    def _set_served(self, served: Served | None) -> None:
        if self._served != served:
            self._served = served
            self._on_change()

    def _give_up(self, reason: str) -> None:
        self._error = f"{reason}; its log is {self._log_path}"
        self._on_change()

    def _last_words(self) -> str:
        lines = self._log_path.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _ready_port(process: subprocess.Popen[bytes], *, within_seconds: float) -> int | None:
    """The port that the child tells on its first line; None when it ends, or is ended, without one."""
    assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
    too_slow = Timer(within_seconds, process.kill)
    too_slow.daemon = True
    too_slow.start()
    try:
        return int(json.loads(process.stdout.readline())["port"])
    except (ValueError, KeyError, TypeError):
        process.kill()
        return None
    finally:
        too_slow.cancel()


def _environment(key: str) -> dict[str, str]:
    # Threads that spin while they wait starve each other as soon as the cores are shared (llama.cpp 13079).
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | {KEY_VARIABLE: key, "OMP_WAIT_POLICY": "passive"}


def child_command(gguf: Path, *, alias: str, threads: int, slots: int, context_tokens: int) -> tuple[str, ...]:
    """The command that serves `gguf`; `-P` keeps the folder of the program out of its module search path."""
    program = Path(__file__).with_name("child.py")
    options = ("--alias", alias, "--threads", str(threads), "--slots", str(slots))
    return (sys.executable, "-P", str(program), str(gguf), *options, "--context-tokens", str(context_tokens))
