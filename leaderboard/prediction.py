"""How likely one model's answer is preferred to another's.

`predict` compares two bare ratings. `forecast` compares two models on a rated board: with an interval, the split into
win, tie and loss, the Elo figure beside it, or the reason why nobody can tell.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leaderboard.connectivity import apart, group_labels
from leaderboard.estimate import normal_reach
from leaderboard.games import HeadToHead, PairCounts
from leaderboard.pair_maths import Matrix
from leaderboard.ratings import BradleyTerryResult, DavidsonResult, Split, StyleControlResult, expected_score

HalfTie = BradleyTerryResult | StyleControlResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The chance that A is preferred to B, with what it was computed from.

    `record` holds their battles so far, None when two bare ratings were compared.
    """

    rating_a: float
    rating_b: float
    probability: float
    scale: float
    record: HeadToHead | None = None

    @property
    def difference(self) -> float:
        """Rating of A minus rating of B, in points."""
        return self.rating_a - self.rating_b


class Chance(NamedTuple):
    """A chance, 0 to 1, and the ends of its interval."""

    probability: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a rated board says about A against B.

    The chance's interval is the win formula at both ends of the difference's, whose variance is C_ii + C_jj - 2 C_ij.

    Args:
        model_a: the one model.
        model_b: the other one.
        method: which rating the chance is from, a key of `METHODS`.
        chance: that A is preferred, a tie counting as half a win for each, with an interval of confidence `level`;
            None when the two cannot be compared.
        reason: why they cannot, as a sentence; None when they can.
        level: confidence of the interval.
        difference: rating of A minus rating of B in points; None with `chance`.
        split: win, tie and loss of A by Davidson's model; None with `chance`, or when no such result was given.
        elo: the chance from two Elo ratings alone; None when one of them has none.
        record: their battles so far.
    """

    model_a: str
    model_b: str
    method: str
    chance: Chance | None
    reason: str | None
    level: float
    difference: float | None
    split: Split | None
    elo: float | None
    record: HeadToHead


class PairChance(NamedTuple):
    """One cell of the matrix of all pairs: the chance that the row's model A is preferred to the column's model B."""

    model_a: str
    model_b: str
    probability: float
    lower: float
    upper: float


class CurvePoint(NamedTuple):
    """The chance of winning with a rating that lies `difference` points above the opponent's."""

    difference: float
    probability: float


def win_probability(rating_a: float, rating_b: float, *, scale: float = 400.0) -> float:
    """The chance, 0 to 1, that A is preferred to B, a tie counting as half a win for each.

    Elo's expected score, 1 / (1 + 10 ** ((B - A) / scale)): 1287 against 1120 gives 0.723.

    Raises:
        ValueError: a rating is not finite, or the scale is not above 0.
    """
    if not (math.isfinite(rating_a) and math.isfinite(rating_b)):
        raise ValueError(f"a rating must be a finite number: {rating_a} against {rating_b}")
    if not 0.0 < scale < math.inf:
        raise ValueError(f"the scale must be a finite number above 0, not {scale}")
    return expected_score(rating_a, rating_b, scale=scale)


def predict(rating_a: float, rating_b: float, *, record: HeadToHead | None = None, scale: float = 400.0) -> Prediction:
    """Compare two ratings; `record` is carried along, it does not change the chance. Raises as `win_probability`."""
    return Prediction(
        rating_a=rating_a,
        rating_b=rating_b,
        probability=win_probability(rating_a, rating_b, scale=scale),
        scale=scale,
        record=record,
    )


def probability_curve(*, reach: float = 800.0, points: int = 161, scale: float = 400.0) -> tuple[CurvePoint, ...]:
    """The chance of winning over differences from -reach to +reach, evenly spaced; `points` is 2 or more.

    A pandas.DataFrame of it has the columns that `charts.probability_curve` wants.
    """
    steps = (reach * (2 * i / (points - 1) - 1) for i in range(points))
    return tuple(CurvePoint(step, win_probability(step, 0.0, scale=scale)) for step in steps)


def forecast(
    rated: HalfTie,
    model_a: str,
    model_b: str,
    *,
    counts: PairCounts,
    davidson: DavidsonResult | None = None,
    elo: Mapping[str, float] | None = None,
    elo_scale: float = 400.0,
) -> Forecast:
    """Compare two models on a rated board; a model is preferred to itself with the chance one half.

    Args:
        rated: the chosen rating; Davidson's strengths do not fit the formula and are not taken here.
        model_a: one of its models.
        model_b: another one.
        counts: all battles, for the record of the pair.
        davidson: the same votes rated by Davidson, for the split.
        elo: Elo ratings, as far as there are any.
        elo_scale: their points per factor 10 in odds.

    Raises:
        ValueError: a model is not on the board; the message names it.
    """
    reason = None if model_a == model_b else apart(rated.groups, model_a, model_b)
    gap = rated.estimate.difference(model_a, model_b)
    chances = (win_probability(at, 0.0, scale=rated.settings.scale) for at in (gap.points, gap.lower, gap.upper))
    return Forecast(
        model_a=model_a,
        model_b=model_b,
        method=rated.method,
        chance=None if reason else Chance(*chances),
        reason=reason,
        level=gap.level,
        difference=None if reason else gap.points,
        split=None if reason or davidson is None else davidson.split(model_a, model_b),
        elo=_elo_chance(elo or {}, model_a, model_b, scale=elo_scale),
        record=counts.record(model_a, model_b),
    )


def all_forecasts(rated: HalfTie, *, counts: PairCounts) -> tuple[PairChance, ...]:
    """The chance of every model against every other that it can be compared with, row by row.

    Args:
        rated: as in `forecast`.
        counts: the battles that it was rated from, with the same models in the same order.

    Raises:
        ValueError: the counts are of other models.
    """
    estimate = rated.estimate
    if counts.names != estimate.names:
        raise ValueError("these counts are of other models than the rating; hand in what was rated")
    label = group_labels(counts.pair_battles > 0)
    rows, columns = np.nonzero((label[:, None] == label[None, :]) & ~np.eye(label.size, dtype=np.bool_))
    variances = estimate.covariance.diagonal()
    errors = np.sqrt(np.maximum(0.0, variances[rows] + variances[columns] - 2.0 * estimate.covariance[rows, columns]))
    gaps = estimate.points[rows] - estimate.points[columns]
    reach = normal_reach(estimate.level) * errors
    chances = (_chances(ends, scale=rated.settings.scale).tolist() for ends in (gaps, gaps - reach, gaps + reach))
    names = estimate.names
    return tuple(
        PairChance(names[i], names[j], *ends)
        for i, j, *ends in zip(rows.tolist(), columns.tolist(), *chances, strict=True)
    )


def _elo_chance(elo: Mapping[str, float], model_a: str, model_b: str, *, scale: float) -> float | None:
    if model_a not in elo or model_b not in elo:
        return None
    return win_probability(elo[model_a], elo[model_b], scale=scale)


def _chances(gaps: Matrix, *, scale: float) -> Matrix:
    return 0.5 + 0.5 * np.tanh(gaps * (0.5 * math.log(10.0) / scale))
