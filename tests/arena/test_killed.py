from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from fault_server import wait_until

from arena.domain import Battle, BattleState, ReplyStatus
from arena.service import Arena
from arena.settings import Settings, load_settings
from arena.store import Store
from arena.store.store import utc_now
from leaderboard.verdicts import Verdict
from tests.arena.store.proving import RecordProperty, stored_exactly
from tests.killing import lines_until_killed

HERE = Path(__file__).parent
QUICK = "{ text = 'an answer' }"
SLOW = "{ text = 'one two three four five six seven eight', tokens_per_second = 8 }"
SETTINGS = "seed = 1\nlease_seconds = 60\n[rates]\nvoter_prompts_per_minute = 0\nvoter_votes_per_minute = 0\n"
MODEL = "[[models]]\nname = '{name}'\nprovider = 'scripted'\nscript = {script}\n"


@pytest.fixture
def config(tmp_path: Path, url: str) -> Path:
    path = tmp_path / "arena.toml"
    scripts = {"ant": QUICK, "bee": QUICK, "cat": QUICK, "dog": SLOW}
    models = [
        f"[[models]]\nname = '{name}'\nprovider = 'scripted'\nscript = {script}\n" for name, script in scripts.items()
    ]
    path.write_text(f"database_url = '{url}'\n" + SETTINGS + "".join(models))
    return path


@pytest.mark.parametrize(
    "kills", [pytest.param(2, id="twice"), pytest.param(20, id="20 times", marks=pytest.mark.slow)]
)
def test_an_arena_that_was_killed_goes_on_where_it_stood(
    kills: int, config: Path, record_property: RecordProperty
) -> None:
    settings = load_settings(config=config, environ={})
    acknowledged: dict[str, Verdict] = {}
    for kill in range(kills):
        told = lines_until_killed(HERE / "serving_process.py", config, kill, after=Random(kill).randrange(60, 200))
        acknowledged |= {battle_id: Verdict(verdict) for battle_id, verdict in words_of(told, "voted")}
        stored = {battle_id: verdict for battle_id, (_, verdict) in stored_exactly(settings.database_url).items()}
        was_streaming = interrupted_when_the_lease_is_over(settings, words_of(told, "opened"))

        assert acknowledged.items() <= stored.items()
        with closing(Arena.open(settings, environ={})) as arena:
            vote_after_a_retry(arena, *was_streaming[0])

    record_property("acknowledged", len(acknowledged))
    assert len(acknowledged) > 10 * kills


def words_of(told: Sequence[Sequence[str]], what: str) -> list[tuple[str, str]]:
    return [(first, second) for word, first, second in told if word == what]


def interrupted_when_the_lease_is_over(
    settings: Settings, opened: Sequence[tuple[str, str]]
) -> Sequence[tuple[str, str]]:
    """Those of the battles (with their voters) that were being written when the process died."""
    store = Store.open(settings.database_url, clock=lambda: utc_now() + timedelta(minutes=1))
    try:
        battles = {battle_id: store.read.battle(battle_id) for battle_id, _ in opened}
        assert None not in battles.values(), "who was told of a battle finds it"
        streaming = [(battle_id, voter) for battle_id, voter in opened if is_streaming(battles[battle_id])]
        assert store.write.interrupt_expired().result(30) >= len(streaming) > 0
    finally:
        store.close()
    return streaming


def is_streaming(battle: Battle | None) -> bool:
    return battle is not None and battle.state is BattleState.STREAMING


def vote_after_a_retry(arena: Arena, battle_id: str, voter: str) -> None:
    found = arena.view(battle_id, voter)
    for side, view in found.turns[-1].sides.items():
        if view.status is ReplyStatus.INTERRUPTED:
            arena.retry(battle_id, voter, side)
    wait_until(lambda: arena.view(battle_id, voter).state is BattleState.READY)
    arena.hold(battle_id, voter, Verdict.TIE)
    arena.reveal_now(battle_id, voter)

    assert found.state is BattleState.STUCK
    assert arena.view(battle_id, voter).state is BattleState.VOTED
