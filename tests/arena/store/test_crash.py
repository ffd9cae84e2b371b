from pathlib import Path
from random import Random

import pytest

from arena.domain import BattleState
from arena.store import Store
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Desk
from tests.arena.store.proving import MODELS, RecordProperty, stored_exactly
from tests.killing import lines_until_killed

HERE = Path(__file__).parent
VOTERS = 16
VOTES_BEFORE_THE_KILL = 60


@pytest.mark.parametrize(
    "kills", [pytest.param(5, id="5 times"), pytest.param(100, id="100 times", marks=pytest.mark.slow)]
)
def test_acknowledged_votes_survive_kill_9(kills: int, store: Store, url: str, record_property: RecordProperty) -> None:
    Desk(store).enter(*MODELS)
    store.close()
    acknowledged: dict[str, tuple[int, Verdict]] = {}
    for kill in range(kills):
        after = Random(kill).randrange(1, 2 * VOTES_BEFORE_THE_KILL)
        told = lines_until_killed(
            HERE / "playing_process.py", url, f"kill-{kill}", VOTERS, after=after, begins="voting"
        )
        acknowledged |= {battle_id: (int(seq), Verdict(verdict)) for battle_id, seq, verdict in told}

        assert acknowledged.items() <= stored_exactly(url).items()

    record_property("acknowledged", len(acknowledged))
    assert len(acknowledged) > kills


def test_a_killed_process_leaves_battles_that_can_be_voted_on(desk: Desk, store: Store, url: str) -> None:
    battles = desk.many_ready(150)
    store.close()
    lines_until_killed(
        HERE / "voting_process.py", url, after=VOTES_BEFORE_THE_KILL, told=" ".join(battles), begins="voting"
    )

    reopened = Store.open(url)
    found = [reopened.read.battle(battle_id) for battle_id in battles]
    states = {battle.id: battle.state for battle in found if battle is not None}
    left = next(battle_id for battle_id, state in states.items() if state is BattleState.READY)
    vote = reopened.write.cast_vote(left, "voter", Verdict.TIE).result(30)
    votes = reopened.read.verify().votes
    reopened.close()

    assert set(states.values()) == {BattleState.READY, BattleState.VOTED}
    assert vote.seq == votes
