from datetime import UTC, date, datetime, timedelta

import pytest

from arena.domain import ModelState, Seats
from arena.selection import EVERYTHING, Selection
from arena.store import Store
from leaderboard import Tally, Verdict, fold_elo
from tests.arena.store.conftest import Clock, Desk, MakeSpec

ANT_BEE, CAT_DOG = Seats("ant", "bee"), Seats("cat", "dog")
FIRST = date(2026, 11, 22)


def day(after: int) -> date:
    return FIRST + timedelta(days=after)


def folded(store: Store, until: date) -> dict[str, float]:
    """The votes up to a day, replayed one by one."""
    votes = store.read.selected_votes(Selection(until=until), in_order=True)
    board = store.read.board(now=datetime.now(UTC))
    assert votes.games is not None
    return dict.fromkeys(board.ratings, board.elo.start) | dict(fold_elo(votes.games, settings=board.elo).ratings)


@pytest.mark.parametrize("moves", [(1, 1, 1, 1, 1, 1), (2, -1, 1, 3, -2, 2), (-1, -1, -1, 4, -3, 1)])
def test_a_past_board_is_the_fold_of_that_days_votes_in_their_order_also_where_clocks_stepped_back(
    desk: Desk, store: Store, clock: Clock, moves: tuple[int, ...]
) -> None:
    for days in moves:
        desk.votes(9)
        clock.advance(days=days)
    store.write.exclude_votes([3, 20, 31], reason="farm", actor="root").result(30)
    store.write.restore_votes([20], reason="no farm", actor="root").result(30)

    for after in range(-4, 9):
        board = store.read.board_at_end_of(day(after))
        assert {name: board.ratings.get(name, 1000.0) for name in desk.names} == folded(store, day(after))
        assert dict(board.ratings_before) == folded(store, day(after - 1))
        assert board.tallies == store.read.selected_votes(Selection(until=day(after))).tallies


def test_a_past_board_starts_from_a_checkpoint(desk: Desk, store: Store, clock: Clock) -> None:
    desk.votes(1_010)
    clock.advance(days=1)
    desk.votes(5)

    assert dict(store.read.board_at_end_of(FIRST).ratings) == folded(store, FIRST)
    assert store.read.verify().checkpoints == 2


def test_the_board_of_the_last_day_is_the_live_one_to_the_last_bit(desk: Desk, store: Store, clock: Clock) -> None:
    desk.votes(7)
    clock.advance(days=1)
    desk.votes(7)

    live, today, later = (
        store.read.board(now=clock.now),
        store.read.board_at_end_of(day(1)),
        store.read.board_at_end_of(date.max),
    )

    assert live.ratings == today.ratings == later.ratings
    assert (live.tallies, live.last_vote_at, live.version) == (today.tallies, today.last_vote_at, today.version)


def test_a_past_board_counts_votes_as_they_count_now(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote(Verdict.A, seats=ANT_BEE)
    desk.vote(Verdict.A, seats=CAT_DOG)
    clock.advance(days=3)
    store.write.exclude_votes([1], reason="farm", actor="root").result(30)

    board = store.read.board_at_end_of(FIRST)

    assert board.tallies == (Tally("cat", "dog", Verdict.A, 1),)
    assert board.left_out == {"farm": 1}
    assert board.ratings == {"ant": 1000.0, "bee": 1000.0, "cat": 1016.0, "dog": 984.0}


def test_the_change_over_a_past_day_is_that_days(desk: Desk, store: Store, clock: Clock) -> None:
    for _ in range(3):
        desk.vote(Verdict.A, seats=ANT_BEE)
        clock.advance(days=1)

    board = store.read.board_at_end_of(day(1))

    second_win = 32 * (1 - 1 / (1 + 10 ** (-32 / 400)))
    assert board.ratings["ant"] - board.ratings_before["ant"] == pytest.approx(second_win)


def test_models_that_came_later_are_not_on_a_past_board_and_later_retirements_are_not_known(
    desk: Desk, store: Store, clock: Clock, spec: MakeSpec
) -> None:
    desk.vote(seats=ANT_BEE)
    clock.advance(days=2)
    store.write.sync_models([spec(name) for name in ("bee", "cat", "dog", "elk")]).result(30)
    now = store.read.board(now=clock.now)

    then = store.read.board_at_end_of(day(1))

    assert set(then.ratings) == {"ant", "bee", "cat", "dog"}
    states = [{model.spec.name: model.spec.state for model in board.models} for board in (then, now)]
    assert [each["ant"] for each in states] == [ModelState.ENABLED, ModelState.RETIRED]


@pytest.mark.parametrize("until", [date.min, date(2000, 1, 1), FIRST - timedelta(days=1)])
def test_before_the_first_vote_a_past_board_is_empty(desk: Desk, store: Store, until: date) -> None:
    desk.vote(seats=ANT_BEE)

    board = store.read.board_at_end_of(until)

    assert (board.ratings, board.votes, board.last_vote_at) == ({}, 0, None)


def test_the_last_vote_is_the_selections_own(desk: Desk, store: Store, clock: Clock) -> None:
    cast = clock.now
    desk.vote(Verdict.A, seats=ANT_BEE)
    clock.advance(days=1)
    desk.vote(Verdict.TIE, seats=ANT_BEE)

    assert store.read.selected_votes(EVERYTHING).last_vote == (day(1), clock.now)
    assert store.read.selected_votes(Selection(without_ties=True)).last_vote == (FIRST, cast)
    assert store.read.selected_votes(Selection(until=FIRST)).last_vote == (FIRST, cast)
    assert store.read.selected_votes(Selection(language="fr")).last_vote == (None, None)
