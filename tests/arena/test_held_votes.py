"""Votes that an arena holds move nothing, and once restored everything that they would have moved."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from arena.domain import BattleState, LeftOut, Seats
from arena.service import Arena
from arena.settings import load_settings
from arena.store import Store
from leaderboard import Verdict
from tests.arena.store.conftest import Desk
from tests.conftest import MakeDatabase
from tests.fault_server import wait_until

NAMES = ("ant", "bee", "cat")
SAME_PROMPT = 10  # votes on one prompt, and half of all: from then on they are held
RULES = "seed = 5\nhold_seconds = 0\n[integrity]\nhold_above = 0.6\n[rates]\nvoter_prompts_per_minute = 0\n"


@dataclass(frozen=True, slots=True)
class Cast:
    seats: Seats
    verdict: Verdict
    left_out: str | None


@pytest.fixture
def arena(tmp_path: Path, variables: Mapping[str, str]) -> Iterator[Arena]:
    config = tmp_path / "arena.toml"
    models = "".join(f"[[models]]\nname = '{n}'\nprovider = 'scripted'\nscript = {{ text = 'Hi' }}\n" for n in NAMES)
    config.write_text(RULES + models)
    with closing(Arena.open(load_settings(config=config, environ=variables), environ=variables)) as arena:
        yield arena


def vote(arena: Arena, voter: str, prompt: str, verdict: Verdict) -> Cast:
    battle_id = arena.open_battle(voter, prompt)
    wait_until(lambda: arena.view(battle_id, voter).state is BattleState.READY)
    arena.hold(battle_id, voter, verdict)
    wait_until(lambda: arena.view(battle_id, voter).reveal is not None)
    reveal = arena.view(battle_id, voter).reveal
    assert reveal is not None
    a, b = (model.name for model in reveal.models.values())
    return Cast(Seats(a, b), verdict, reveal.left_out)


def ratings(arena: Arena) -> Mapping[str, float]:
    return {standing.model: standing.elo for standing in arena.board().standings}


def folded(url: str, votes: list[Cast]) -> Mapping[str, float]:
    """The ratings of a database that knows these votes only."""
    with closing(Store.open(url)) as store:
        desk = Desk(store, names=NAMES)
        desk.enter()
        for each in votes:
            desk.vote(each.verdict, seats=each.seats)
        return desk.ratings()


def test_held_votes_move_nothing_and_all_once_they_are_restored(arena: Arena, make_database: MakeDatabase) -> None:
    cast = []
    for number in range(SAME_PROMPT + 8):
        cast.append(vote(arena, "booster", "Who are you?", Verdict.A))
        cast.append(vote(arena, "honest", f"Why does {'x' * number} matter?", list(Verdict)[number % len(Verdict)]))
    held = [number for number, each in enumerate(cast, start=1) if each.left_out == LeftOut.SUSPICIOUS]

    while_held = ratings(arena)
    arena._store.write.restore_votes(held, reason="an honest fan", actor="root").result(30)

    assert len(held) >= 8
    assert while_held == folded(make_database(), [each for each in cast if each.left_out is None])
    assert ratings(arena) == folded(make_database(), cast)
    assert ratings(arena) != while_held
