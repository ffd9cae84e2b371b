"""Two tests that others have published, for comparison; the sweep does not use them.

Both ask whether a voter's verdicts on each pair are unusual, with the pair's models in a fixed but arbitrary order.
Whoever pushes one model makes it win where it comes first and its opponents lose where it comes second: one half looks
like too many wins, the other like too few, and the sum like nothing.
"""

import math
from collections.abc import Iterator

import numpy as np

from leaderboard.integrity.ballots import Ballots
from leaderboard.integrity.tails import chi_squared_tail
from leaderboard.integrity.votes import Floats, Indices, Mask, VoteTable

_LOOKS = 5
_MOST_VOTES = 100
_LEAST_VOTES = 5
_TIE = 0.5


def paper_test(ballots: Ballots, *, voters: int, alpha: float, seed: int = 0) -> Mask:
    """Chatbot Arena's test (arXiv 2403.04132, section 5.1), bool[voters]: who is flagged.

    Each vote h' gets p = (1 + number of votes h >= h' on its pair) / (votes on its pair + 1); after j votes a voter is
    flagged when -2 sum log p reaches the chi-squared quantile of 2 j degrees of freedom at 1 - alpha / 5. It is looked
    at for five random j up to 100; here up to the voter's own number of votes, which is in the test's favour.
    """
    votes = VoteTable.of(ballots, voters=np.ones(voters, np.bool_))
    score, pair = _oriented(votes)
    evidence = -2.0 * np.log(_share_at_least(score, pair))
    rng = np.random.default_rng(seed)
    flagged = np.zeros(voters, np.bool_)
    for voter, own in _own_votes(votes):
        sums = np.cumsum(evidence[own])
        looks = rng.integers(1, min(_MOST_VOTES, own.size), size=_LOOKS, endpoint=True)
        tails = [chi_squared_tail(float(sums[j - 1]), half_degrees=j) for j in looks.tolist()]
        flagged[voter] = min(tails) <= alpha / _LOOKS
    return flagged


def fastchat_test(ballots: Ballots, *, voters: int, alpha: float = 0.05) -> Mask:
    """FastChat's test (fastchat/serve/monitor/elo_analysis.py, `outlier_detect`), bool[voters]: who is flagged.

    For each of the first 100 votes of whoever cast five or more: p_upper and p_lower are the shares of the pair's wins
    and losses (ties apart) that are at most, and at least, the vote's score. A voter is flagged as soon as the product
    of 1 / (2 p) exceeds 1 / alpha for either. A pair without a win or loss leaves no p, and no finding afterwards.
    """
    votes = VoteTable.of(ballots, voters=np.ones(voters, np.bool_))
    score, pair = _oriented(votes)
    size = int(pair.max(initial=-1)) + 1
    wins = np.bincount(pair[score > _TIE], minlength=size)[pair]
    losses = np.bincount(pair[score < _TIE], minlength=size)[pair]
    with np.errstate(divide="ignore", invalid="ignore"):
        upper = np.where(score > _TIE, wins + losses, losses) / (wins + losses)
        lower = np.where(score < _TIE, wins + losses, wins) / (wins + losses)
        gains = np.stack([-np.log(2.0 * upper), -np.log(2.0 * lower)], axis=1)
    flagged = np.zeros(voters, np.bool_)
    for voter, own in _own_votes(votes):
        if own.size >= _LEAST_VOTES:
            flagged[voter] = (np.cumsum(gains[own[:_MOST_VOTES]], axis=0) > -math.log(alpha)).any()
    return flagged


def _oriented(votes: VoteTable) -> tuple[Floats, Indices]:
    """Each vote's score seen from the first model of its pair, and the number of the pair."""
    swapped = votes.seat_a > votes.seat_b
    first, second = np.minimum(votes.seat_a, votes.seat_b), np.maximum(votes.seat_a, votes.seat_b)
    _, pair = np.unique(first * max(1, votes.models) + second, return_inverse=True)
    return np.where(swapped, 1.0 - votes.score, votes.score), pair


def _share_at_least(score: Floats, pair: Indices) -> Floats:
    """float64[k]: (1 + votes on the pair that score at least as much) / (1 + votes on the pair)."""
    levels, level = np.unique(score, return_inverse=True)
    counts = np.zeros((int(pair.max(initial=-1)) + 1, levels.size))
    np.add.at(counts, (pair, level), 1.0)
    at_least = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    share: Floats = (1.0 + at_least[pair, level]) / (1.0 + counts.sum(axis=1)[pair])
    return share


def _own_votes(votes: VoteTable) -> Iterator[tuple[int, Indices]]:
    """Each voter with his votes, in the order in which they were cast."""
    order = np.argsort(votes.voter, kind="stable")
    voters, begins = np.unique(votes.voter[order], return_index=True)
    yield from zip(voters.tolist(), np.split(order, begins[1:]), strict=False)  # without votes there is one empty part
