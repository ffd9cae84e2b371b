"""The board that votes are measured against: Bradley-Terry from the reference voters, none of whom weighs much.

A voter's votes on one model weigh as much as `cap` votes at most. One account that votes for its model a hundred times
then moves the reference no further than others do; otherwise honest voters would look odd beside a board that a few
accounts have made. The covariance is the sandwich with all votes of a person as one observation (K.-Y. Liang, S. L.
Zeger, Biometrika 73 (1986), 13-22, doi:10.1093/biomet/73.1.13), which personal taste makes wider. Leaving a voter out
is one Newton step away (D. Pregibon, Annals of Statistics 9 (1981), 705-724, doi:10.1214/aos/1176345513).
"""

from dataclasses import dataclass

import numpy as np

from leaderboard.integrity.votes import Floats, Indices, Mask, VoteTable, chance_of, summed
from leaderboard.pair_maths import Slope, chances, climb, laplacian, spread_of, virtual_votes

_PRIOR = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """M models and V voters, in natural logarithms of odds.

    Args:
        strengths: float64[M].
        variances: float64[M, M], of the difference between each two strengths.
        pull: float64[V, M], how far each voter moved each strength; 0 for whoever is no reference voter.
    """

    strengths: Floats
    variances: Floats
    pull: Floats


def fit_reference(votes: VoteTable, *, members: Mask, cap: float) -> Reference:
    """Rate the models by the votes of `members`, bool[V]; without any, all are equal and nothing is known for sure."""
    m = votes.models
    if m < 2:  # noqa: PLR2004 - nobody to differ from
        return Reference(strengths=np.zeros(m), variances=np.zeros((m, m)), pull=np.zeros((votes.voters, m)))
    weight = _weights(votes, cap=cap) * members[votes.voter]
    scores = _matrix(votes.seat_a, votes.seat_b, weight * votes.score, m)
    scores += _matrix(votes.seat_b, votes.seat_a, weight * (1.0 - votes.score), m)
    scores += 0.5 * virtual_votes(m, _PRIOR)

    def slope(strengths: Floats) -> Slope:
        chance = chances(strengths)
        unexpected = scores * chance.T
        return Slope((unexpected - unexpected.T).sum(axis=1), laplacian((scores + scores.T) * (chance * chance.T)))

    strengths = climb(slope, start=np.zeros(m), pinned=m).strengths
    inverse = spread_of(slope(strengths).information, pinned=m)
    pushes = _pushes(votes, weight, strengths)
    chance = chances(strengths)
    # The prior's part keeps a model without votes as uncertain as it is.
    noise = pushes.T @ pushes + laplacian(virtual_votes(m, _PRIOR) * (chance * chance.T))
    covariance = inverse @ noise @ inverse
    own = covariance.diagonal()
    variances = np.maximum(own[:, None] + own[None, :] - 2.0 * covariance, 0.0)
    return Reference(strengths=strengths, variances=variances, pull=pushes @ inverse)


def _weights(votes: VoteTable, *, cap: float) -> Floats:
    """float64[k]: 1, or less where a voter cast more than `cap` votes on one of the two models."""
    in_cell = votes.by_cell(votes.ones, votes.ones)
    return np.minimum(1.0, cap / np.maximum(in_cell[votes.cell_a], in_cell[votes.cell_b]))


def _matrix(first: Indices, second: Indices, values: Floats, models: int) -> Floats:
    return summed(first * models + second, values, models * models).reshape(models, models)


def _pushes(votes: VoteTable, weight: Floats, strengths: Floats) -> Floats:
    """float64[V, M]: the gradient that each voter's votes have at these strengths."""
    m, size = votes.models, votes.voters * votes.models
    push = weight * (votes.score - chance_of(strengths[votes.seat_a] - strengths[votes.seat_b]))
    sums = summed(votes.voter * m + votes.seat_a, push, size) - summed(votes.voter * m + votes.seat_b, push, size)
    return sums.reshape(votes.voters, m)
