import random
from collections.abc import Set as AbstractSet

import pytest
from sqlalchemy import update

from arena.domain import BattleKind, Seats, Side
from arena.errors import StoreCorrupt, UnknownVote
from arena.store import Store
from arena.store.schema import BattleRow
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk, MakeDesk


def play(
    desk: Desk, clock: Clock, ballots: list[tuple[Seats, Verdict]], *, skip: AbstractSet[int] = frozenset()
) -> None:
    """The same battles in every desk; those of `skip` are opened and answered, but never voted on."""
    for number, (seats, verdict) in enumerate(ballots, start=1):
        if number % 15 == 0:
            clock.advance(days=1)
        battle_id = desk.ready(seats=seats)
        if number not in skip:
            desk.store.write.cast_vote(battle_id, "voter", verdict).result(30)


def ballots(n: int) -> list[tuple[Seats, Verdict]]:
    rng = random.Random(3)
    return [(Seats(*rng.sample(["ant", "bee", "cat", "dog"], 2)), rng.choice(list(Verdict))) for _ in range(n)]


@pytest.mark.parametrize("excluded", [{1}, {60}, {17, 18, 44}, set(range(1, 61))])
def test_excluded_votes_leave_the_ratings_of_a_database_that_never_had_them(
    make_desk: MakeDesk, clock: Clock, excluded: set[int]
) -> None:
    held, never = make_desk(), make_desk()
    play(held, clock, ballots(60))
    play(never, clock, ballots(60), skip=excluded)

    held.store.write.exclude_votes(excluded, reason="farm", actor="root").result(30)

    assert held.ratings() == never.ratings()
    assert held.store.read.board(now=clock.now).left_out == {"farm": len(excluded)}
    assert held.store.read.board(now=clock.now).tallies == never.store.read.board(now=clock.now).tallies
    assert held.store.read.verify().counted == 60 - len(excluded)


def test_restored_votes_count_as_if_nothing_had_happened(make_desk: MakeDesk, clock: Clock) -> None:
    desk = make_desk()
    play(desk, clock, ballots(40))
    before = desk.ratings()

    desk.store.write.exclude_votes([3, 20], reason="farm", actor="root").result(30)
    desk.store.write.restore_votes([3, 20], reason="no farm", actor="root").result(30)

    assert desk.ratings() == before
    assert desk.store.read.board(now=clock.now).left_out == {}
    assert desk.store.read.verify().counted == 40


def test_votes_go_on_after_an_exclusion(make_desk: MakeDesk, clock: Clock) -> None:
    desk = make_desk()
    play(desk, clock, ballots(20))
    desk.store.write.exclude_votes([2], reason="farm", actor="root").result(30)
    before = desk.ratings()

    vote = desk.vote(seats=Seats("ant", "bee"))

    assert desk.moved(vote, Side.A).before == before["ant"]
    assert desk.store.read.verify().votes == 21


def test_a_checkpoint_after_an_excluded_vote_is_mended(make_desk: MakeDesk, clock: Clock) -> None:
    held, never = make_desk(), make_desk()
    play(held, clock, ballots(60))
    play(never, clock, ballots(60), skip={10})

    held.store.write.exclude_votes([10], reason="farm", actor="root").result(30)
    held.store.write.exclude_votes([50], reason="farm", actor="root").result(30)
    held.store.write.restore_votes([50], reason="no farm", actor="root").result(30)

    assert held.ratings() == never.ratings()
    assert held.store.read.verify().checkpoints > 2


def test_the_vote_itself_stays_as_it_was_cast(desk: Desk, store: Store) -> None:
    vote = desk.vote()

    store.write.exclude_votes([1], reason="farm", actor="root").result(30)

    record = store.read.votes()[0]
    assert (record.elo, record.verdict, record.left_out) == (vote.elo, vote.verdict, "farm")
    assert desk.battle(vote.battle_id).vote == vote


def test_a_second_exclusion_changes_the_reason(desk: Desk, store: Store, clock: Clock) -> None:
    desk.votes(3)
    store.write.exclude_votes([1, 2], reason="farm", actor="root").result(30)

    store.write.exclude_votes([2], reason="leak", actor="root").result(30)

    assert store.read.board(now=clock.now).left_out == {"farm": 1, "leak": 1}
    store.read.verify()


def test_what_was_done_and_by_whom_is_in_the_audit_log(desk: Desk, store: Store, clock: Clock) -> None:
    desk.votes(3)

    store.write.exclude_votes([2, 1], reason="farm", actor="root").result(30)

    entry = store.read.audit()[-1]
    assert (entry.at, entry.actor, entry.action) == (clock.now, "root", "votes excluded")
    assert (entry.target, entry.after) == ("[1, 2]", '{"1": "farm", "2": "farm"}')


def test_the_audit_log_says_why_and_no_word_of_it_can_be_changed(desk: Desk, store: Store) -> None:
    desk.votes(2)
    store.write.exclude_votes([1], reason="excluded", actor="root", note="a test of ours").result(30)
    store.write.restore_votes([1], reason="not ours after all", actor="root").result(30)

    assert [entry.reason for entry in desk.decisions()] == ["a test of ours", "not ours after all"]
    store.read.verify()
    with store._engines[1].begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET reason = 'their test' WHERE seq = 5")
    with pytest.raises(StoreCorrupt, match="audit entry 5"):
        store.read.verify()


def test_an_unknown_vote_stops_the_whole_exclusion(desk: Desk, store: Store) -> None:
    desk.votes(2)
    before, audit = desk.ratings(), store.read.audit()

    error = store.write.exclude_votes([1, 99], reason="farm", actor="root").exception(30)

    assert isinstance(error, UnknownVote)
    assert "99" in str(error)
    assert (desk.ratings(), store.read.audit()) == (before, audit)


def test_a_vote_that_was_never_ranked_cannot_be_restored_into_the_ratings(desk: Desk, store: Store) -> None:
    desk.vote(kind=BattleKind.AA, seats=Seats("ant", "ant"))

    error = store.write.restore_votes([1], reason="why not", actor="root").exception(30)

    assert isinstance(error, UnknownVote)
    assert store.read.verify().counted == 0


@pytest.mark.usefixtures("desk")
def test_excluding_nothing_does_nothing(store: Store) -> None:
    before, audit = store.read.board_version(), store.read.audit()

    store.write.exclude_votes([], reason="farm", actor="root").result(30)

    assert (store.read.board_version(), store.read.audit()) == (before, audit)


def test_a_vote_that_was_left_out_when_cast_counts_once_it_is_restored(desk: Desk, store: Store) -> None:
    desk.vote(seats=Seats("ant", "bee"))
    with store._engines[1].begin() as connection:
        # As a later rule would have stored it at once: out, with a reason of its own, moving nobody.
        connection.exec_driver_sql("UPDATE vote SET left_out = 'leaked', elo_a = NULL, elo_b = NULL, change = NULL")
        connection.execute(update(BattleRow).values(leaked=True))
        connection.exec_driver_sql("UPDATE tally SET left_out = 'leaked'")
        connection.exec_driver_sql("UPDATE rating SET elo = 1000")
    assert store.read.verify().counted == 0

    store.write.restore_votes([1], reason="no leak", actor="root").result(30)

    assert desk.ratings() == {"ant": 1016.0, "bee": 984.0, "cat": 1000.0, "dog": 1000.0}
    assert store.read.verify().counted == 1


def test_more_votes_than_a_statement_takes_can_be_asked_for(desk: Desk, store: Store) -> None:
    desk.vote()

    error = store.write.exclude_votes(range(1, 70_001), reason="farm", actor="root").exception(30)

    assert isinstance(error, UnknownVote)
    assert "no vote number 2:" in str(error)
