"""Ratings with their uncertainty, and the difference between two of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# With less, a model that has won millions of votes without a loss is further off than arithmetic reaches.
LEAST_PRIOR = 0.01


class Anchor(NamedTuple):
    """A model that is put at a known score; all others keep their distance to it."""

    model: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How many points A stands above B (negative: below), with an interval of confidence `level`.

    `standard_error` is C_ii + C_jj - 2 C_ij under a root, with the covariance C of the ratings: two models whose own
    intervals overlap may still differ clearly, because errors that they share cancel.
    """

    points: float
    lower: float
    upper: float
    standard_error: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """Ratings of M models in points, with an interval each; arrays that cannot be written to.

    Intervals are about the distance to the mean of all models, also where an anchor moves the whole board: the
    anchor's own interval is then as wide as before, and no rank depends on who the anchor is.

    Args:
        names: the models, indices of the arrays.
        points: float64[M].
        covariance: float64[M, M] in points squared; its rows sum to 0.
        lower: float64[M], lower ends of the intervals.
        upper: float64[M], upper ends.
        level: confidence of the intervals, between 0 and 1.
    """

    names: tuple[str, ...]
    points: NDArray[np.float64]
    covariance: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    level: float

    def __post_init__(self) -> None:
        for array in (self.points, self.covariance, self.lower, self.upper):
            array.setflags(write=False)

    @property
    def ratings(self) -> Mapping[str, float]:
        """The points by model."""
        return MappingProxyType(dict(zip(self.names, self.points.tolist(), strict=True)))

    @property
    def standard_errors(self) -> NDArray[np.float64]:
        """float64[M], in points."""
        errors: NDArray[np.float64] = np.sqrt(self.covariance.diagonal())
        return errors

    def index(self, model: str) -> int:
        """Where the model stands in the arrays; ValueError for a name that is not here."""
        if model not in self.names:
            raise ValueError(f"no model is named {model!r} in this estimate")
        return self.names.index(model)

    def difference(self, model_a: str, model_b: str, *, level: float | None = None) -> Difference:
        """A's rating minus B's; `level` defaults to the estimate's own. ValueError for a name that is not here."""
        i, j = self.index(model_a), self.index(model_b)
        level = self.level if level is None else level
        points = float(self.points[i] - self.points[j])
        variance = self.covariance[i, i] + self.covariance[j, j] - 2.0 * self.covariance[i, j]
        error = math.sqrt(max(0.0, variance))
        reach = normal_reach(level) * error
        return Difference(points=points, lower=points - reach, upper=points + reach, standard_error=error, level=level)


def refuse_settings(*, start: float, scale: float, prior: float, level: float) -> None:
    """Check what the settings of several methods have in common.

    Raises:
        ValueError: start or scale is no finite number, scale is not above 0, the prior is neither 0 nor `LEAST_PRIOR`
            or more, or the level is not between 0 and 1.
    """
    normal_reach(level)
    if not (math.isfinite(start) and 0.0 < scale < math.inf):
        raise ValueError(f"start must be finite and scale finite and above 0: {start=} {scale=}")
    if not (prior == 0.0 or LEAST_PRIOR <= prior < math.inf):
        raise ValueError(f"the prior must be 0, or {LEAST_PRIOR} or more: {prior}")


def normal_reach(level: float) -> float:
    """Standard errors on each side of a normal estimate that cover `level`: 1.96 for 0.95.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a confidence level lies between 0 and 1: {level}")
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


def anchored(names: tuple[str, ...], points: NDArray[np.float64], anchor: Anchor | None) -> NDArray[np.float64]:
    """The same points, moved together so that the anchor has its score.

    Raises:
        ValueError: the anchor is not among the names.
    """
    if anchor is None:
        return points
    if anchor.model not in names:
        raise ValueError(f"the anchor {anchor.model!r} is not on this board; name one of its models")
    moved: NDArray[np.float64] = points + (anchor.score - points[names.index(anchor.model)])
    return moved


def symmetric_estimate(
    names: tuple[str, ...], points: NDArray[np.float64], covariance: NDArray[np.float64], *, level: float
) -> Estimate:
    """An estimate with normal intervals, as far up as down."""
    reach = normal_reach(level) * np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    return Estimate(
        names=names, points=points, covariance=covariance, lower=points - reach, upper=points + reach, level=level
    )
