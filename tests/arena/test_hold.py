from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Barrier, Thread, Timer

import pytest

from arena.domain import Vote
from arena.errors import AlreadyVoted, StoreError
from arena.hold import Holds
from arena.store import Casting
from leaderboard.verdicts import Verdict


class Ledger:
    """Stores verdicts in a list; the futures resolve when the test says so."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.stored: list[tuple[str, str, Verdict]] = []
        self.pending: list[Future[Vote]] = []
        self._at_once = at_once

    def store(self, battle_id: str, owner: str, verdict: Verdict, _casting: Casting) -> Future[Vote]:
        future: Future[Vote] = Future()
        self.stored.append((battle_id, owner, verdict))
        self.pending.append(future)
        if self._at_once:
            self.acknowledge()
        return future

    def acknowledge(self) -> None:
        battle_id, _, verdict = self.stored[-1]
        now = datetime.now(UTC)
        self.pending[-1].set_result(Vote(battle_id=battle_id, seq=1, verdict=verdict, elo=None, cast_at=now))


class ManualTimers:
    """Calls that happen when the test fires them."""

    def __init__(self) -> None:
        self.calls: list[Timer] = []

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        timer = Timer(seconds, call)
        self.calls.append(timer)
        return timer

    def fire(self) -> None:
        for timer in self.calls:
            timer.start()
            timer.join(timeout=30)


@pytest.fixture
def timers() -> ManualTimers:
    return ManualTimers()


def holds(ledger: Ledger, timers: ManualTimers) -> Holds:
    return Holds(store_vote=ledger.store, call_later=timers.call_later, seconds=0.0)


def test_a_verdict_that_nobody_undoes_is_stored_when_its_time_is_over(timers: ManualTimers) -> None:
    ledger = Ledger()
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.A)

    timers.fire()

    assert ledger.stored == [("battle", "me", Verdict.A)]
    assert held.held("battle") is None


def test_a_verdict_that_another_replica_has_stored_before_is_no_failure(
    timers: ManualTimers, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(at_once=False)
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.A)
    timers.fire()

    ledger.pending[-1].set_exception(AlreadyVoted("This battle has its vote: start a new round."))

    assert not held.failed("battle")
    assert held.held("battle") is None
    assert caplog.records == []


def test_an_undone_verdict_is_never_stored(timers: ManualTimers) -> None:
    ledger = Ledger()
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.A)

    undone = held.undo("battle", "me")

    timers.fire()
    assert undone
    assert ledger.stored == []
    assert held.held("battle") is None


def test_after_undo_another_verdict_can_be_held(timers: ManualTimers) -> None:
    ledger = Ledger()
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.A)
    held.undo("battle", "me")

    held.hold("battle", "me", Verdict.TIE)
    timers.fire()

    assert ledger.stored == [("battle", "me", Verdict.TIE)]


def test_a_double_click_keeps_the_first_verdict(timers: ManualTimers) -> None:
    ledger = Ledger()
    held = holds(ledger, timers)

    held.hold("battle", "me", Verdict.B)
    held.hold("battle", "me", Verdict.A)

    timers.fire()
    assert ledger.stored == [("battle", "me", Verdict.B)]


def test_reveal_now_stores_at_once_and_the_timer_adds_nothing(timers: ManualTimers) -> None:
    ledger = Ledger()
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.B)

    vote = held.submit("battle", "me")

    timers.fire()
    assert vote is not None
    assert vote.result(timeout=30).verdict is Verdict.B
    assert len(ledger.stored) == 1


def test_a_verdict_that_is_being_stored_cannot_be_undone(timers: ManualTimers) -> None:
    ledger = Ledger(at_once=False)
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.B)
    held.submit("battle", "me")

    undone = held.undo("battle", "me")

    shown = held.held("battle")
    assert not undone
    assert shown is not None
    assert shown.seconds_left == 0.0


@pytest.mark.parametrize("verb", ["undo", "submit"])
def test_nobody_else_can_touch_a_held_verdict(verb: str, timers: ManualTimers) -> None:
    ledger = Ledger()
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.B)

    outcome = getattr(held, verb)("battle", "somebody else")

    assert not outcome
    assert held.held("battle") is not None
    assert ledger.stored == []


def test_a_vote_that_could_not_be_stored_is_said_and_can_be_cast_again(timers: ManualTimers) -> None:
    ledger = Ledger(at_once=False)
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.B)
    held.submit("battle", "me")

    ledger.pending[-1].set_exception(StoreError("disk full"))

    assert held.failed("battle")
    assert held.held("battle") is None
    held.hold("battle", "me", Verdict.B)
    assert not held.failed("battle")


def test_many_tabs_that_reveal_together_store_one_vote(timers: ManualTimers) -> None:
    ledger = Ledger(at_once=False)
    held = holds(ledger, timers)
    held.hold("battle", "me", Verdict.A)
    barrier = Barrier(16)

    def reveal() -> None:
        barrier.wait(timeout=30)
        held.submit("battle", "me")

    tabs = [Thread(target=reveal) for _ in range(16)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(timeout=30)

    assert len(ledger.stored) == 1
