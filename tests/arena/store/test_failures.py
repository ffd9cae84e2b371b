from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from arena.domain import BattleKind, BattleState, Fault, Reply, ReplyStatus, Seats, Side
from arena.selection import EVERYTHING, Selection
from arena.store import Store
from arena.store.failures import NOT_THEIRS, LostBattle, lost_battles, tallied
from leaderboard import Tally
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk, MakeDesk

SEATS = Seats("ant", "bee")
LOSES = Selection(failed_loses=True)
THEIRS = sorted(set(Fault) - NOT_THEIRS)


def _end(
    desk: Desk,
    battle_id: str,
    side: Side,
    status: ReplyStatus = ReplyStatus.OK,
    *,
    fault: Fault | None = Fault.OVERLOADED,
    turn: int = 1,
    attempt: int = 1,
) -> BattleState:
    told = fault if status is ReplyStatus.FAILED else None
    reply = Reply(turn=turn, side=side, attempt=attempt, status=status, text="Because.", fault=told)
    return desk.store.write.finish_reply(battle_id, reply).result(DEADLINE_SECONDS)


def _battle(
    desk: Desk,
    a: ReplyStatus = ReplyStatus.FAILED,
    b: ReplyStatus = ReplyStatus.OK,
    *,
    fault: Fault | None = Fault.OVERLOADED,
    **of_battle: Any,  # noqa: ANN401 - whatever a desk opens with
) -> str:
    battle_id = desk.open(**{"seats": SEATS} | of_battle)
    _end(desk, battle_id, Side.A, a, fault=fault)
    _end(desk, battle_id, Side.B, b, fault=fault)
    return battle_id


def _lost(desk: Desk, clock: Clock, selection: Selection = EVERYTHING, **later: float) -> list[Tally]:
    with desk.store.read._look() as connection:
        return [*_tallied(connection, selection, clock.now + timedelta(**later or {"hours": 2}))]


def _tallied(connection: Connection, selection: Selection, now: datetime) -> tuple[Tally, ...]:
    return tallied(lost_battles(connection, selection, now=now))


def test_the_side_that_failed_loses_whichever_it_is(desk: Desk, clock: Clock) -> None:
    for _ in range(2):
        _battle(desk, ReplyStatus.FAILED, ReplyStatus.OK)
    _battle(desk, ReplyStatus.OK, ReplyStatus.FAILED)

    assert _lost(desk, clock) == [Tally("ant", "bee", Verdict.A, 1), Tally("ant", "bee", Verdict.B, 2)]


@pytest.mark.parametrize(
    "other", [ReplyStatus.FAILED, ReplyStatus.STOPPED, ReplyStatus.INTERRUPTED, ReplyStatus.STREAMING]
)
def test_nobody_wins_against_a_failure_without_an_answer_of_its_own(
    desk: Desk, clock: Clock, other: ReplyStatus
) -> None:
    battle_id = desk.open(seats=SEATS)
    _end(desk, battle_id, Side.A, ReplyStatus.FAILED)
    if other is not ReplyStatus.STREAMING:
        _end(desk, battle_id, Side.B, other)

    assert _lost(desk, clock) == []


@pytest.mark.parametrize("status", [ReplyStatus.STOPPED, ReplyStatus.INTERRUPTED])
def test_what_the_person_stopped_or_we_interrupted_is_no_failure(desk: Desk, clock: Clock, status: ReplyStatus) -> None:
    _battle(desk, status, ReplyStatus.OK)

    assert _lost(desk, clock) == []


@pytest.mark.parametrize("fault", Fault)
def test_only_faults_of_the_model_or_its_provider_lose(desk: Desk, clock: Clock, fault: Fault) -> None:
    _battle(desk, fault=fault)

    assert bool(_lost(desk, clock)) == (fault in THEIRS)


def test_a_fault_that_nobody_noted_is_the_models(desk: Desk, clock: Clock) -> None:
    _battle(desk, fault=None)

    assert len(_lost(desk, clock)) == 1


def test_a_battle_that_can_still_be_mended_is_not_lost_yet(desk: Desk, clock: Clock) -> None:
    _battle(desk)

    assert _lost(desk, clock, minutes=59) == []
    assert len(_lost(desk, clock, minutes=61)) == 1


def test_only_the_last_attempt_of_the_last_turn_says_who_failed(desk: Desk, clock: Clock) -> None:
    mended, worse = _battle(desk), desk.ready(seats=SEATS)
    desk.store.write.retry_reply(mended, "voter", Side.A, fingerprint="").result(DEADLINE_SECONDS)
    _end(desk, mended, Side.A, ReplyStatus.OK, attempt=2)
    desk.store.write.add_turn(worse, "voter", "And?", fingerprints=dict.fromkeys(Side, "")).result(DEADLINE_SECONDS)
    _end(desk, worse, Side.A, ReplyStatus.OK, turn=2)
    _end(desk, worse, Side.B, ReplyStatus.FAILED, turn=2)

    assert _lost(desk, clock) == [Tally("ant", "bee", Verdict.A, 1)]


def test_a_battle_that_got_its_vote_or_is_not_ranked_is_not_lost(desk: Desk, clock: Clock) -> None:
    voted = _battle(desk)
    desk.store.write.retry_reply(voted, "voter", Side.A, fingerprint="").result(DEADLINE_SECONDS)
    _end(desk, voted, Side.A, ReplyStatus.OK, attempt=2)
    desk.store.write.cast_vote(voted, "voter", Verdict.TIE).result(DEADLINE_SECONDS)
    _battle(desk, kind=BattleKind.AA, seats=Seats("ant", "ant"))
    _battle(desk, kind=BattleKind.NAMED)

    assert _lost(desk, clock) == []


def test_lost_battles_are_chosen_by_day_category_language_and_source(desk: Desk, clock: Clock) -> None:
    first = clock.now.date()
    _battle(desk, prompt="Warum ist der Himmel über uns eigentlich blau und nicht grün?")
    clock.advance(days=1)
    _battle(desk, prompt="Why does this fail?\n```python\nprint(1)\n```")

    def chosen(**selection: Any) -> int:  # noqa: ANN401 - of Selection
        return sum(tally.n for tally in _lost(desk, clock, Selection(**selection)))

    assert (chosen(), chosen(code=True), chosen(code=False), chosen(multi_turn=True)) == (2, 1, 1, 0)
    assert (chosen(language="de"), chosen(language="fr")) == (1, 0)
    assert (chosen(until=first), chosen(since=clock.now.date()), chosen(since=first)) == (1, 1, 2)
    assert (chosen(until=date(2026, 1, 1)), chosen(sources=frozenset({"file"}))) == (0, 0)
    assert (chosen(without_ties=True), chosen(with_left_out=True)) == (2, 2)


@pytest.fixture
def old(desk: Desk, clock: Clock) -> Desk:
    """Two days with votes, failures of the first and of a day between, all of it long ago."""
    clock.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    desk.vote(Verdict.A, seats=SEATS)
    _battle(desk, seats=Seats("cat", "ant"))
    clock.advance(days=1)
    for _ in range(2):
        _battle(desk, seats=SEATS)
    clock.advance(days=1)
    desk.vote(Verdict.TIE, seats=Seats("bee", "cat"))
    return desk


def test_a_selection_in_which_failures_lose_counts_them_beside_the_votes(old: Desk) -> None:
    votes = old.store.read.selected_votes(LOSES)
    plain = old.store.read.selected_votes(EVERYTHING)

    assert (votes.failed_lost, plain.failed_lost) == (3, 0)
    assert votes.tallies == (
        Tally("ant", "bee", Verdict.A, 1),
        Tally("ant", "bee", Verdict.B, 2),
        Tally("bee", "cat", Verdict.TIE, 1),
        Tally("cat", "ant", Verdict.B, 1),
    )
    assert plain.tallies == (Tally("ant", "bee", Verdict.A, 1), Tally("bee", "cat", Verdict.TIE, 1))
    assert replace(votes, tallies=(), failed_lost=0) == replace(plain, tallies=())
    assert old.store.read.lost_battles() == 3


def test_a_vote_and_a_failure_of_one_kind_are_counted_together(old: Desk, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 5, 12, tzinfo=UTC)
    _battle(old, ReplyStatus.OK, ReplyStatus.FAILED)

    assert Tally("ant", "bee", Verdict.A, 2) in old.store.read.selected_votes(LOSES).tallies


def test_failures_change_no_vote_no_rating_and_no_tally(old: Desk, make_desk: MakeDesk) -> None:
    never = make_desk()
    never.vote(Verdict.A, seats=SEATS)
    never.vote(Verdict.TIE, seats=Seats("bee", "cat"))

    report = old.store.read.verify()

    assert (report.votes, report.counted, report.tallies) == (2, 2, 2)
    assert old.ratings() == never.ratings()


def test_the_past_counts_failures_up_to_the_end_of_each_day(old: Desk) -> None:
    days = list(old.store.read.counts_over_time(LOSES))

    told = [(each.day.day, each.counts.votes) for each in days]
    assert told == [(1, 2), (2, 4), (3, 5)]
    final = days[-1].counts
    assert (final.record("ant", "bee").wins_a, final.record("ant", "bee").wins_b) == (1, 2)
    assert final.record("cat", "ant").wins_b == 1
    assert [each.counts.votes for each in old.store.read.counts_over_time(EVERYTHING)] == [1, 2]


def test_few_battles_among_many_are_looked_up_in_an_index(store: Store) -> None:
    with store.read._look() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # which it prefers on a table without rows
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = connection.exec_driver_sql(
            f"{explain} SELECT id FROM battle WHERE state = 'stuck' AND created_at < '2026-01-01'"
        )

        assert "ix_battle_stuck" in str(plan.all())


def test_lost_battles_come_in_the_order_in_which_they_were_opened(old: Desk) -> None:
    with old.store.read._look() as connection:
        found = lost_battles(connection, EVERYTHING)

    assert found[0] == LostBattle(date(2026, 11, 1), "cat", "ant", Verdict.B)
    assert [battle.day.day for battle in found] == [1, 2, 2]
