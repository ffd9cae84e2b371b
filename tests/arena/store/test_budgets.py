from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from arena.errors import LimitReached
from arena.store.budgets import BUDGET, EVERYBODY, reserve, settle, spent
from arena.store.engine import database_of
from arena.store.migrating import migrate
from arena.store.rows import Bounds, Spending
from tests.arena.store.conftest import Clock

ONE = Spending(tokens=700, usd=0.01)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = database_of(url).writing_engine()
    migrate(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _reserved(connection: Connection, clock: Clock, bounds: Bounds, tries: int, owner: str = "me") -> int:
    taken = 0
    for _ in range(tries):
        try:
            reserve(connection, owner, ONE, bounds=bounds, now=clock.now)
        except LimitReached:
            continue
        taken += 1
    return taken


@pytest.mark.parametrize(
    "bounds", [Bounds(voter_tokens=2_100), Bounds(voter_usd=0.031), Bounds(all_tokens=2_799), Bounds(all_usd=0.03)]
)
def test_a_budget_is_never_overspent(connection: Connection, clock: Clock, bounds: Bounds) -> None:
    assert _reserved(connection, clock, bounds, 10) == 3
    assert spent(connection, EVERYBODY, now=clock.now).tokens == 2_100
    assert spent(connection, "voter:me", now=clock.now).tokens == 2_100


def test_without_bounds_what_is_spent_is_still_counted(connection: Connection, clock: Clock) -> None:
    assert _reserved(connection, clock, Bounds(), 5) == 5
    everybody = spent(connection, EVERYBODY, now=clock.now)
    assert everybody.tokens == 3_500
    assert everybody.usd == pytest.approx(0.05)


def test_one_voters_budget_leaves_another_voter_alone(connection: Connection, clock: Clock) -> None:
    bounds = Bounds(voter_tokens=700)

    assert [_reserved(connection, clock, bounds, 3, owner) for owner in ("me", "you")] == [1, 1]


def test_the_refusal_names_whose_budget_it_is_and_when_there_is_a_new_one(connection: Connection, clock: Clock) -> None:
    with pytest.raises(LimitReached, match=r"You have used up .* after midnight UTC") as told:
        reserve(connection, "me", ONE, bounds=Bounds(voter_tokens=1), now=clock.now)

    assert told.value.retry_after_seconds == 12 * 60 * 60
    with pytest.raises(LimitReached, match="The arena has used up"):
        reserve(connection, "me", ONE, bounds=Bounds(all_tokens=1), now=clock.now)


def test_a_new_day_has_a_new_budget(connection: Connection, clock: Clock) -> None:
    bounds = Bounds(voter_tokens=700)
    _reserved(connection, clock, bounds, 1)
    clock.now += timedelta(days=1)

    assert _reserved(connection, clock, bounds, 2) == 1


def test_what_an_answer_did_not_need_can_be_spent_again(connection: Connection, clock: Clock) -> None:
    bounds = Bounds(voter_tokens=1_000)
    _reserved(connection, clock, bounds, 1)

    settle(connection, "me", ONE, Spending(tokens=100, usd=0.001), reserved_at=clock.now)

    mine = spent(connection, "voter:me", now=clock.now)
    assert mine.tokens == 100
    assert mine.usd == pytest.approx(0.001)
    assert _reserved(connection, clock, bounds, 2) == 1


def test_an_answer_after_midnight_is_settled_on_the_day_it_was_reserved(connection: Connection, clock: Clock) -> None:
    asked_at = clock.now
    _reserved(connection, clock, Bounds(), 1)
    clock.now += timedelta(days=1)

    settle(connection, "me", ONE, Spending(), reserved_at=asked_at)

    assert spent(connection, EVERYBODY, now=asked_at).tokens == 0
    assert spent(connection, EVERYBODY, now=clock.now).tokens == 0


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 3), st.floats(0, 1)), max_size=20))
def test_all_that_is_settled_as_nothing_leaves_nothing(requests: list[tuple[int, float, float]]) -> None:
    engine = create_engine("sqlite://")
    clock = Clock()
    with engine.begin() as connection:
        BUDGET.create(connection)
        for tokens, usd, _ in requests:
            reserve(connection, "me", Spending(tokens=tokens, usd=usd), bounds=Bounds(), now=clock.now)
        for tokens, usd, _ in requests:
            settle(connection, "me", Spending(tokens=tokens, usd=usd), Spending(), reserved_at=clock.now)

        left = spent(connection, EVERYBODY, now=clock.now)
    engine.dispose()

    assert left.tokens == 0
    assert left.usd == pytest.approx(0, abs=1e-9)
