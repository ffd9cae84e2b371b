"""Can the votes be trusted? What was left out and why, and what each of it does to the order of the board."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from time import monotonic

from arena.store import Alarm, Attempts, Queries, TrustFigures
from leaderboard import PairCounts, Tally, Verdict
from leaderboard.fairness import (
    BoardEffect,
    Move,
    SeatAdvantage,
    Share,
    board_effect,
    bradley_terry,
    left_share,
    moves,
    seat_advantage,
    share,
)
from leaderboard.integrity import Flip, votes_to_flip

KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a group of votes does to the order by Bradley-Terry.

    `counts` says whether they count now; `moved` compares the board to one without them, or with them if they do not.
    """

    name: str
    votes: int
    counts: bool
    moved: tuple[Move, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedShare:
    """How often the faster side won at one pace of showing answers."""

    pace: str
    votes: int
    faster_won: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustReport:
    """Everything that the trust panel shows; shares are of one, None where nothing is known.

    `flip` says how few counted votes hold the first place.
    """

    version: int
    votes: int
    left_out: Mapping[str, int]
    voters: int
    busiest_share: float
    timed: int
    median_decide_ms: int | None
    snap_votes: int
    left: Share
    advantage: SeatAdvantage
    aa_decisive: Share
    aa_left: Share
    speeds: tuple[SpeedShare, ...]
    attempts: tuple[Attempts, ...]
    without_vote: int
    effects: tuple[Effect, ...]
    flip: Flip | None
    alarms: tuple[Alarm, ...]
    guards: Mapping[str, int]


class TrustReports:
    """Makes the report when it is asked for and keeps it for half a minute; safe to call from many threads."""

    def __init__(self, read: Queries) -> None:
        self._read = read
        self._lock = Lock()
        self._kept: TrustReport | None = None
        self._made_at = 0.0

    def report(self) -> TrustReport:
        """The report of now, or of less than half a minute ago."""
        with self._lock:
            if self._kept is None or monotonic() - self._made_at > KEPT_SECONDS:
                self._kept = self._make()
                self._made_at = monotonic()
            return self._kept

    def _make(self) -> TrustReport:
        version = self._read.board_version()
        figures = self._read.trust_figures(now=datetime.now(UTC))
        decisive = figures.aa[Verdict.A] + figures.aa[Verdict.B]
        advantage = seat_advantage(figures.seats)
        return TrustReport(
            version=version,
            votes=sum(tally.n for tally in figures.seats),
            left_out={reason: sum(t.n for t in tallies) for reason, tallies in figures.left_out_votes.items()}
            | ({"aa": sum(figures.aa.values())} if any(figures.aa.values()) else {}),
            voters=figures.voters,
            busiest_share=figures.busiest_share,
            timed=figures.timed,
            median_decide_ms=figures.median_decide_ms,
            snap_votes=sum(tally.n for tally in figures.snap_votes),
            left=left_share(figures.seats),
            advantage=advantage,
            aa_decisive=share(decisive, sum(figures.aa.values())),
            aa_left=share(figures.aa[Verdict.A], decisive),
            speeds=tuple(
                SpeedShare(pace=each.pace.value, votes=each.votes, faster_won=share(each.faster_won, each.timed))
                for each in figures.paces
            ),
            attempts=figures.attempts,
            without_vote=figures.without_vote,
            effects=_effects(figures, advantage),
            flip=_flip(figures.seats),
            alarms=self._read.alarms(),
            guards=self._read.guard_counts(),
        )


def _effects(figures: TrustFigures, advantage: SeatAdvantage) -> tuple[Effect, ...]:
    seats = figures.seats
    found = [
        _effect(name, board_effect(seats, added=tallies), counts=False)
        for name, tallies in figures.left_out_votes.items()
    ]
    for name, tallies in (("snap votes", figures.snap_votes), ("busiest voter", figures.busiest_votes)):
        if tallies:
            found.append(_effect(name, board_effect(seats, removed=tallies), counts=True))
    if figures.failed_loses:
        found.append(_effect("a failed answer loses", board_effect(seats, added=figures.failed_loses), counts=False))
    if advantage.points is not None:
        moved = moves(bradley_terry(seats), advantage.ratings)
        found.append(Effect(name="left seat", votes=advantage.votes, counts=True, moved=moved))
    return tuple(found)


def _effect(name: str, effect: BoardEffect, *, counts: bool) -> Effect:
    return Effect(name=name, votes=effect.votes, counts=counts, moved=effect.moved)


def _flip(tallies: Iterable[Tally]) -> Flip | None:
    tallies = [tally for tally in tallies if tally.model_a != tally.model_b]
    names = sorted({name for tally in tallies for name in (tally.model_a, tally.model_b)})
    return votes_to_flip(PairCounts.from_tallies(names, tallies)) if names else None
