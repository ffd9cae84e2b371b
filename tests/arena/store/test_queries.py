from datetime import timedelta

import pytest

from arena.domain import ReplyStatus, Seats, Side
from arena.store import Store, history
from leaderboard.games import Tally
from leaderboard.ratings import EloSettings
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk

ANT_BEE, BEE_ANT, CAT_DOG = Seats("ant", "bee"), Seats("bee", "ant"), Seats("cat", "dog")


def test_a_board_without_votes_has_every_model_at_start(desk: Desk, store: Store, clock: Clock) -> None:
    board = store.read.board(now=clock.now)

    assert board.elo == EloSettings()
    assert board.ratings == board.ratings_before == dict.fromkeys(desk.names, 1000.0)
    assert (board.tallies, board.left_out, board.votes, board.last_vote_at) == ((), {}, 0, None)
    assert store.read.elo_history() == ()


def test_the_board_sums_votes_over_days_and_keeps_seats_apart(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote(Verdict.A, seats=ANT_BEE)
    clock.advance(days=1)
    desk.vote(Verdict.A, seats=ANT_BEE)
    desk.vote(Verdict.BOTH_BAD, seats=BEE_ANT)

    board = store.read.board(now=clock.now)

    assert board.tallies == (Tally("ant", "bee", Verdict.A, 2), Tally("bee", "ant", Verdict.BOTH_BAD, 1))
    assert (board.votes, board.last_vote_at) == (3, clock.now)
    record = store.read.pair_counts().record("ant", "bee")
    assert (record.wins_a, record.wins_b, record.ties, record.both_bad) == (2, 0, 0, 1)


def test_the_board_knows_the_ratings_of_a_day_ago(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote(seats=ANT_BEE)
    clock.advance(hours=20)
    desk.vote(seats=CAT_DOG)
    clock.advance(hours=5)

    board = store.read.board(now=clock.now)

    assert board.ratings_before == {"ant": 1016.0, "bee": 984.0, "cat": 1000.0, "dog": 1000.0}
    assert board.ratings == {"ant": 1016.0, "bee": 984.0, "cat": 1016.0, "dog": 984.0}


def test_the_ratings_of_a_day_ago_leave_out_what_was_excluded_since(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote(seats=ANT_BEE)
    clock.advance(days=2)
    store.write.exclude_votes([1], reason="farm", actor="root").result(30)

    assert set(store.read.board(now=clock.now).ratings_before.values()) == {1000.0}


@pytest.mark.parametrize("days_back", range(6))
def test_any_past_board_is_the_fold_up_to_that_day(desk: Desk, store: Store, clock: Clock, days_back: int) -> None:
    boards = []
    for _ in range(6):
        desk.votes(7)
        boards.append(desk.ratings())
        clock.advance(days=1)

    board = store.read.board(now=clock.now - timedelta(days=days_back))

    assert board.ratings_before == boards[5 - days_back]


def test_a_checkpoint_is_kept_every_thousand_votes(desk: Desk, store: Store) -> None:
    desk.votes(1_005)

    assert store.read.verify().checkpoints == 1


def test_history_follows_every_vote_of_a_young_board(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote(seats=ANT_BEE)
    clock.advance(hours=1)
    desk.vote(Verdict.B, seats=CAT_DOG)

    points = [(point.model, point.seq, point.at, point.elo) for point in store.read.elo_history()]

    earlier = clock.now - timedelta(hours=1)
    assert points == [
        ("ant", 1, earlier, 1016.0),
        ("bee", 1, earlier, 984.0),
        ("cat", 2, clock.now, 984.0),
        ("dog", 2, clock.now, 1016.0),
    ]


def test_history_passes_over_what_is_left_out(desk: Desk, store: Store) -> None:
    desk.vote(seats=ANT_BEE)
    desk.vote(seats=ANT_BEE)
    store.write.exclude_votes([1], reason="farm", actor="root").result(30)

    assert [(point.seq, point.elo) for point in store.read.elo_history()] == [(2, 1016.0), (2, 984.0)]


def test_a_long_history_is_thinned_but_keeps_each_models_last_point(desk: Desk, store: Store) -> None:
    desk.votes(100)

    points = store.read.elo_history(points=10)

    assert {point.model: point.elo for point in points} == desk.ratings()
    assert max(sum(point.model == name for point in points) for name in desk.names) <= 10
    assert [point.seq for point in points] == sorted(point.seq for point in points)


def test_an_old_boards_history_comes_from_the_checkpoints(desk: Desk, store: Store, clock: Clock) -> None:
    for _ in range(6):
        desk.votes(4)
        clock.advance(days=1)
    with store._engines[0].connect() as connection:
        points = history.elo_history(connection, points=100, fold_at_most=5)
        few = history.elo_history(connection, points=4, fold_at_most=5)

    assert sorted({point.seq for point in points}) == [4, 8, 12, 16, 20, 24]
    assert {point.model: point.elo for point in points} == {point.model: point.elo for point in few} == desk.ratings()
    assert sorted({point.seq for point in few}) == [8, 20, 24]


def test_failures_are_counted_per_model(desk: Desk, store: Store) -> None:
    battle_id = desk.open(seats=ANT_BEE)
    desk.finish(battle_id, Side.A, ReplyStatus.FAILED)
    desk.finish(battle_id, Side.B, ReplyStatus.STOPPED)
    store.write.retry_reply(battle_id, "voter", Side.A, fingerprint="").result(30)
    desk.finish(battle_id, Side.A, ReplyStatus.FAILED, attempt=2)
    desk.ready(seats=CAT_DOG)

    assert store.read.failures() == {"ant": {ReplyStatus.FAILED: 2}, "bee": {ReplyStatus.STOPPED: 1}}
