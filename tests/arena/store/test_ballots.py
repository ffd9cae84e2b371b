import tracemalloc
from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest

from arena.domain import BattleKind, LeftOut, Seats, Side
from arena.store import Casting, Store
from arena.store.ballots import SWEEP
from arena.store.exclusion import NEVER_COUNTED
from leaderboard.integrity import UNKNOWN, Habits, Reason, Risk, Sign
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk

SEATS = Seats("ant", "bee")
REASON = Reason(sign=Sign.FOR_MODEL, risk=0.99, sentence="The votes lean 130 points towards ant.")


def _cast(desk: Desk, *, verdict: Verdict = Verdict.A, owner: str = "voter", casting: Casting | None = None) -> int:
    battle_id = desk.ready(seats=SEATS, owner=owner)
    return desk.store.write.cast_vote(battle_id, owner, verdict, casting or Casting()).result(DEADLINE_SECONDS).seq


def _settle(store: Store, *, hold: Iterable[int] = (), release: Iterable[int] = (), **alarms: str) -> None:
    risks = dict.fromkeys(hold, Risk.of([REASON]))
    store.write.settle_sweep(hold=risks, release=frozenset(release), alarms=alarms).result(DEADLINE_SECONDS)


def _left_out(store: Store) -> dict[int, str | None]:
    return {vote.seq: vote.left_out for vote in store.read.votes()}


def test_a_voter_without_a_battle_has_no_habits(store: Store) -> None:
    assert store.read.habits("nobody", prompt=None) == Habits()


def test_habits_are_counted_up_to_now(store: Store, desk: Desk) -> None:
    desk.ready(seats=SEATS)
    desk.open(seats=SEATS)
    _cast(desk, verdict=Verdict.A, casting=Casting(decide_ms=50, signs=("snap_vote",)))
    _cast(desk, verdict=Verdict.B, casting=Casting(decide_ms=9_000))
    _cast(desk, verdict=Verdict.TIE)
    _cast(desk, verdict=Verdict.A, owner="other")

    assert store.read.habits("voter", prompt=None) == Habits(battles=4, votes=3, left=1, right=1, timed=2, snaps=1)


def test_a_sweep_sees_finished_ranked_battles_voted_ones_first(store: Store, desk: Desk, clock: Clock) -> None:
    desk.ready(seats=SEATS, owner="looker")
    desk.open(seats=SEATS)
    desk.ready(seats=Seats("ant", "ant"), kind=BattleKind.AA)
    clock.advance(days=2)
    seq = _cast(desk, verdict=Verdict.TIE, casting=Casting(decide_ms=1_500))

    seen = store.read.examined(now=clock.now)

    assert seen.seqs.tolist() == [seq, UNKNOWN]
    assert [seen.voter_ids[number] for number in seen.ballots.voter] == ["voter", "looker"]
    assert seen.ballots.decide_ms.tolist() == [1_500, UNKNOWN]
    assert seen.ballots.voted.tolist() == [True, False]
    assert [seen.ballots.names[seat] for seat in (seen.ballots.seat_a[0], seen.ballots.seat_b[0])] == ["ant", "bee"]
    assert seen.ballots.characters.tolist() == [16, 16]
    assert (seen.counted.tolist(), seen.held.tolist()) == ([True, False], [False, False])


@pytest.mark.sqlite_only
def test_a_sweep_remembers_numbers_and_not_the_rows_that_it_reads(store: Store, desk: Desk) -> None:
    peaks = []
    for more in (40, 120):
        for _ in range(more):
            _cast(desk)
        store.read.examined()  # what stays prepared for the next time
        tracemalloc.start()
        store.read.examined()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    # Eleven numbers, as they are read and as an array, and room to grow; kept rows took twice as much here.
    assert (peaks[1] - peaks[0]) / 120 < 250


def test_an_empty_database_is_swept_in_peace(store: Store, clock: Clock) -> None:
    seen = store.read.examined(now=clock.now)

    assert (len(seen.ballots), len(seen.voters), seen.seqs.size) == (0, 0, 0)


def test_what_a_sweep_holds_does_not_count_until_it_releases_it(store: Store, desk: Desk) -> None:
    one, two = _cast(desk), _cast(desk)
    before = desk.ratings()

    _settle(store, hold={one})
    held = _left_out(store)
    _settle(store, release={one})

    assert held == {one: LeftOut.SUSPICIOUS, two: None}
    assert _left_out(store) == {one: None, two: None}
    assert desk.ratings() == before
    store.read.verify()


def test_a_vote_that_was_held_when_cast_can_be_released_by_a_sweep(store: Store, desk: Desk) -> None:
    seq = _cast(desk, casting=Casting(held=True))

    _settle(store, release={seq})

    assert _left_out(store) == {seq: None}
    store.read.verify()


def test_what_an_administrator_decided_stays_decided(store: Store, desk: Desk) -> None:
    kept, dropped = _cast(desk), _cast(desk)
    _settle(store, hold={kept, dropped})
    store.write.restore_votes([kept], reason="known person", actor="admin").result(DEADLINE_SECONDS)
    store.write.exclude_votes([dropped], reason="suspicious", actor="admin").result(DEADLINE_SECONDS)

    _settle(store, hold={kept}, release={dropped})

    assert _left_out(store) == {kept: None, dropped: "suspicious"}


def test_confirmed_votes_stay_evidence_about_which_a_sweep_decides_nothing(store: Store, desk: Desk) -> None:
    confirmed, excluded = _cast(desk), _cast(desk)
    _settle(store, hold={confirmed})
    store.write.confirm_votes([confirmed], note="a farm", actor="admin").result(DEADLINE_SECONDS)
    store.write.exclude_votes([excluded], reason="excluded", actor="admin").result(DEADLINE_SECONDS)

    seen = store.read.examined()

    assert seen.seqs.tolist() == [confirmed]
    assert (seen.held.tolist(), seen.counted.tolist()) == ([False], [False])


def test_a_sweep_that_decides_nothing_leaves_the_board_alone(store: Store, desk: Desk) -> None:
    _cast(desk)
    entries = len(store.read.audit())

    _settle(store)

    assert len(store.read.audit()) == entries


def test_votes_of_other_reasons_are_none_of_a_sweeps_business(store: Store, desk: Desk) -> None:
    seq = _cast(desk)
    store.write.exclude_votes([seq], reason="leaked", actor=SWEEP).result(DEADLINE_SECONDS)

    _settle(store, hold={seq}, release={seq})

    assert _left_out(store) == {seq: "leaked"}
    assert LeftOut.SUSPICIOUS not in NEVER_COUNTED


def test_trust_is_said_or_comes_with_a_login_long_ago(store: Store, desk: Desk, clock: Clock) -> None:
    for owner in ("new", "said", "old"):
        _cast(desk, owner=owner)
    store.write.trust_voter("said", trusted=True, actor="admin").result(DEADLINE_SECONDS)
    store.write.note_login("old").result(DEADLINE_SECONDS)
    clock.now += timedelta(days=31)
    store.write.note_login("new").result(DEADLINE_SECONDS)

    seen = store.read.examined(now=clock.now)

    trusted = {name for name, is_trusted in zip(seen.voter_ids, seen.voters.trusted, strict=True) if is_trusted}
    assert trusted == {"said", "old"}
    assert np.array_equal(seen.voters.signed_up_day, np.full(3, seen.voters.signed_up_day[0]))
    assert [entry.action for entry in store.read.audit()][-1] == "voter trusted"


def test_alarms_stand_since_they_were_first_raised(store: Store, desk: Desk, clock: Clock) -> None:
    first = clock.now
    _settle(store, ant="new voters like it more")
    clock.advance(hours=1)
    _settle(store, ant="new voters like it much more", bee="and this one less")

    alarms = store.read.alarms()

    assert [(alarm.model, alarm.since, alarm.reason) for alarm in alarms] == [
        ("ant", first, "new voters like it much more"),
        ("bee", clock.now, "and this one less"),
    ]
    _settle(store)
    assert store.read.alarms() == ()
    assert desk.battle(desk.open()).turns[0].replies.keys() == set(Side)
