"""Visitors who use an arena in every way, at a pace far above life's; says now and then what it holds.

    soaking_process.py ARENA_TOML PERIODS SECONDS_EACH

After each period the visitors pause until no answer is on its way; then one line of JSON is printed.
"""

import contextlib
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

from arena.domain import BattleState, Side
from arena.errors import ArenaError
from arena.service import Arena
from arena.settings import load_settings
from leaderboard.verdicts import Verdict

VISITORS = 16
VOTERS = 200
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 30.0
SETTLE_SECONDS = 20.0


class Gate:
    """Lets visitors go on, or holds them all at the same place."""

    def __init__(self, visitors: int) -> None:
        self._open = threading.Event()
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

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        """Return once every visitor waits."""
        self._open.clear()
        for _ in range(self._visitors):
            self._waiting.acquire()


class Visitor:
    """One person after the other, with all their habits."""

    def __init__(self, arena: Arena, number: int, gate: Gate) -> None:
        self._arena = arena
        self._rng = random.Random(number)
        self._gate = gate
        self.battles = 0
        self.votes = 0

    def live(self) -> None:
        try:
            while self._gate():
                with contextlib.suppress(ArenaError):  # a model that rests, an answer that failed, a limit: as in life
                    self._visit()
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
            self._look_around()

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

    def _look_around(self) -> None:
        board = self._arena.board()
        names = [standing.model for standing in board.standings]
        looks: list[Callable[[], object]] = [
            self._arena.rated_board,
            lambda: self._arena.rated_board(method="davidson"),
            self._arena.elo_history,
            self._arena.score_history,
            self._arena.facets,
            self._arena.votes_per_day,
            self._arena.trust_report,
            lambda: self._arena.forecast(*self._rng.sample(names, 2)),
        ]
        self._rng.choice(looks)()


def main() -> None:
    config, periods, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    arena = Arena.open(load_settings(config=config, environ={}), environ={})
    gate = Gate(VISITORS)
    visitors = [Visitor(arena, number, gate) for number in range(VISITORS)]
    with ThreadPoolExecutor(VISITORS) as pool:
        threads = [pool.submit(visitor.live) for visitor in visitors]
        for period in range(1, periods + 1):
            threading.Event().wait(seconds)
            gate.close()
            say(held(arena, visitors))
            gate.closed_for_good = period == periods
            gate.open()
        for thread in threads:
            thread.result()
    arena.close()
    say({"threads after closing": names_of_threads()})


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
        "rss": process.memory_info().rss,
        "uss": process.memory_full_info().uss,
    }


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
