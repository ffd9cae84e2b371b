"""What leaving votes out does to the board."""

from dataclasses import dataclass

import numpy as np

from leaderboard.games import PairCounts
from leaderboard.integrity.ballots import Ballots
from leaderboard.integrity.votes import Mask
from leaderboard.method import Evidence
from leaderboard.ratings import rate_bradley_terry


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEffect:
    """One model by Bradley-Terry, with all votes and without some; rank 1 is the highest rating."""

    model: str
    rating_with: float
    rating_without: float
    rank_with: int
    rank_without: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEffect:
    """Every model, in the order of the ballots' names; `votes` is how many were left out."""

    votes: int
    models: tuple[ModelEffect, ...]

    @property
    def moved(self) -> tuple[ModelEffect, ...]:
        """The models whose rank changes, the largest change first."""
        moved = (each for each in self.models if each.rank_with != each.rank_without)
        return tuple(sorted(moved, key=lambda each: -abs(each.rank_with - each.rank_without)))

    @property
    def largest_change(self) -> float:
        """In points; 0 without models."""
        return max((abs(each.rating_with - each.rating_without) for each in self.models), default=0.0)


def board_effect(ballots: Ballots, left_out: Mask, *, within: Mask | None = None) -> BoardEffect:
    """Rate with and without the votes among `left_out`, bool[n].

    Args:
        ballots: all battles.
        left_out: the votes to do without, those held back or those of one reason, say.
        within: bool[n], what the board is made of otherwise; by default all votes.
    """
    within = ballots.voted if within is None else within & ballots.voted
    before = _points(ballots, within | left_out)
    after = _points(ballots, within & ~left_out)
    ranks = [1 + (points[None, :] > points[:, None]).sum(axis=1) for points in (before, after)]
    columns = (column.tolist() for column in (before, after, *ranks))
    return BoardEffect(
        votes=int(np.count_nonzero(left_out & ballots.voted)),
        models=tuple(
            ModelEffect(model=model, rating_with=a, rating_without=b, rank_with=c, rank_without=d)
            for model, a, b, c, d in zip(ballots.names, *columns, strict=True)
        ),
    )


def _points(ballots: Ballots, rows: Mask) -> np.ndarray:
    return rate_bradley_terry(Evidence(counts=PairCounts.from_games(ballots.games(rows)))).estimate.points
