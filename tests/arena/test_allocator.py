import re
import subprocess
import sys

import pytest

from tests.killing import ROOT

FIRST = "use_little_memory(os.environ)"
# Threads that are there at once, each with a heap of its own if it may; glibc tells them apart on stderr.
THREADS = """
import ctypes, os, threading
from arena.allocator import use_little_memory

{first}
together = threading.Barrier(8)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def ask():
    libc.malloc(100_000)
    together.wait()

threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_stats()
"""


@pytest.fixture(autouse=True)
def _needs_glibc() -> None:
    if sys.platform != "linux" or heaps(first="") < 3:
        pytest.skip("no glibc, or one processor")


def heaps(*, first: str, environ: dict[str, str] | None = None) -> int:
    command = [sys.executable, "-c", THREADS.format(first=first)]
    told = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT), **(environ or {})}, capture_output=True, text=True, check=True
    )
    return len(re.findall(r"^Arena \d+:", told.stderr, re.MULTILINE))


def test_all_threads_share_two_heaps() -> None:
    assert heaps(first=FIRST) == 2


def test_an_operator_who_chose_another_number_gets_it() -> None:
    assert heaps(first=FIRST, environ={"MALLOC_ARENA_MAX": "4"}) == 4
