import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arena.embedded.process import ModelProcess

Until = Callable[[Callable[[], object]], None]

NOT_READY = {
    "ends at once": "import sys; sys.exit('no such thing: libexample.so')",
    "says something else": "import sys; print('hello', flush=True); sys.stdin.buffer.read()",
    "says no port": "import sys; print('[]', flush=True); sys.stdin.buffer.read()",
    "says nothing": "import signal; signal.pause()",
}
# Ready on every third start: what is in its file tells which one it is.
FALTERING = """
import os, pathlib, sys
counter = pathlib.Path(sys.argv[1])
count = len(counter.read_text())
counter.write_text("x" * (count + 1))
if count % 3 == 0:
    print('{"port": %d}' % os.getpid(), flush=True)
    if count == 9:
        sys.stdin.buffer.read()
"""


@contextmanager
def running(tmp_path: Path, *command: str, start_seconds: float = 30.0) -> Iterator[ModelProcess]:
    process = ModelProcess(
        [sys.executable, "-c", *command],
        log_path=tmp_path / "log",
        start_seconds=start_seconds,
        first_pause_seconds=0.001,
    )
    process.start()
    try:
        yield process
    finally:
        process.close()


@pytest.mark.parametrize("program", NOT_READY.values(), ids=NOT_READY)
def test_a_child_that_never_gets_ready_is_given_up_with_its_last_words(
    tmp_path: Path, until: Until, program: str
) -> None:
    seconds = 0.2 if program == NOT_READY["says nothing"] else 30.0

    with running(tmp_path, program, start_seconds=seconds) as process:
        until(lambda: process.error)

        last_words = "no such thing: libexample.so" if program == NOT_READY["ends at once"] else "it said nothing"
        log = tmp_path / "log"
        assert process.error == f"it ended 5 times before it was ready ({last_words}); its log is {log}"
        assert not process.ready
        assert process.served is None


def test_a_child_that_gets_ready_now_and_then_is_not_given_up(tmp_path: Path, until: Until) -> None:
    counter = tmp_path / "counter"
    counter.touch()

    with running(tmp_path, FALTERING, str(counter)) as process:
        until(lambda: len(counter.read_text()) == 10)
        until(lambda: process.served)

        assert process.error is None
        assert process.ready


def test_a_child_that_stops_getting_ready_is_given_up(tmp_path: Path, until: Until) -> None:
    once = tmp_path / "once"
    program = """
import os, pathlib, sys
pathlib.Path(sys.argv[1]).touch(exist_ok=False)
print('{"port": %d}' % os.getpid(), flush=True)
sys.stdin.buffer.read()
"""
    with running(tmp_path, program, str(once)) as process:
        until(lambda: process.served)
        assert process.served is not None
        pid = int(process.served.base_url.removesuffix("/v1").rpartition(":")[2])

        os.kill(pid, signal.SIGKILL)
        until(lambda: process.error)

        assert "FileExistsError" in str(process.error)
        assert not process.ready


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    with running(tmp_path, NOT_READY["says nothing"]) as process:
        process.close()
