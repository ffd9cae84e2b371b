"""What makes a vote count or not, what a battle may cost, and who votes."""

from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from arena.domain import BattleKind, LeftOut, Pace, Reply, ReplyFigures, ReplyStatus, Seats, Side, Vote
from arena.errors import LimitReached
from arena.store import Bounds, Casting, NewBattle, Spending, Store
from arena.store.budgets import EVERYBODY, spent
from arena.store.schema import VoteRow
from arena.store.trust_schema import VoterRow
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk, MakeDesk

SEATS = Seats("ant", "bee")
EACH = Spending(tokens=1_000, usd=0.5)


@pytest.fixture
def tight(url: str, clock: Clock) -> Iterator[Store]:
    """At most two battles of `EACH` a side at once."""
    with closing(Store.open(url, clock=clock, bounds=Bounds(voter_tokens=4_500, all_usd=2.5))) as store:
        Desk(store).enter()
        yield store


def _new(name: str, **more: Any) -> NewBattle:  # noqa: ANN401 - of NewBattle
    plain = NewBattle(
        id=name,
        conversation_id=f"of {name}",
        seats=SEATS,
        owner="voter",
        prompt="Why?",
        fingerprints=dict.fromkeys(Side, ""),
    )
    return replace(plain, **more)


def _opened(store: Store, name: str, **more: Any) -> None:  # noqa: ANN401 - of NewBattle
    store.write.open_battle(_new(name, **more)).result(DEADLINE_SECONDS)


def _finished(store: Store, name: str, side: Side, **more: Any) -> None:  # noqa: ANN401 - of Reply
    reply = replace(Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text="Because."), **more)
    store.write.finish_reply(name, reply).result(DEADLINE_SECONDS)


def _vote(store: Store, name: str, casting: Casting | None = None) -> Vote:
    return store.write.cast_vote(name, "voter", Verdict.A, casting or Casting()).result(DEADLINE_SECONDS)


def _spent(store: Store, scope: str, clock: Clock) -> Spending:
    with store.read._look() as connection:
        return spent(connection, scope, now=clock.now)


def test_a_vote_on_an_answer_that_names_its_model_is_stored_and_left_out(store: Store, desk: Desk) -> None:
    before = desk.ratings()
    _opened(store, "x")
    _finished(store, "x", Side.A, text="I am Ant.", leaked=("Ant",))
    _finished(store, "x", Side.B)

    vote = _vote(store, "x")

    assert (vote.left_out, vote.elo) == (LeftOut.LEAKED, None)
    assert desk.battle("x").leaked
    assert desk.battle("x").turns[0].replies[Side.A].leaked == ("Ant",)
    assert desk.ratings() == before
    assert store.read.board(now=vote.cast_at).left_out == {"leaked": 1}
    store.read.verify()


def test_a_leaked_vote_can_be_restored(store: Store, desk: Desk) -> None:
    _opened(store, "x")
    _finished(store, "x", Side.A, text="I am Ant.", leaked=("Ant",))
    _finished(store, "x", Side.B)
    vote = _vote(store, "x")

    store.write.restore_votes([vote.seq], reason="about ants", actor="admin").result(DEADLINE_SECONDS)

    assert desk.ratings()["ant"] == 1016.0
    store.read.verify()


def test_only_the_answer_that_was_judged_decides_whether_it_leaked(store: Store, desk: Desk) -> None:
    _opened(store, "x")
    _finished(store, "x", Side.A, status=ReplyStatus.STOPPED, text="I am Ant", leaked=("Ant",))
    _finished(store, "x", Side.B)
    attempt = store.write.retry_reply("x", "voter", Side.A, fingerprint="").result(DEADLINE_SECONDS)

    _finished(store, "x", Side.A, attempt=attempt)

    assert not desk.battle("x").leaked
    assert _vote(store, "x").left_out is None


def test_a_held_vote_is_stored_with_its_risk_and_does_not_count(store: Store, desk: Desk) -> None:
    before = desk.ratings()
    battle_id = desk.ready(seats=SEATS)

    vote = _vote(store, battle_id, Casting(decide_ms=120, risk=0.95, signs=("one_side",), held=True))

    assert (vote.left_out, vote.elo) == (LeftOut.SUSPICIOUS, None)
    assert desk.ratings() == before
    with store.read._look() as connection:
        row = connection.execute(select(VoteRow.decide_ms, VoteRow.risk, VoteRow.risk_reasons)).one()
    assert tuple(row) == (120, 0.95, ("one_side",))


def test_held_votes_leave_the_ratings_of_a_database_that_never_had_them(
    store: Store, desk: Desk, make_desk: MakeDesk
) -> None:
    verdicts = list(Verdict) * 10
    for n, verdict in enumerate(verdicts):
        desk.vote(verdict, seats=SEATS)
        if n % 3 == 0:
            _vote(store, desk.ready(seats=SEATS), Casting(held=True))
    clean = make_desk()
    for verdict in verdicts:
        clean.vote(verdict, seats=SEATS)

    assert clean.ratings() == desk.ratings()


def test_what_was_never_ranked_is_left_out_for_that_reason_first(store: Store, desk: Desk) -> None:
    battle_id = desk.open(seats=Seats("ant", "ant"), kind=BattleKind.AA)
    for side in Side:
        _finished(store, battle_id, side, leaked=("Ant",))

    assert _vote(store, battle_id, Casting(held=True)).left_out == LeftOut.AA


def test_a_battle_keeps_its_pace_its_network_and_when_it_was_ready(store: Store, desk: Desk, clock: Clock) -> None:
    _opened(store, "x", pace=Pace.TOGETHER, network="net", prompt_key=2**62)
    _finished(store, "x", Side.A)
    clock.advance(seconds=5)
    _finished(store, "x", Side.B)
    ready_at = clock.now
    clock.advance(seconds=5)
    _vote(store, "x")

    battle = desk.battle("x")

    assert (battle.pace, battle.ready_at) == (Pace.TOGETHER, ready_at)
    with store.read._look() as connection:
        assert connection.scalar(select(VoteRow.network)) == "net"
        assert connection.execute(text("SELECT prompt_key FROM battle")).scalar() == 2**62


def test_whoever_opens_a_battle_is_a_voter_since_the_first(store: Store, desk: Desk, clock: Clock) -> None:
    first = clock.now
    desk.open(owner="me")
    clock.advance(days=1)
    desk.open(owner="me")

    with store.read._look() as connection:
        assert connection.execute(text("SELECT id, trusted FROM voter")).all() == [("me", 0)]
        assert connection.scalar(select(VoterRow.first_seen_at)) == first


def test_a_battle_that_the_budget_does_not_hold_is_not_opened(tight: Store, clock: Clock) -> None:
    reserved = dict.fromkeys(Side, EACH)
    _opened(tight, "one", reserved=reserved)
    _opened(tight, "two", reserved=reserved)

    with pytest.raises(LimitReached, match="The arena has used up"):
        _opened(tight, "three", reserved=reserved)

    assert tight.read.battle("three") is None
    assert _spent(tight, EVERYBODY, clock) == Spending(tokens=4_000, usd=2.0)


def test_a_budget_is_not_overspent_by_parallel_requests(tight: Store, clock: Clock) -> None:
    requests: list[Future[None]] = [
        tight.write.open_battle(_new(f"b{n}", owner=f"v{n}", reserved=dict.fromkeys(Side, EACH))) for n in range(40)
    ]
    assert not wait(requests, DEADLINE_SECONDS).not_done

    refused = [request.exception() for request in requests if request.exception()]

    assert len(refused) == 38
    assert all(isinstance(error, LimitReached) for error in refused)
    assert _spent(tight, EVERYBODY, clock).usd == 2.0


def test_an_answer_is_settled_by_what_the_provider_counted(tight: Store, clock: Clock) -> None:
    _opened(tight, "one", reserved=dict.fromkeys(Side, EACH))

    _finished(tight, "one", Side.A, figures=ReplyFigures(tokens_in=10, tokens_out=90, cost_usd=0.125))
    _finished(tight, "one", Side.B, status=ReplyStatus.FAILED, text="")

    assert _spent(tight, "voter:voter", clock) == Spending(tokens=100, usd=0.125)


def test_an_answer_nobody_counted_is_settled_by_its_length(tight: Store, clock: Clock) -> None:
    _opened(tight, "one", reserved={Side.A: EACH})

    _finished(tight, "one", Side.A, text="x" * 400)

    assert _spent(tight, EVERYBODY, clock).tokens == 100
    assert _spent(tight, EVERYBODY, clock).usd == pytest.approx(0.05)


def test_an_answer_that_broke_off_with_its_process_stays_spent(tight: Store, clock: Clock) -> None:
    _opened(tight, "one", reserved=dict.fromkeys(Side, EACH))
    clock.now += timedelta(minutes=5)

    assert tight.write.interrupt_expired().result(DEADLINE_SECONDS) == 2
    _finished(tight, "one", Side.A, text="too late")

    assert _spent(tight, EVERYBODY, clock).tokens == 2_000


def test_going_on_and_retrying_are_within_the_budget_too(tight: Store) -> None:
    wanted = dict.fromkeys(Side, EACH)
    _opened(tight, "one", reserved=wanted)
    _finished(tight, "one", Side.A, figures=ReplyFigures(tokens_in=500, tokens_out=500, cost_usd=0.5))
    _finished(tight, "one", Side.B, status=ReplyStatus.FAILED, text="")

    tight.write.retry_reply("one", "voter", Side.B, fingerprint="", reserved={Side.B: EACH}).result(DEADLINE_SECONDS)
    _finished(tight, "one", Side.B, attempt=2, figures=ReplyFigures(tokens_in=900, tokens_out=600, cost_usd=0.5))
    more = dict.fromkeys(Side, Spending(tokens=1_500))
    turn = tight.write.add_turn("one", "voter", "And?", fingerprints=dict.fromkeys(Side, ""), reserved=more)

    with pytest.raises(LimitReached):
        turn.result(DEADLINE_SECONDS)

    battle = tight.read.battle("one")
    assert battle is not None
    assert len(battle.turns) == 1


def test_guards_are_counted_by_day(store: Store, clock: Clock) -> None:
    for _ in range(3):
        store.write.count("limit")
    store.write.count("rest", model="ant").result(DEADLINE_SECONDS)
    clock.advance(days=1)
    store.write.count("limit", more=2).result(DEADLINE_SECONDS)

    assert store.read.guard_counts() == {"limit": 5, "rest": 1}
    assert store.read.guard_counts(since=clock.now.date()) == {"limit": 2}


def test_a_chore_is_done_by_one_process_until_it_lets_go(store: Store, clock: Clock) -> None:
    def takes(holder: str) -> bool:
        return store.write.take_lease("sweep", holder=holder, seconds=60).result(DEADLINE_SECONDS)

    assert [takes("one"), takes("two"), takes("one")] == [True, False, True]
    clock.advance(seconds=61)
    assert [takes("two"), takes("one")] == [True, False]
