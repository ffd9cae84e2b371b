"""Scores over time: what the board showed at the end of each day, from counts that grow from day to day."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple, cast

import numpy as np

from leaderboard.estimate import Estimate
from leaderboard.games import PairCounts
from leaderboard.method import Evidence, Rated
from leaderboard.ratings import METHODS, rate_bradley_terry


class DayCounts(NamedTuple):
    """All battles up to the end of a day."""

    day: date
    counts: PairCounts


class DayScore(NamedTuple):
    """A model's score at the end of a day, with its interval."""

    model: str
    day: date
    score: float
    lower: float
    upper: float


def scores_over_time(days: Iterable[DayCounts], *, method: str = "bradley_terry") -> tuple[DayScore, ...]:
    """Rate each day's counts: day by day, then by model, those with a battle by then.

    Each day's ratings begin where those of the day before ended, which changes the time it takes and not the result.

    Args:
        days: in the order of time.
        method: one that `has_history`.

    Raises:
        ValueError: the method has no history.
        NoRating: as the method.
    """
    if not has_history(method):
        raise ValueError(f"{method!r} has no history: choose a method with intervals that needs only counts")
    return tuple(_scores(days, method))


def has_history(method: str) -> bool:
    """Whether the method rates from counts alone and tells an interval, so that any day of the past can be rated."""
    return METHODS[method].has_interval and not METHODS[method].needs_order


def _scores(days: Iterable[DayCounts], method: str) -> Iterator[DayScore]:
    before: Mapping[str, float] | None = None
    for day, counts in days:
        rated = _rate(method, Evidence(counts=_with_battles(counts)), warm=before)
        before = rated.ratings
        estimate = cast("Estimate", rated.estimate)  # as `has_history` says
        columns = (estimate.points.tolist(), estimate.lower.tolist(), estimate.upper.tolist())
        rows = zip(estimate.names, *columns, strict=True)
        yield from (DayScore(name, day, *numbers) for name, *numbers in rows)


def _rate(method: str, evidence: Evidence, *, warm: Mapping[str, float] | None) -> Rated:
    rate = METHODS[method].rate
    return rate_bradley_terry(evidence, warm=warm) if rate is rate_bradley_terry else rate(evidence)


def _with_battles(counts: PairCounts) -> PairCounts:
    """Without the models that have no battle yet: rated among the others they would widen everybody's interval."""
    there = np.flatnonzero(counts.pair_battles.sum(axis=1))
    if there.size == len(counts.names):
        return counts
    wins, ties, both_bad = (each[there][:, there] for each in (counts.wins, counts.ties, counts.both_bad))
    return PairCounts(names=tuple(counts.names[i] for i in there), wins=wins, ties=ties, both_bad=both_bad)
