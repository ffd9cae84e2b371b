"""Votes on one model far more often than it was shown: what abstaining everywhere else looks like.

The server draws the pairs, so that a model takes part in a known share of each day's battles. Whoever votes only where
it does shows in the shares of his votes, however he votes, and after ten votes already. The probability of a share is
bounded as in `binomial_surprise`.
"""

from dataclasses import dataclass

import numpy as np

from leaderboard.integrity.ballots import Ballots
from leaderboard.integrity.tails import binomial_surprise, false_shares
from leaderboard.integrity.votes import Floats, Indices, VoteTable, summed

# With about so many battles a day's own shares count as much as those of all days.
_BATTLES_OF_A_DAY = 50.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Concentrations:
    """The model on which each of V voters concentrates most.

    Args:
        model: int64[V].
        voted: float64[V], the share of his votes in which it took part.
        shown: float64[V], the share of battles in which it did, on the days of his votes.
        false_share: float64[V], the share of wrong findings among all that are as clear; 1 with too few votes.
    """

    model: Indices
    voted: Floats
    shown: Floats
    false_share: Floats


def find_concentrations(ballots: Ballots, votes: VoteTable, *, least_votes: int, margin: float) -> Concentrations:
    """Test every voter with so many votes.

    Args:
        ballots: all battles, those without a vote as well; they say what was shown.
        votes: the votes to test.
        least_votes: fewer votes are no test.
        margin: a voter may meet a model so many times as often as others do, for reasons that are not his.
    """
    voter, model = votes.cells
    cast = votes.by_voter(votes.ones)
    voted = votes.by_cell(votes.ones, votes.ones) / cast[voter]
    shown = _shown(ballots, votes) / cast[voter]
    surprise = binomial_surprise(voted, np.minimum(1.0, margin * shown), cast[voter])
    order = np.argsort(surprise, kind="stable")  # each voter's clearest cell is written last, and stays
    result = Concentrations(
        model=np.zeros(votes.voters, np.int64),
        voted=np.zeros(votes.voters),
        shown=np.zeros(votes.voters),
        false_share=np.ones(votes.voters),
    )
    result.model[voter[order]] = model[order]
    result.voted[voter[order]] = voted[order]
    result.shown[voter[order]] = shown[order]
    result.false_share[voter[order]] = np.minimum(1.0, votes.models * np.exp(-surprise[order]))
    tested = cast >= least_votes
    result.false_share[tested] = false_shares(result.false_share[tested])
    result.false_share[~tested] = 1.0
    return result


def _shown(ballots: Ballots, votes: VoteTable) -> Floats:
    """float64[c]: in how many of the voter's battles each cell's model was to be expected."""
    days, day = np.unique(ballots.day, return_inverse=True)
    shares = _shares_by_day(ballots, day, days=days.size)
    result = np.zeros(votes.cells.voter.size)
    for model in range(votes.models):
        here = votes.cells.model == model
        result[here] = votes.by_voter(shares[day[votes.row], model])[votes.cells.voter[here]]
    return result


def _shares_by_day(ballots: Ballots, day: Indices, *, days: int) -> Floats:
    """float64[days, M]: the share of battles in which each model took part."""
    m = len(ballots.names)
    seats = np.concatenate([day * m + ballots.seat_a, day * m + ballots.seat_b])
    shown = summed(seats, np.ones(seats.size), days * m).reshape(days, m)
    battles = summed(day, np.ones(day.size), days)
    overall = shown.sum(axis=0) / max(1, len(ballots))
    shares: Floats = (shown + _BATTLES_OF_A_DAY * overall) / (battles[:, None] + _BATTLES_OF_A_DAY)
    return shares
