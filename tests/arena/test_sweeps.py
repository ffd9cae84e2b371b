import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest

from arena.domain import LeftOut, Reply, ReplyStatus, Seats, Side
from arena.store import NewBattle, Store
from arena.sweeps import CHORE, Sweeps
from leaderboard.integrity import Sign
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Desk
from tests.conftest import MakeDatabase
from tests.fault_server import wait_until

HOLD_ABOVE = 0.99
SOON_SECONDS = 0.05


@pytest.fixture(scope="module")
def played(make_shared_database: MakeDatabase) -> str:
    """Twelve voters with tastes, and one who took the left answer forty times; the URL of the closed database."""
    url = make_shared_database()
    chance = random.Random(5)
    ballots = [(f"voter {number % 12}", chance.choice([Verdict.A, Verdict.B, Verdict.TIE])) for number in range(180)]
    with closing(Store.open(url)) as store:
        Desk(store).enter()
        cast(store, [*ballots[:90], *[("left-handed", Verdict.A)] * 40, *ballots[90:]])
    return url


@pytest.fixture
def store(played: str, make_database: MakeDatabase) -> Iterator[Store]:
    store = Store.open(make_database(like=played))
    yield store
    store.close()


def cast(store: Store, ballots: Sequence[tuple[str, Verdict]], *, seats: Sequence[Seats] | None = None) -> None:
    """Play battles one behind the other, many in one transaction; the seats are drawn unless they are given."""
    desk = Desk(store)
    seats = seats or [Seats(*desk.rng.sample(list(desk.names), 2)) for _ in ballots]
    written: list[Future[Any]] = []
    first = len(store.read.votes())
    for number, ((owner, verdict), pair) in enumerate(zip(ballots, seats, strict=True), start=first):
        battle_id = f"battle {number}"
        prints = dict.fromkeys(Side, "")
        new = NewBattle(
            id=battle_id, conversation_id=battle_id, seats=pair, owner=owner, prompt="?", fingerprints=prints
        )
        written.append(store.write.open_battle(new))
        written += [
            store.write.finish_reply(battle_id, Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text="Yes"))
            for side in Side
        ]
        written.append(store.write.cast_vote(battle_id, owner, verdict))
    for each in written:
        each.result(DEADLINE_SECONDS)


def sweeps_of(store: Store, *, seconds: float = 300.0) -> Sweeps:
    return Sweeps(store, hold_above=HOLD_ABOVE, seconds=seconds)


def held(store: Store) -> set[int]:
    return {vote.seq for vote in store.read.votes() if vote.left_out == LeftOut.SUSPICIOUS}


def of(store: Store, voter: str) -> set[int]:
    seen = store.read.examined()
    return {
        int(seq) for seq, number in zip(seen.seqs, seen.ballots.voter, strict=True) if seen.voter_ids[number] == voter
    }


def ratings(store: Store) -> dict[str, float]:
    return Desk(store).ratings()


def test_a_sweep_holds_the_votes_of_one_who_always_takes_the_left_answer(store: Store) -> None:
    findings = sweeps_of(store).sweep()

    assert held(store) == of(store, "left-handed")
    assert {reason.sign for risk in findings.risks.values() for reason in risk.reasons} >= {Sign.LEANS_TO_SIDE}
    store.read.verify()


def test_votes_held_by_a_sweep_leave_the_ratings_of_an_arena_that_never_had_them(
    store: Store, make_database: MakeDatabase
) -> None:
    sweeps_of(store).sweep()
    kept = [vote for vote in store.read.votes() if vote.left_out is None]

    with closing(Store.open(make_database())) as never:
        Desk(never).enter()
        cast(never, [("voter", vote.verdict) for vote in kept], seats=[vote.seats for vote in kept])

        assert ratings(store) == ratings(never)


def test_what_is_no_longer_suspicious_is_released(store: Store) -> None:
    before = ratings(store)
    sweeps_of(store).sweep()

    Sweeps(store, hold_above=1.1, seconds=300).sweep()

    assert held(store) == set()
    assert ratings(store) == before


def test_what_an_administrator_restored_stays_restored(store: Store) -> None:
    sweeps = sweeps_of(store)
    sweeps.sweep()
    restored = min(held(store))
    store.write.restore_votes({restored}, reason="looked at", actor="ann").result(DEADLINE_SECONDS)

    sweeps.sweep()

    assert held(store) == of(store, "left-handed") - {restored}


def test_the_sweep_comes_by_itself_and_again_when_there_is_something_new(store: Store) -> None:
    sweeps = sweeps_of(store, seconds=SOON_SECONDS)
    sweeps.start()
    try:
        wait_until(lambda: held(store) == of(store, "left-handed"))
        cast(store, [("left-handed", Verdict.A)])

        wait_until(lambda: held(store) == of(store, "left-handed"))
    finally:
        sweeps.close()


def test_one_of_several_processes_sweeps_for_all(store: Store) -> None:
    assert store.write.take_lease(CHORE, holder="another process", seconds=300).result(DEADLINE_SECONDS)
    sweeps = sweeps_of(store)

    sweeps._sweep_if_due()

    assert held(store) == set()


def test_a_sweep_that_fails_is_logged_and_tried_again(url: str, caplog: pytest.LogCaptureFixture) -> None:
    store = Store.open(url)
    sweeps = sweeps_of(store, seconds=SOON_SECONDS)
    Desk(store).enter()
    store.write.close()
    sweeps.start()
    try:
        wait_until(lambda: caplog.text.count("the sweep failed") >= 2)
    finally:
        sweeps.close()
        store.close()
