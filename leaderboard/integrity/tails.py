"""Tail probabilities without a statistics library, and the correction for many tests at once."""

import math

import numpy as np

from leaderboard.integrity.votes import Floats


def binomial_tail(successes: int, trials: int, chance: float) -> float:
    """P(at least so many successes in so many trials), for a chance strictly between 0 and 1."""
    log_odds = math.log(chance) - math.log1p(-chance)
    log_term = [_log_choose(trials, k) + k * log_odds for k in range(max(0, successes), trials + 1)]
    return min(1.0, math.fsum(math.exp(term + trials * math.log1p(-chance)) for term in log_term))


def chi_squared_tail(value: float, *, half_degrees: int) -> float:
    """P(X >= value) for chi-squared with 2 x half_degrees >= 2 degrees of freedom.

    It is the chance of fewer than half_degrees events of a Poisson process with the mean value / 2 (N. L. Johnson,
    S. Kotz, N. Balakrishnan, Continuous Univariate Distributions 1, 2nd ed. 1994, chapter 18).
    """
    if value <= 0.0:
        return 1.0
    if not math.isfinite(value):
        return 0.0
    mean = value / 2.0
    return min(1.0, math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(half_degrees)))


def binomial_surprise(share: Floats, chance: Floats, trials: Floats) -> Floats:
    """Chernoff's bound: P(a share as high as this) <= exp(-surprise); 0 where the share is not above the chance.

    It holds for chances that differ from trial to trial, too, with their mean (W. Hoeffding, JASA 58 (1963), 13-30,
    doi:10.1080/01621459.1963.10500830, theorem 1). All arrays alike, chances between 0 and 1, both included.
    """
    above = (share > chance) & (chance > 0.0)
    share, chance = np.where(above, share, 0.5), np.where(above, chance, 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(share < 1.0, (1.0 - share) * np.log((1.0 - share) / (1.0 - chance)), 0.0)
    return np.where(above, trials * (share * np.log(share / chance) + rest), 0.0)


def false_shares(p_values: Floats) -> Floats:
    """By test, the share of wrong findings to expect among all findings at least as clear (q-values), 0 to 1.

    Source: Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995), 289-300,
    doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    order = np.argsort(p_values, kind="stable")
    ratio = p_values[order] * p_values.size / np.arange(1, p_values.size + 1)
    result = np.empty_like(p_values)
    result[order] = np.minimum.accumulate(ratio[::-1])[::-1]
    return np.minimum(result, 1.0)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
