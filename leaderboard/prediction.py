"""How likely one model's answer is preferred to another's."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from leaderboard.games import HeadToHead
from leaderboard.ratings.elo import expected_score


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
