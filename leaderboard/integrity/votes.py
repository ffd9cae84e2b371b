"""The votes of known voters by voter and model, so that sums are one pass each."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from leaderboard.games import VERDICTS
from leaderboard.integrity.ballots import UNKNOWN, Ballots
from leaderboard.verdicts import score_a

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

POINTS = 400.0 / math.log(10.0)
"""Rating points per unit of the natural logarithm of odds."""

_SCORES = np.array([score_a(verdict) for verdict in VERDICTS])
_FAR = 700.0


class Cells(NamedTuple):
    """All votes of one voter on one model are a cell; here are the cells that have votes."""

    voter: Indices
    model: Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VoteTable:
    """k votes, each between two cells; all votes of a voter on one pair of models are a *meeting* of two cells.

    Args:
        voters: how many voters there are, with or without votes here.
        models: how many models there are.
        row: int64[k], where each vote stands in the ballots.
        voter: int64[k], who cast it.
        seat_a: int64[k], the model on side A.
        seat_b: int64[k], the model on side B.
        score: float64[k], what side A scored.
        cells: the cells.
        cell_a: int64[k], each vote's cell of side A.
        cell_b: int64[k], each vote's cell of side B.
        meeting: int64[k], each vote's meeting.
        meeting_cells: int64[q, 2], the two cells of each meeting.
    """

    voters: int
    models: int
    row: Indices
    voter: Indices
    seat_a: Indices
    seat_b: Indices
    score: Floats
    cells: Cells
    cell_a: Indices
    cell_b: Indices
    meeting: Indices
    meeting_cells: Indices

    @classmethod
    def of(cls, ballots: Ballots, *, voters: Mask, without: Mask | None = None) -> Self:
        """The votes of the given voters, bool[V]; `without`, bool[n], names rows of the ballots to pass over."""
        known = ballots.voted & (ballots.voter != UNKNOWN)
        if without is not None:
            known &= ~without
        row = np.flatnonzero(known)
        row = row[voters[ballots.voter[row]]]
        voter, a, b = (column[row] for column in (ballots.voter, ballots.seat_a, ballots.seat_b))
        m = max(1, len(ballots.names))
        cells, place = np.unique(np.concatenate([voter * m + a, voter * m + b]), return_inverse=True)
        cell_a, cell_b = place[: row.size], place[row.size :]
        c = max(1, cells.size)
        pairs, meeting = np.unique(np.minimum(cell_a, cell_b) * c + np.maximum(cell_a, cell_b), return_inverse=True)
        return cls(
            voters=voters.size,
            models=len(ballots.names),
            row=row,
            voter=voter,
            seat_a=a,
            seat_b=b,
            score=_SCORES[ballots.verdicts[row]],
            cells=Cells(cells // m, cells % m),
            cell_a=cell_a,
            cell_b=cell_b,
            meeting=meeting,
            meeting_cells=np.stack([pairs // c, pairs % c], axis=1),
        )

    @property
    def ones(self) -> Floats:
        """float64[k]: one per vote, to count with."""
        return np.ones(self.row.size)

    def by_voter(self, values: Floats) -> Floats:
        """float64[V]: the sums of one value per vote."""
        return summed(self.voter, values, self.voters)

    def by_cell(self, of_a: Floats, of_b: Floats) -> Floats:
        """float64[c]: the sums of two values per vote, one for each side."""
        count = self.cells.voter.size
        return summed(self.cell_a, of_a, count) + summed(self.cell_b, of_b, count)

    def by_cell_of_meeting(self, values: Floats) -> Floats:
        """float64[c]: the sums of one value per meeting, which both of its cells get."""
        count = self.cells.voter.size
        first, second = self.meeting_cells.T
        return summed(first, values, count) + summed(second, values, count)


def summed(group: Indices, values: Floats, groups: int) -> Floats:
    """float64[groups]: the sum of the values of each group."""
    return np.bincount(group, values, minlength=groups).astype(np.float64, copy=False)


def chance_of(logit: Floats) -> Floats:
    """The probability that belongs to a logarithm of odds, safe from overflow."""
    return 1.0 / (1.0 + np.exp(np.clip(-logit, -_FAR, _FAR)))
