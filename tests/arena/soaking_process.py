"""Visitors who use an arena in every way, at a pace far above life's; says now and then what it holds.

    soaking_process.py ARENA_TOML PERIODS SECONDS_EACH HISTORY REST_SECONDS

The arena has HISTORY battles with votes at the beginning: to look at few takes less memory than to look at many, and
that is no leak. A visitor rests for REST_SECONDS on average after each battle. After each period all pause until no
answer is on its way; then one line of JSON is printed.
"""

import contextlib
import ctypes
import gc
import json
import os
import random
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
from sqlalchemy.pool import QueuePool

from arena.allocator import use_little_memory
from arena.domain import BattleState, Side
from arena.errors import ArenaError
from arena.service import Arena
from arena.settings import load_settings
from leaderboard.verdicts import Verdict
from tests.arena.store.proving import play

VISITORS = 16
VOTERS = 200
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 30.0
SETTLE_SECONDS = 20.0
LOOKS = 40
BYTES_IN_USE = 7


class MallInfo(ctypes.Structure):
    """What glibc's malloc.h calls mallinfo2: ten figures."""

    _fields_ = (("figures", ctypes.c_size_t * 10),)


class Gate:
    """Lets visitors go on, or holds them all at the same place."""

    def __init__(self, visitors: int) -> None:
        self._open, self._closing = threading.Event(), threading.Event()
        self._open.set()
        self._waiting = threading.Semaphore(0)
        self._visitors = visitors
        self.closed_for_good = False

    def __call__(self) -> bool:
        """Wait here while the gate is closed; whether to go on afterwards."""
        if not self._open.is_set():
            self._waiting.release()
            self._open.wait()
        return not self.closed_for_good

    def rest(self, seconds: float) -> None:
        """Wait, but no longer than until the gate closes."""
        self._closing.wait(seconds)

    def open(self) -> None:
        self._closing.clear()
        self._open.set()

    def close(self) -> None:
        """Return once every visitor waits."""
        self._open.clear()
        self._closing.set()
        for _ in range(self._visitors):
            self._waiting.acquire()


class Visitor:
    """One person after the other, with all their habits."""

    def __init__(self, arena: Arena, number: int, gate: Gate, *, rest_seconds: float) -> None:
        self._arena = arena
        self._rest_seconds = rest_seconds
        self._rng = random.Random(number)
        self._gate = gate
        self.battles = 0
        self.votes = 0

    def live(self) -> None:
        try:
            while self._gate():
                with contextlib.suppress(ArenaError):  # a model that rests, an answer that failed, a limit: as in life
                    self._visit()
                self._gate.rest(self._rng.uniform(0, 2 * self._rest_seconds))
        except BaseException:  # noqa: BLE001 - the others would wait for this one at the gate
            traceback.print_exc()
            os._exit(1)

    def _visit(self) -> None:
        voter = f"voter-{self._rng.randrange(VOTERS)}"
        battle_id = self._arena.open_battle(voter, f"Why is {self._rng.random()} so?", network=voter[-2:])
        self.battles += 1
        if self._rng.random() < 0.05:
            return  # closes the window
        state = self._watch(battle_id, voter)
        if state is BattleState.STUCK:
            for side in Side:
                with contextlib.suppress(ArenaError):
                    self._arena.retry(battle_id, voter, side)
            state = self._watch(battle_id, voter)
        if state is BattleState.READY and self._rng.random() < 0.2:
            self._arena.write_on(battle_id, voter, "And why not?")
            state = self._watch(battle_id, voter)
        if state is BattleState.READY:
            self._vote(battle_id, voter)
        if self._rng.random() < 0.2:
            self._rng.choice(self._looks())()

    def _watch(self, battle_id: str, voter: str) -> BattleState:
        stops = self._rng.random() < 0.05
        deadline = monotonic() + PATIENCE_SECONDS
        while monotonic() < deadline:
            live = self._arena.live(battle_id, voter)
            view = self._arena.view(battle_id, voter)
            if view.state is not BattleState.STREAMING:
                return view.state
            if live is not None:
                live.touch()
            if stops or (monotonic() > deadline - PATIENCE_SECONDS + 1):
                self._arena.stop(battle_id, voter)
            threading.Event().wait(LOOK_SECONDS)
        return BattleState.STREAMING

    def _vote(self, battle_id: str, voter: str) -> None:
        self._arena.hold(battle_id, voter, self._rng.choice(list(Verdict)))
        if self._rng.random() < 0.1:
            self._arena.undo(battle_id, voter)
            self._arena.hold(battle_id, voter, self._rng.choice(list(Verdict)))
        self._arena.reveal_now(battle_id, voter)
        self._arena.view(battle_id, voter)
        self.votes += 1

    def look_at_everything(self) -> None:
        """What is made once, at the first look, is no leak."""
        for look in self._looks():
            with contextlib.suppress(ArenaError):
                look()

    def _looks(self) -> list[Callable[[], object]]:
        board = self._arena.board()
        names = [standing.model for standing in board.standings]
        return [
            self._arena.rated_board,
            lambda: self._arena.rated_board(method="davidson"),
            self._arena.elo_history,
            self._arena.score_history,
            self._arena.facets,
            self._arena.votes_per_day,
            self._arena.trust_report,
            lambda: self._arena.forecast(*self._rng.sample(names, 2)),
        ]


def main() -> None:
    config, periods, seconds, history, rest_seconds = Path(sys.argv[1]), *map(float, sys.argv[2:])
    use_little_memory(os.environ)  # as `arena serve` does
    arena = Arena.open(load_settings(config=config, environ={}), environ={})
    gate = Gate(VISITORS)
    visitors = [Visitor(arena, number, gate, rest_seconds=rest_seconds) for number in range(VISITORS)]
    with ThreadPoolExecutor(VISITORS) as pool:
        list(pool.map(lambda number: write_history(arena, number, int(history / VISITORS)), range(VISITORS)))
        visitors[0].look_at_everything()
        threads = [pool.submit(visitor.live) for visitor in visitors]
        for period in range(1, int(periods) + 1):
            threading.Event().wait(seconds)
            gate.close()
            say(held(arena, visitors))
            gate.closed_for_good = period == periods
            gate.open()
        for thread in threads:
            thread.result()
    arena.close()
    say({"threads after closing": names_of_threads()})


def write_history(arena: Arena, number: int, battles: int) -> None:
    rng = random.Random(number)
    for battle in range(battles):
        play(arena._store, f"history-{number}-{battle}", rng, owner=f"voter-{rng.randrange(VOTERS)}")


def say(what: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def names_of_threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate())


def held(arena: Arena, visitors: list[Visitor]) -> dict[str, Any]:
    """What the process holds while nobody does anything."""
    wait_for(lambda: arena.live_count() == 0)
    wait_for(lambda: not upstream_connections())
    wait_for(lambda: not any(name.startswith("Thread-") for name in names_of_threads()))  # timers of the limits
    wait_for(lambda: arena._chores._sweeps._seen_version == arena._store.read.board_version())
    gc.collect()
    process = psutil.Process()
    return {
        "battles": sum(visitor.battles for visitor in visitors),
        "votes": sum(visitor.votes for visitor in visitors),
        "streams": arena.live_count(),
        "upstream connections": upstream_connections(),
        "database connections": least(lambda: connections_in_use(arena)),  # the chores hold one now and then
        "threads": names_of_threads(),
        "files": process.num_fds() - sum(".sqlite3" in file.path for file in process.open_files()),
        "objects": len(gc.get_objects()),
        "memory": own_memory(process),
        "in use": least_in_use(),  # the chores need some now and then
        "cpu seconds": round(sum(process.cpu_times()[:2]), 1),
    }


def own_memory(process: psutil.Process) -> int:
    """Without the programs' files, which other processes have in memory, too, or not, as they come and go."""
    memory = process.memory_info()
    return int(memory.rss) - getattr(memory, "shared", 0)


def least_in_use() -> int | None:
    """What has been asked of the C library and not been given back, at the least of many looks; None if it cannot tell.

    Of Python's values only those beyond 512 bytes: small ones lie elsewhere, and `objects` counts them.
    """
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    mallinfo2.restype = MallInfo
    looks: list[int] = []
    for _ in range(LOOKS):
        looks.append(int(mallinfo2().figures[BYTES_IN_USE]))
        threading.Event().wait(LOOK_SECONDS)
    return min(looks)


def connections_in_use(arena: Arena) -> int:
    pools = [engine.pool for engine in arena._store._engines]
    return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))


def upstream_connections() -> int:
    return sum(each.status == psutil.CONN_ESTABLISHED for each in psutil.Process().net_connections("tcp"))


def least(count: Callable[[], int]) -> int:
    """The least of many looks."""
    counts: list[int] = []

    def is_none() -> bool:
        counts.append(count())
        return counts[-1] == 0

    wait_for(is_none)
    return min(counts)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + SETTLE_SECONDS
    while not condition() and monotonic() < deadline:
        threading.Event().wait(LOOK_SECONDS)


if __name__ == "__main__":
    main()
