import subprocess
import sys
from pathlib import Path

from arena.domain import BattleState, Side
from arena.store import Store
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Desk

ROOT = Path(__file__).parents[3]
ROUNDS = 4
VOTES_BEFORE_THE_KILL = 60


def test_acknowledged_votes_survive_kill_9(desk: Desk, store: Store, url: str) -> None:
    battles = [desk.open() for _ in range(ROUNDS * 200)]
    for battle_id in battles:
        desk.finish(battle_id, Side.A)
        desk.finish(battle_id, Side.B)
    store.close()
    acknowledged: dict[str, tuple[int, str]] = {}
    for number in range(ROUNDS):
        acknowledged |= vote_and_kill(url, battles[number * 200 : (number + 1) * 200])

        reopened = Store.open(url)
        reopened.read.verify()
        stored = {vote.battle_id: (vote.seq, vote.verdict.value) for vote in reopened.read.votes()}
        reopened.close()
        assert acknowledged.items() <= stored.items()

    assert len(acknowledged) >= ROUNDS * (VOTES_BEFORE_THE_KILL - 1)


def test_a_killed_process_leaves_battles_that_can_be_voted_on(desk: Desk, store: Store, url: str) -> None:
    battles = [desk.ready() for _ in range(150)]
    store.close()
    vote_and_kill(url, battles)

    reopened = Store.open(url)
    found = [reopened.read.battle(battle_id) for battle_id in battles]
    states = {battle.id: battle.state for battle in found if battle is not None}
    left = next(battle_id for battle_id, state in states.items() if state is BattleState.READY)
    vote = reopened.write.cast_vote(left, "voter", Verdict.TIE).result(30)
    votes = reopened.read.verify().votes
    reopened.close()

    assert set(states.values()) == {BattleState.READY, BattleState.VOTED}
    assert vote.seq == votes


def vote_and_kill(url: str, battles: list[str]) -> dict[str, tuple[int, str]]:
    """Battle id -> (seq, verdict) of the votes that were acknowledged before the process died in the middle."""
    voter = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("voting_process.py"), url],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    assert voter.stdin is not None
    assert voter.stdout is not None
    with voter:
        try:
            voter.stdin.write(" ".join(battles).encode())
            voter.stdin.close()
            lines = [line for _, line in zip(range(VOTES_BEFORE_THE_KILL), voter.stdout, strict=False)]
        finally:
            voter.kill()
        lines += voter.stdout.readlines()
    assert lines[0] == b"voting\n"
    assert voter.returncode == -9, "it was killed while it voted"
    acknowledged = (line.decode().split() for line in lines[1:] if line.endswith(b"\n"))
    return {battle_id: (int(seq), verdict) for battle_id, seq, verdict in acknowledged}
