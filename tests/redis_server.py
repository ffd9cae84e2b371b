"""A real Redis in a process of its own, on a socket in a folder."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Self

import pytest

from tests.fault_server import wait_until

REMEDY = "redis-server is missing; `make test` says how to install it"


class RedisServer:
    """`redis-server`, from the start until `stop`, and again from `start` on with nothing counted; a context manager.

    Without the program the test is skipped, and fails in CI.
    """

    def __init__(self, folder: Path) -> None:
        self._program = _program()
        self._folder = folder
        self._socket = folder / "redis.sock"
        self.url = f"redis+unix://{self._socket}"
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Run; returns once it listens."""
        place = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [self._program, *place, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
        )
        wait_until(self._socket.exists)

    def stop(self) -> None:
        """End, if it runs; returns once it has gone and its socket with it."""
        self._process.terminate()
        self._process.wait(30)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Take connections and answer nothing."""
        self._process.send_signal(SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(SIGCONT)


def _program() -> str:
    program = shutil.which("redis-server")
    if program is not None:
        return program
    if os.environ.get("CI") == "true":
        pytest.fail(REMEDY)
    pytest.skip(REMEDY)
