"""How few votes hold the first place: so many dropped, well chosen, and somebody else stands first.

Source: J. Y. Huang, Y. Shen, D. Wei, T. Broderick, Dropping Just a Handful of Preferences Can Change Top Large Language
Model Rankings (arXiv 2508.11847): the effect of dropping a vote is one Newton step, the votes with the largest effect
go first, and the board without them is fitted anew to make sure.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from leaderboard.games import PairCounts
from leaderboard.integrity.votes import Floats, Indices
from leaderboard.method import Evidence
from leaderboard.pair_maths import chances
from leaderboard.ratings import BradleyTerryResult, rate_bradley_terry


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """Without so many votes `rival` is level with or above `first`, who is first with them. Fewer may do."""

    votes: int
    first: str
    rival: str


def votes_to_flip(counts: PairCounts) -> Flip | None:
    """The fewest votes found whose loss costs the first model its place by Bradley-Terry; None for a model alone."""
    if len(counts.names) < 2:  # noqa: PLR2004 - nobody to overtake
        return None
    rated = rate_bradley_terry(Evidence(counts=counts))
    points = rated.estimate.points
    first = int(np.argmax(points))
    queues = {rival: _queue(counts, rated, first, rival) for rival in range(points.size) if rival != first}
    rival = min(queues, key=lambda model: queues[model].enough_for(points[first] - points[model]))
    queue = queues[rival]

    def is_level(votes: int) -> bool:
        left = rate_bradley_terry(Evidence(counts=_without(counts, queue.first(votes)))).estimate.points
        return bool(left[rival] >= left[first] - _LEVEL)

    votes = bisect_left(range(queue.votes), True, key=is_level)
    return Flip(votes=votes, first=counts.names[first], rival=counts.names[rival])


# Newton's method ends nearer to the top than that, in points.
_LEVEL = 1e-6


class _Queue(NamedTuple):
    """Sorts of votes that speak for the first model, in the order in which to drop them.

    `cell` is an index into two flat matrices, wins and then draws counted above the diagonal.
    """

    cell: Indices
    stock: Indices
    gain: Floats

    @property
    def votes(self) -> int:
        return int(self.stock.sum())

    def enough_for(self, gap: float) -> float:
        """How many votes should close a gap, by one Newton step; infinite when all do not."""
        worth = np.cumsum(self.gain * self.stock)
        last = int(np.searchsorted(worth, gap))
        if last == worth.size:
            return np.inf
        return float(self.stock[:last].sum() + (gap - worth[last]) / self.gain[last] + self.stock[last])

    def first(self, votes: int) -> "_Queue":
        """The first so many votes."""
        before = np.cumsum(self.stock) - self.stock
        return self._replace(stock=np.clip(votes - before, 0, self.stock))


def _queue(counts: PairCounts, rated: BradleyTerryResult, first: int, rival: int) -> _Queue:
    scale = rated.settings.points
    # covariance = scale^2 phi x inverse information; what is wanted is points per unit of gradient
    reach = (rated.estimate.covariance[first] - rated.estimate.covariance[rival]) / (scale * rated.phi)
    lean = reach[:, None] - reach[None, :]
    chance = chances(rated.estimate.points / scale)
    gain = np.stack([lean * (1.0 - chance), np.triu(lean * (0.5 - chance))]).ravel()
    stock = np.stack([counts.wins, np.triu(counts.ties + counts.both_bad)]).ravel()
    cell = np.flatnonzero((gain > 0.0) & (stock > 0))
    cell = cell[np.argsort(-gain[cell], kind="stable")]
    return _Queue(cell, stock[cell], gain[cell])


def _without(counts: PairCounts, dropped: _Queue) -> PairCounts:
    """Ties go before both-bad; to the ratings they are the same."""
    m = len(counts.names)
    flat = np.zeros(2 * m * m, np.int64)
    flat[dropped.cell] = dropped.stock
    wins, draws = flat.reshape(2, m, m)
    draws = draws + draws.T
    ties = np.minimum(draws, counts.ties)
    return replace(counts, wins=counts.wins - wins, ties=counts.ties - ties, both_bad=counts.both_bad - (draws - ties))
