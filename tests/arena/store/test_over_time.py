from datetime import date, timedelta

from arena.domain import Seats
from arena.foreign import ForeignVote
from arena.selection import EVERYTHING, Selection
from arena.store import NewSource, SourceLoad, Store
from leaderboard import Verdict
from tests.arena.store.conftest import Clock, Desk

ANT_BEE, BEE_ANT, CAT_DOG = Seats("ant", "bee"), Seats("bee", "ant"), Seats("cat", "dog")
FIRST = date(2026, 11, 22)


def test_counts_grow_from_day_to_day_whatever_the_seats(desk: Desk, store: Store, clock: Clock) -> None:
    for seats, verdict in [(ANT_BEE, Verdict.A), (BEE_ANT, Verdict.A), (BEE_ANT, Verdict.B), (BEE_ANT, Verdict.TIE)]:
        desk.vote(verdict, seats=seats)
        clock.advance(days=1)
    desk.vote(Verdict.BOTH_BAD, seats=CAT_DOG)

    days = list(store.read.counts_over_time(EVERYTHING))

    assert [day.day for day in days] == [FIRST + timedelta(days=n) for n in range(5)]
    records = [day.counts.record("ant", "bee") for day in days]
    assert [(each.wins_a, each.wins_b, each.ties) for each in records] == [
        (1, 0, 0),
        (1, 1, 0),
        (2, 1, 0),
        (2, 1, 1),
        (2, 1, 1),
    ]
    assert [day.counts.votes for day in days] == [1, 2, 3, 4, 5]
    assert days[-1].counts.record("cat", "dog").ties == 1
    assert "cat" not in days[0].counts.names


def test_every_day_holds_what_a_selection_up_to_it_holds(desk: Desk, store: Store, clock: Clock) -> None:
    for move in (1, 2, -1, 3, 1):
        desk.votes(20)
        clock.advance(days=move)
    store.write.exclude_votes([2, 50], reason="farm", actor="root").result(30)
    selection = Selection(without_ties=True, since=FIRST + timedelta(days=1))

    days = list(store.read.counts_over_time(selection))

    assert len(days) > 2
    for day, counts in days:
        until = Selection(without_ties=True, since=FIRST + timedelta(days=1), until=day)
        votes = store.read.selected_votes(until)
        assert counts.votes == sum(tally.n for tally in votes.tallies)
        for tally in votes.tallies:
            assert counts.record(tally.model_a, tally.model_b).battles >= tally.n


def test_many_days_are_thinned_and_the_last_stays(desk: Desk, store: Store, clock: Clock) -> None:
    for _ in range(9):
        desk.vote(seats=ANT_BEE)
        clock.advance(days=1)

    days = [day.day - FIRST for day in store.read.counts_over_time(EVERYTHING, days=4)]

    assert [day.days for day in days] == [0, 3, 5, 8]


def test_votes_without_a_time_are_on_no_day(store: Store) -> None:
    with SourceLoad(store.write, NewSource(name="file", format="plain", sha256="0" * 64)) as loading:
        loading.add([ForeignVote(model_a="x", model_b="y", verdict=Verdict.A, line=line) for line in (1, 2)])
        loading.publish(actor="test")

    assert list(store.read.counts_over_time(Selection(sources=frozenset({"file"})))) == []
