"""Sixteen voters in one arena until it is killed; prints what each of them was told."""

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from arena.domain import BattleState
from arena.service import Arena
from arena.settings import load_settings
from leaderboard.verdicts import Verdict

VOTERS = 16
PAUSE_SECONDS = 0.01
LOOKS = 20  # at an answer that is being written, before a voter leaves for another battle


def main() -> None:
    with ThreadPoolExecutor(VOTERS) as pool:
        arena = Arena.open(load_settings(config=Path(sys.argv[1]), environ={}), environ={})
        list(pool.map(lambda number: play(arena, f"voter-{sys.argv[2]}-{number}"), range(VOTERS)))


def play(arena: Arena, voter: str) -> None:
    rng = random.Random(voter)
    while True:
        battle_id = arena.open_battle(voter, "Why?")
        say("opened", battle_id, voter)
        if settles(arena, battle_id, voter):
            verdict = rng.choice(list(Verdict))
            arena.hold(battle_id, voter, verdict)
            arena.reveal_now(battle_id, voter)
            say("voted", battle_id, verdict)


def settles(arena: Arena, battle_id: str, voter: str) -> bool:
    for _ in range(LOOKS):
        if arena.view(battle_id, voter).state is BattleState.READY:
            return True
        Event().wait(PAUSE_SECONDS)
    return False


def say(*words: str) -> None:
    os.write(1, f"{' '.join(words)}\n".encode())  # unbuffered: it was so, whatever happens next


if __name__ == "__main__":
    main()
