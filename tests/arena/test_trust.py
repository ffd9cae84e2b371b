from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from arena.domain import BattleKind, Fault, Pace, Reply, ReplyFigures, ReplyStatus, Seats, Side
from arena.store import Attempts, Casting, NewBattle, Store
from arena.trust import TrustReport, TrustReports
from leaderboard import Tally
from leaderboard.fairness import Move
from leaderboard.integrity import Flip
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk

SEATS = Seats("ant", "bee")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(url: str, clock: Clock) -> Iterator[Desk]:
    with closing(Store.open(url, clock=clock)) as store:
        desk = Desk(store)
        desk.enter()
        yield desk


def _report(desk: Desk) -> TrustReport:
    return TrustReports(desk.store.read).report()


def _cast(desk: Desk, verdict: Verdict, *, seats: Seats = SEATS, owner: str = "voter", **casting: Any) -> None:  # noqa: ANN401 - of Casting
    battle_id = desk.ready(seats=seats, owner=owner)
    desk.store.write.cast_vote(battle_id, owner, verdict, Casting(**casting)).result(DEADLINE_SECONDS)


def _moved(report: TrustReport, name: str) -> tuple[Move, ...]:
    [effect] = [effect for effect in report.effects if effect.name == name]
    return effect.moved


def test_without_votes_nothing_is_claimed(desk: Desk) -> None:
    report = _report(desk)

    assert (report.votes, report.voters, report.timed, report.median_decide_ms) == (0, 0, 0, None)
    assert (report.left.estimate, report.aa_decisive.estimate, report.advantage.points) == (None, None, None)
    assert (report.effects, report.attempts, report.alarms, dict(report.guards)) == ((), (), (), {})
    assert report.flip is None


def test_how_few_votes_hold_the_first_place_is_told(desk: Desk) -> None:
    for verdict in (*[Verdict.A] * 5, *[Verdict.B] * 2):
        _cast(desk, verdict)

    # Three of the five dropped: two wins each, so level.
    assert _report(desk).flip == Flip(votes=3, first="ant", rival="bee")


def test_voters_are_counted_and_the_busiest_named_by_its_share_only(desk: Desk) -> None:
    for owner in ("busy", "busy", "busy", "other"):
        _cast(desk, Verdict.A, owner=owner)

    report = _report(desk)

    assert (report.voters, report.busiest_share) == (2, 0.75)
    assert "busy" not in repr(report)


def test_the_time_to_decide_is_the_middle_one(desk: Desk) -> None:
    for decide_ms in (9_000, 100, 4_000, None):
        _cast(desk, Verdict.TIE, decide_ms=decide_ms)

    report = _report(desk)

    assert (report.timed, report.median_decide_ms) == (3, 4_000)


def test_what_snap_votes_do_to_the_order_is_told(desk: Desk) -> None:
    _cast(desk, Verdict.A)
    for _ in range(3):
        _cast(desk, Verdict.B, signs=("snap_vote",))

    report = _report(desk)

    assert report.snap_votes == 3
    assert _moved(report, "snap votes") == (Move("bee", 1, 2), Move("ant", 2, 1))


def test_votes_that_are_left_out_are_told_with_what_they_would_do(desk: Desk) -> None:
    _cast(desk, Verdict.A)
    _cast(desk, Verdict.A, held=True)

    report = _report(desk)

    assert dict(report.left_out) == {"suspicious": 1}
    assert _moved(report, "suspicious") == ()


def test_the_left_seat_is_watched(desk: Desk) -> None:
    for seats in (SEATS, Seats("bee", "ant")) * 10:
        _cast(desk, Verdict.A, seats=seats)

    report = _report(desk)

    assert report.left[:2] == (20, 1.0)
    assert report.advantage.lower is not None
    assert report.advantage.lower > 0


def test_battles_of_a_model_with_itself_gauge_noise_and_side(desk: Desk) -> None:
    for verdict in (Verdict.A, Verdict.A, Verdict.B, Verdict.TIE):
        desk.vote(verdict, seats=Seats("ant", "ant"), kind=BattleKind.AA)

    report = _report(desk)

    assert report.aa_decisive[:2] == (4, 0.75)
    assert report.aa_left.trials == 3
    assert report.aa_left.estimate == pytest.approx(2 / 3)
    assert dict(report.left_out) == {"aa": 4}


def _opened(desk: Desk, name: str, *, pace: Pace = Pace.LIVE) -> None:
    new = NewBattle(
        id=name,
        conversation_id=name,
        seats=SEATS,
        owner="voter",
        prompt="Why?",
        fingerprints=dict.fromkeys(Side, ""),
        pace=pace,
    )
    desk.store.write.open_battle(new).result(DEADLINE_SECONDS)


def _ended(desk: Desk, name: str, side: Side, status: ReplyStatus = ReplyStatus.OK, **more: Any) -> None:  # noqa: ANN401 - of Reply
    reply = Reply(turn=1, side=side, attempt=1, status=status, text="Because.", **more)
    desk.store.write.finish_reply(name, reply).result(DEADLINE_SECONDS)


def test_the_faster_side_is_followed_at_each_pace(desk: Desk) -> None:
    for number, (pace, verdict) in enumerate(
        [(Pace.LIVE, Verdict.A), (Pace.LIVE, Verdict.A), (Pace.REPLAY, Verdict.B)]
    ):
        _opened(desk, f"b{number}", pace=pace)
        _ended(desk, f"b{number}", Side.A, figures=ReplyFigures(duration_ms=100))
        _ended(desk, f"b{number}", Side.B, figures=ReplyFigures(duration_ms=900))
        desk.store.write.cast_vote(f"b{number}", "voter", verdict).result(DEADLINE_SECONDS)

    speeds = _report(desk).speeds

    assert [(speed.pace, speed.votes, speed.faster_won.estimate) for speed in speeds] == [
        ("live", 2, 1.0),
        ("replay", 1, 0.0),
    ]


def test_failures_are_counted_by_model_once_their_battle_is_over(desk: Desk, clock: Clock) -> None:
    _opened(desk, "x")
    _ended(desk, "x", Side.A, ReplyStatus.FAILED, fault=Fault.SILENT)
    _ended(desk, "x", Side.B)
    before = desk.store.read.trust_figures(now=clock.now)

    after = desk.store.read.trust_figures(now=clock.now + timedelta(hours=2))

    assert (before.attempts, before.without_vote, before.failed_loses) == ((), 0, ())
    assert after.attempts == (Attempts("ant", 1, 1, 1, 0, 0, 0, 0), Attempts("bee", 1, 0, 0, 0, 0, 0, 0))
    assert after.without_vote == 1
    assert after.failed_loses == (Tally("ant", "bee", Verdict.B, 1),)


def test_a_side_that_was_retried_well_did_not_lose(desk: Desk, clock: Clock) -> None:
    _opened(desk, "x")
    _ended(desk, "x", Side.A, ReplyStatus.FAILED)
    _ended(desk, "x", Side.B)
    desk.store.write.retry_reply("x", "voter", Side.A, fingerprint="").result(DEADLINE_SECONDS)
    reply = Reply(turn=1, side=Side.A, attempt=2, status=ReplyStatus.OK, text="So.", leaked=("Ant",))
    desk.store.write.finish_reply("x", reply).result(DEADLINE_SECONDS)

    figures = desk.store.read.trust_figures(now=clock.now + timedelta(hours=2))

    assert figures.failed_loses == ()
    assert figures.attempts[0] == Attempts("ant", 2, 1, 0, 0, 0, 1, 1)


def test_a_report_is_kept_for_a_while(desk: Desk) -> None:
    reports = TrustReports(desk.store.read)
    first = reports.report()
    _cast(desk, Verdict.A)

    assert reports.report() is first
