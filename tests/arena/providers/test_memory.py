"""What an upstream may make the arena hold in memory, with the limits that users get."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fault_server import FaultServer

ROOT = Path(__file__).parents[3]
GROWTH_KILOBYTES = 20_000  # 100 MB are promised, of which the client library alone takes 80
BOMBS = {
    "10-megabytes": "too_large",
    "10-megabytes-in-one-line": "too_large",
    "100000-deltas": "ok",
    "flood": "too_large",
    "endless-line": "too_large",
    "endless-header": "malformed",
    "endless-error": "overloaded",
    "gzip-bomb": "malformed",
}
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system tells no peak memory")


@dataclass(frozen=True, slots=True)
class Survivor:
    said: str
    grown_kilobytes: int


@pytest.fixture(scope="module")
def survivors() -> Mapping[str, Survivor]:
    """What a process of its own said of each bomb, and how much it had grown by then since it had a first answer."""
    with FaultServer() as server:
        asked = [server.url(name) for name in ("ok", *BOMBS)]
        command = [sys.executable, str(Path(__file__).with_name("asking_process.py")), *asked]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        lines = subprocess.check_output(command, env=environ, text=True, timeout=100).splitlines()
    (_, first), *bombed = (line.split() for line in lines)
    return {name: Survivor(said, int(kb) - int(first)) for name, (said, kb) in zip(BOMBS, bombed, strict=True)}


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_makes_the_arena_grow_by_more_than_20_mb(survivors: Mapping[str, Survivor], name: str) -> None:
    assert survivors[name].said == BOMBS[name]
    assert survivors[name].grown_kilobytes < GROWTH_KILOBYTES
