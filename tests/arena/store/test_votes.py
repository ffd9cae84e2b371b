import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from threading import Barrier

import pytest
from sqlalchemy import Connection

from arena.domain import BattleKind, EloChange, ReplyStatus, Seats, Side
from arena.errors import AlreadyVoted, NotVotable, StoreError, UnknownBattle
from arena.store import Store
from arena.store.queue import Job
from leaderboard.games import Game, Games
from leaderboard.ratings import EloSettings, fold_elo
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk


def replayed(store: Store) -> dict[str, float]:
    games = Games.from_votes(
        [Game(vote.seats.a, vote.seats.b, vote.verdict) for vote in store.read.votes() if vote.left_out is None]
    )
    return dict(fold_elo(games, settings=EloSettings()).ratings)


def test_the_first_vote_moves_both_models_by_half_of_k(desk: Desk, clock: Clock) -> None:
    vote = desk.vote(Verdict.A, seats=Seats("ant", "bee"))

    # Between equals E = 1/2, so the winner gains K (1 - 1/2) = 16.
    assert vote.elo == {
        Side.A: EloChange(before=1000.0, after=1016.0),
        Side.B: EloChange(before=1000.0, after=984.0),
    }
    assert (vote.seq, vote.verdict, vote.cast_at) == (1, Verdict.A, clock.now)
    assert desk.ratings() == {"ant": 1016.0, "bee": 984.0, "cat": 1000.0, "dog": 1000.0}


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_can_be_stored(desk: Desk, store: Store, verdict: Verdict) -> None:
    desk.vote(verdict)

    assert [vote.verdict for vote in store.read.votes()] == [verdict]
    assert store.read.verify().votes == 1


def test_a_vote_moves_the_boards_version_and_a_refusal_does_not(desk: Desk, store: Store) -> None:
    before = store.read.board_version()
    vote = desk.vote()

    store.write.cast_vote(vote.battle_id, "voter", Verdict.B).exception(30)

    assert store.read.board_version() == before + 1


def test_a_battle_that_is_not_ready_takes_no_vote(desk: Desk, store: Store) -> None:
    streaming, half, failed = desk.open(), desk.open(), desk.open()
    desk.finish(half, Side.A)
    desk.finish(failed, Side.A)
    desk.finish(failed, Side.B, ReplyStatus.FAILED)

    errors = [store.write.cast_vote(battle, "voter", Verdict.A).exception(30) for battle in (streaming, half, failed)]

    assert [type(error) for error in errors] == [NotVotable] * 3
    assert store.read.votes() == ()


def test_a_foreign_battle_looks_like_none(desk: Desk, store: Store) -> None:
    battle_id = desk.ready(owner="owner")

    foreign = store.write.cast_vote(battle_id, "foe", Verdict.A).exception(30)
    missing = store.write.cast_vote("nothing", "foe", Verdict.A).exception(30)

    assert (type(foreign), str(foreign)) == (type(missing), str(missing)) == (UnknownBattle, str(missing))
    assert store.write.cast_vote(battle_id, "owner", Verdict.A).result(30).seq == 1


@pytest.mark.parametrize("second", [Verdict.A, Verdict.B])
def test_the_first_vote_is_final(desk: Desk, store: Store, second: Verdict) -> None:
    vote = desk.vote(Verdict.A)

    refusal = store.write.cast_vote(vote.battle_id, "voter", second).exception(30)

    assert isinstance(refusal, AlreadyVoted)
    assert desk.battle(vote.battle_id).vote == vote


@pytest.mark.parametrize(
    ("kind", "seats"), [(BattleKind.AA, Seats("ant", "ant")), (BattleKind.NAMED, Seats("ant", "bee"))]
)
def test_a_battle_that_is_not_ranked_is_stored_but_left_out(
    desk: Desk, store: Store, clock: Clock, kind: BattleKind, seats: Seats
) -> None:
    vote = desk.vote(kind=kind, seats=seats)

    board = store.read.board(now=clock.now)
    assert vote.elo is None
    assert board.left_out == {kind.value: 1}
    assert (board.votes, set(board.ratings.values())) == (0, {1000.0})
    assert store.read.verify().counted == 0


def test_thirty_two_threads_on_one_battle_give_one_vote(desk: Desk, store: Store) -> None:
    battle_id = desk.ready()
    start = Barrier(32)

    def press(verdict: Verdict) -> BaseException | None:
        start.wait(30)
        return store.write.cast_vote(battle_id, "voter", verdict).exception(30)

    with ThreadPoolExecutor(32) as pool:
        errors = list(pool.map(press, random.Random(1).choices(list(Verdict), k=32)))

    assert Counter(map(type, errors)) == {type(None): 1, AlreadyVoted: 31}
    assert len(store.read.votes()) == 1
    store.read.verify()


def test_a_double_click_in_one_batch_counts_the_first(desk: Desk, store: Store) -> None:
    battle_id = desk.ready()
    with desk.writer_held():
        first = store.write.cast_vote(battle_id, "voter", Verdict.A)
        second = store.write.cast_vote(battle_id, "voter", Verdict.B)

    assert isinstance(second.exception(30), AlreadyVoted)
    assert desk.battle(battle_id).vote == first.result(30)


def test_a_refusal_leaves_the_rest_of_its_batch_alone(desk: Desk, store: Store) -> None:
    ready, streaming, foreign = [desk.ready(), desk.ready()], desk.open(), desk.ready(owner="owner")
    before = store.read.board_version()
    with desk.writer_held():
        waiting = [
            store.write.cast_vote(battle_id, "voter", Verdict.A)
            for battle_id in (ready[0], streaming, foreign, "nothing", ready[1], ready[0])
        ]

    outcomes = [type(future.exception(30)) for future in waiting]
    assert outcomes == [type(None), NotVotable, UnknownBattle, UnknownBattle, type(None), AlreadyVoted]
    assert store.read.board_version() == before + 1, "they were one transaction"
    assert [vote.battle_id for vote in store.read.votes()] == ready
    store.read.verify()


def test_a_foreign_ballot_before_the_owners_does_not_take_it(desk: Desk, store: Store) -> None:
    battle_id = desk.ready(owner="owner")
    with desk.writer_held():
        foreign = store.write.cast_vote(battle_id, "foe", Verdict.B)
        own = store.write.cast_vote(battle_id, "owner", Verdict.A)

    assert isinstance(foreign.exception(30), UnknownBattle)
    assert own.result(30).verdict is Verdict.A


def test_an_answer_and_the_vote_on_it_may_come_in_one_batch(desk: Desk, store: Store) -> None:
    battle_id = desk.open()
    desk.finish(battle_id, Side.A)
    reply = desk.battle(battle_id).turns[0].replies[Side.A]
    with desk.writer_held():
        store.write.finish_reply(
            battle_id, type(reply)(turn=1, side=Side.B, attempt=1, status=ReplyStatus.OK, text="B")
        )
        vote = store.write.cast_vote(battle_id, "voter", Verdict.B)

    assert vote.result(30).seq == 1


def test_a_write_that_breaks_takes_no_other_with_it(desk: Desk, store: Store) -> None:
    ready = desk.ready()

    def break_after_writing(connection: Connection, _now: datetime) -> None:
        connection.exec_driver_sql("UPDATE rating SET elo = 5")
        raise ZeroDivisionError

    with desk.writer_held():
        broken = store.write._queue.submit(Job(run=break_after_writing))
        vote = store.write.cast_vote(ready, "voter", Verdict.A)

    assert isinstance(broken.exception(30), StoreError)
    assert desk.moved(vote.result(30), Side.A).before == 1000.0
    store.read.verify()


def test_sixteen_threads_leave_the_board_that_a_replay_gives(desk: Desk, store: Store) -> None:
    battles = [[desk.ready() for _ in range(12)] for _ in range(16)]
    start = Barrier(16)

    def vote(thread: int) -> None:
        rng = random.Random(thread)
        start.wait(30)
        for battle_id in battles[thread]:
            store.write.cast_vote(battle_id, "voter", rng.choice(list(Verdict))).result(30)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(vote, range(16)))

    ratings = desk.ratings()
    assert ratings == replayed(store)
    assert sum(ratings.values()) == pytest.approx(4000, abs=1e-6)
    assert [vote.seq for vote in store.read.votes()] == list(range(1, 193))
    assert store.read.verify().votes == 192


def test_the_change_in_a_vote_leads_to_the_next_vote_of_its_models(desk: Desk) -> None:
    votes = [desk.vote(verdict, seats=Seats("ant", "bee")) for verdict in [*Verdict, *Verdict]]

    for earlier, later in pairwise(votes):
        assert desk.moved(earlier, Side.A).after == desk.moved(later, Side.A).before
        assert desk.moved(earlier, Side.B).after == desk.moved(later, Side.B).before


def test_votes_after_a_number_can_be_read_in_pieces(desk: Desk, store: Store) -> None:
    desk.votes(5)

    assert [vote.seq for vote in store.read.votes(after=1, limit=3)] == [2, 3, 4]


def test_the_stratum_of_the_battle_stays_with_the_vote(desk: Desk, store: Store) -> None:
    battle_id = desk.open(prompt="What is 2 + 2?")
    desk.finish(battle_id, Side.A, text="```python\n4\n```")
    desk.finish(battle_id, Side.B)
    store.write.add_turn(battle_id, "voter", "word " * 400, fingerprints=dict.fromkeys(Side, "")).result(30)
    for side in Side:
        desk.finish(battle_id, side, turn=2)

    store.write.cast_vote(battle_id, "voter", Verdict.A).result(30)

    with store._engines[0].connect() as connection:
        columns = "multi_turn, long_prompt, code, maths, language"
        in_vote = connection.exec_driver_sql(f"SELECT {columns} FROM vote").one()
        in_tally = connection.exec_driver_sql(f"SELECT {columns} FROM tally").one()
    assert tuple(in_vote) == tuple(in_tally) == (1, 1, 1, 1, "und")
