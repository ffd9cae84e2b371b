from datetime import date

import pytest

from arena.domain import BattleState, Seats, Side
from arena.errors import LimitReached
from arena.store import Bounds, NewBattle, Spending, Store
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk


def test_votes_keep_their_order_when_the_clock_steps_back_a_day(desk: Desk, store: Store, clock: Clock) -> None:
    before = [desk.vote().seq for _ in range(3)]
    clock.advance(days=-1)
    after = [desk.vote().seq for _ in range(3)]

    report = store.read.verify()
    yesterday = store.read.board_at_end_of(date(2026, 11, 21)).ratings.values()
    assert before + after == [1, 2, 3, 4, 5, 6]
    assert [vote.seq for vote in store.read.votes()] == before + after
    assert report.votes == 6
    assert sum(yesterday) / len(yesterday) == pytest.approx(1000, abs=1e-6)


def test_an_answer_whose_process_died_before_the_clock_stepped_back_is_interrupted_in_time(
    desk: Desk, store: Store, clock: Clock
) -> None:
    battle_id = desk.open()
    clock.advance(days=-1)

    first = store.write.interrupt_expired().result(DEADLINE_SECONDS)
    clock.advance(seconds=11)
    second = store.write.interrupt_expired().result(DEADLINE_SECONDS)

    assert (first, second) == (0, 2)
    assert desk.battle(battle_id).state is BattleState.STUCK


def test_an_answer_that_is_being_written_outlives_the_step(desk: Desk, store: Store, clock: Clock) -> None:
    battle_id = desk.open()
    clock.advance(days=-1)
    for _ in range(10):
        store.write.interrupt_expired().result(DEADLINE_SECONDS)
        store.write.renew_leases([battle_id]).result(DEADLINE_SECONDS)
        clock.advance(seconds=2)

    assert desk.finish(battle_id, Side.A) is BattleState.STREAMING
    assert desk.finish(battle_id, Side.B) is BattleState.READY


def test_a_chore_is_not_held_up_by_a_lease_from_tomorrow(store: Store, clock: Clock) -> None:
    store.write.take_lease("sweep", holder="one", seconds=300).result(DEADLINE_SECONDS)
    held = store.write.take_lease("sweep", holder="other", seconds=300).result(DEADLINE_SECONDS)
    clock.advance(days=-1)

    taken = store.write.take_lease("sweep", holder="other", seconds=300).result(DEADLINE_SECONDS)

    assert (held, taken) == (False, True)


def test_a_budget_is_that_of_the_day_which_the_clock_shows(url: str, clock: Clock) -> None:
    store = Store.open(url, clock=clock, bounds=Bounds(voter_tokens=100))
    desk = Desk(store)
    desk.enter()
    spend(store, "first")
    clock.advance(days=-1)
    spend(store, "second")
    clock.advance(days=1)

    with pytest.raises(LimitReached):
        spend(store, "third")
    store.close()


def spend(store: Store, battle_id: str) -> None:
    new = NewBattle(
        id=battle_id,
        conversation_id=battle_id,
        seats=Seats("ant", "bee"),
        owner="voter",
        prompt="Why?",
        fingerprints=dict.fromkeys(Side, ""),
        reserved={Side.A: Spending(tokens=60, usd=0.0)},
    )
    store.write.open_battle(new).result(DEADLINE_SECONDS)
