"""The linear algebra that methods over pairs of models share.

Strengths are natural logarithms of odds here: theta_i - theta_j = ln(odds that i is preferred to j). Only differences
of strengths can be seen in votes, so that every information matrix H is a graph's Laplacian: its rows sum to 0, and
adding s 11' pins the free constant without touching a difference (a ridge would).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaderboard.method import NoRating

Matrix = NDArray[np.float64]

# Newton's error is squared by each step: after a step of 1e-6 what is left is far below 1e-9 points.
_SMALL_STEP = 1e-6
_PLAIN_STEPS = 15
_MOST_STEPS = 1000
# No board in its senses asks for odds of e ** 40 in one step.
_TOO_FAR = 40.0
_ROUNDING = 1e-3

# e ** 700 is a finite number, and its inverse is one above 0.
_LARGEST_GAP = 700.0

# Votes that the dispersion is estimated from beside the real ones; see `dispersion`.
_DISPERSION_PRIOR = 5.0 / 4.0


class Fit(NamedTuple):
    """The strengths where the likelihood is highest, and how many Newton steps it took."""

    strengths: Matrix
    iterations: int


class Slope(NamedTuple):
    """The log-likelihood's gradient and its information matrix (minus the second derivatives)."""

    gradient: Matrix
    information: Matrix


class Dispersion(NamedTuple):
    """`phi` = `observed` + `added`: the part that the votes show, and the part that the prior adds."""

    observed: float
    added: float

    @property
    def phi(self) -> float:
        """How far votes scatter about their expectation, against coin flips with the same odds."""
        return self.observed + self.added


def chances(strengths: Matrix) -> Matrix:
    """float64[M, M]: the chance that i is preferred to j; small ones are as exact as those near one half."""
    return 1.0 / (1.0 + np.exp(np.clip(strengths[None, :] - strengths[:, None], -_LARGEST_GAP, _LARGEST_GAP)))


def laplacian(weights: Matrix) -> Matrix:
    """diag(row sums) - weights, for symmetric weights with an empty diagonal."""
    result = -weights
    np.fill_diagonal(result, weights.sum(axis=1))
    return result


def virtual_votes(models: int, prior: float) -> Matrix:
    """float64[M, M], symmetric: `prior` virtual votes for each model, spread evenly over all others.

    Every pair gets prior / (M - 1) of them, so that the whole board gets prior M / 2. Spread like this they join every
    board, shift no rating level, and treat all models alike.
    """
    votes = np.full((models, models), prior / max(1, models - 1))
    np.fill_diagonal(votes, 0.0)
    return votes


def pair_weights(battles: NDArray[np.int64], *, at_least: int) -> Matrix:
    """float64[M, M]: the weight of one vote of each pair, 1 / max(battles of the pair, at_least), 1 on average.

    LMArena's re-weighting (arena-rank, utils/data_utils.py, `reweighted`); the average over all votes is kept at 1 so
    that a prior counts as much as without weights.
    """
    weights = 1.0 / np.maximum(battles, at_least)
    total = battles.sum()
    return weights * (total / (weights * battles).sum()) if total else weights


def climb(slope: Callable[[Matrix], Slope], *, start: Matrix, pinned: int) -> Fit:
    """Newton's method to convergence, for a concave log-likelihood made of logistic terms.

    Args:
        slope: gradient and information at a point of length n.
        start: float64[n], where to begin.
        pinned: the first so many parameters are strengths, of which only differences show in the votes.

    Plain steps converge in about six from anywhere near; where they do not, it starts again from 0 with steps
    shortened to log(1 + r) / r with r the largest change of any pair, which always climb (F. Bach, Self-concordant
    analysis for logistic regression, EJS 4 (2010), section 2, doi:10.1214/09-EJS521).

    Raises:
        NoRating: there is no finite maximum within reach.
    """
    at = start
    for iteration in range(1, _PLAIN_STEPS + 1):
        step, reach = _step(slope, at, pinned=pinned)
        if not reach < _TOO_FAR:
            break
        at = at + step
        if reach <= _SMALL_STEP:
            return Fit(strengths=at, iterations=iteration)
    return _climb_slowly(slope, np.zeros_like(start), pinned=pinned)


def spread_of(information: Matrix, *, pinned: int) -> Matrix:
    """The inverse of an information matrix whose first `pinned` rows and columns have a free constant.

    For strengths alone it is the pseudo-inverse: the covariance of their distances to their mean.
    """
    if not pinned:
        return np.asarray(np.linalg.inv(information), dtype=np.float64)
    pin = _pin(information, pinned)
    inverse = np.linalg.inv(_with_pin(information, pin, pinned))
    # (H + s 11')^-1 = H^+ + 11' / (s M^2)
    inverse[:pinned, :pinned] -= 1.0 / (pin * pinned**2)
    return 0.5 * (inverse + inverse.T)


def dispersion(squares: float, expected: float) -> Dispersion:
    """Split phi = (sum of (y - p)^2 + 5/4) / (sum of p (1 - p) + 5/4) into the parts of its numerator.

    Ties are half-points, which scatter less than coin flips do: with 27 % ties plain Fisher intervals are a fifth too
    wide (P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd ed. 1989, section 9.2.4). The 5/4, as if five
    coin flips at even odds had been seen, keeps 20 ties in a row from giving intervals of no width.
    """
    total = expected + _DISPERSION_PRIOR
    return Dispersion(observed=squares / total, added=_DISPERSION_PRIOR / total)


def _climb_slowly(slope: Callable[[Matrix], Slope], at: Matrix, *, pinned: int) -> Fit:
    before = np.inf
    for iteration in range(_PLAIN_STEPS + 1, _MOST_STEPS):
        step, reach = _step(slope, at, pinned=pinned)
        # Near the top steps shrink, unless rounding is all that they are made of.
        if reach <= _SMALL_STEP or before <= reach < _ROUNDING:
            return Fit(strengths=at + step, iterations=iteration)
        if not reach < np.inf:
            break
        at, before = at + step * (np.log1p(reach) / reach), reach
    raise NoRating("These votes have no finite ratings within reach. Rate with a larger prior.")


def _step(slope: Callable[[Matrix], Slope], at: Matrix, *, pinned: int) -> tuple[Matrix, float]:
    """Newton's step, and the largest change of any pair that it can make; infinite where there is no such step."""
    gradient, information = slope(at)
    pin = _pin(information, pinned)
    try:
        step: Matrix = np.asarray(np.linalg.solve(_with_pin(information, pin, pinned), gradient), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.zeros_like(at), np.inf
    return step, 2.0 * float(np.abs(step).max(initial=0.0))


def _pin(information: Matrix, pinned: int) -> float:
    # As large as the rest, so that the sum is as well conditioned as the differences are.
    trace = float(np.trace(information[:pinned, :pinned]))
    return trace / max(1, pinned) ** 2 or 1.0


def _with_pin(information: Matrix, pin: float, pinned: int) -> Matrix:
    result = information.copy()
    result[:pinned, :pinned] += pin
    return result
