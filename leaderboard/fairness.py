"""Was the vote fair? Shares with intervals, the advantage of a seat, and what it all does to the order."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from leaderboard.games import PairCounts, Tally
from leaderboard.method import Evidence
from leaderboard.pair_maths import Matrix, Slope, climb, dispersion, laplacian, spread_of, virtual_votes
from leaderboard.ratings import rate_bradley_terry
from leaderboard.verdicts import Verdict, score_a

_Cell = tuple[str, str, Verdict]


class Share(NamedTuple):
    """A share of `trials` with its interval; all three are None when there was no trial."""

    trials: int
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None


class Move(NamedTuple):
    """A model whose place changes; places from 1."""

    model: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatAdvantage:
    """What the left seat was worth in points, and the ratings (mean `start`) once that is taken out.

    None of it is known without a decisive vote between two models.
    """

    votes: int
    points: float | None
    lower: float | None
    upper: float | None
    ratings: Mapping[str, float]


def share(successes: float, trials: int, *, level: float = 0.95) -> Share:
    """The share of successes with Wilson's score interval.

    Args:
        successes: 0 to `trials`; half ones are allowed, as a tie is half a win.
        trials: how many there were; 0 gives a share that is not known.
        level: confidence, between 0 and 1.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927), 209-212, doi:10.1080/01621459.1927.10502953. It never
    leaves 0 to 1 and has a width at 0 of n, too.
    """
    if trials == 0:
        return Share(0)
    z = NormalDist().inv_cdf((1 + level) / 2)
    observed = successes / trials
    middle = (observed + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(observed * (1 - observed) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return Share(trials, observed, max(0.0, middle - half), min(1.0, middle + half))


def left_share(tallies: Iterable[Tally], *, level: float = 0.95) -> Share:
    """How often the left answer won, among the votes that found a winner."""
    wins = {Verdict.A: 0, Verdict.B: 0}
    for tally in tallies:
        if tally.verdict in wins:
            wins[tally.verdict] += tally.n
    return share(wins[Verdict.A], sum(wins.values()), level=level)


def seat_advantage(
    tallies: Sequence[Tally], *, start: float = 1000.0, scale: float = 400.0, prior: float = 1.0, level: float = 0.95
) -> SeatAdvantage:
    """Bradley-Terry with one strength more, that of the left seat.

    P(A preferred) = 1 / (1 + 10 ** ((R_B - R_A - g) / scale)), a tie counting half for each side; the weak prior is
    the one of `rate_bradley_terry`, and the left seat begins with two virtual draws of its own. The interval is scaled
    by the dispersion. Source: A. Agresti, Categorical Data Analysis, 2nd ed. 2002, section 10.6.3 (order effects in
    paired comparisons).
    """
    counted = [tally for tally in tallies if tally.model_a != tally.model_b and tally.n > 0]
    names = sorted({name for tally in counted for name in (tally.model_a, tally.model_b)})
    if not any(tally.verdict in {Verdict.A, Verdict.B} for tally in counted):
        return SeatAdvantage(votes=0, points=None, lower=None, upper=None, ratings=dict.fromkeys(names, start))
    wins_a, games = _seated(counted, names)
    at = climb(
        lambda point: _slope(point, wins_a, games, prior=prior), start=np.zeros(len(names) + 1), pinned=len(names)
    ).strengths
    points = scale / math.log(10.0)
    spread = spread_of(_slope(at, wins_a, games, prior=prior).information, pinned=len(names))
    scatter = dispersion(*_scatter(at, games, counted, names)).phi
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(scatter * spread[-1, -1]) * points
    advantage = float(at[-1]) * points
    strengths = at[:-1] - at[:-1].mean()
    return SeatAdvantage(
        votes=int(games.sum()),
        points=advantage,
        lower=advantage - half,
        upper=advantage + half,
        ratings={name: start + float(strength) * points for name, strength in zip(names, strengths, strict=True)},
    )


def moves(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[Move, ...]:
    """Which models of both boards change places, the best first; models of only one board are not compared."""
    both = before.keys() & after.keys()
    places_before, places_after = (_places(ratings, both) for ratings in (before, after))
    return tuple(
        Move(model, places_before[model], places_after[model])
        for model in sorted(both, key=lambda name: places_before[name])
        if places_before[model] != places_after[model]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEffect:
    """What some votes do to a board by Bradley-Terry: how many they are, and which models change places for them."""

    votes: int
    moved: tuple[Move, ...]


def bradley_terry(tallies: Iterable[Tally]) -> Mapping[str, float]:
    """The ratings of all models with a vote on another model; a model that meets itself counts for nothing."""
    counted = [tally for tally in tallies if tally.model_a != tally.model_b and tally.n > 0]
    names = sorted({name for tally in counted for name in (tally.model_a, tally.model_b)})
    return rate_bradley_terry(Evidence(counts=PairCounts.from_tallies(names, counted))).ratings


def board_effect(
    tallies: Iterable[Tally], *, added: Iterable[Tally] = (), removed: Iterable[Tally] = ()
) -> BoardEffect:
    """Compare the board of `tallies` to the one with votes `added`, and others, which are among them, `removed`.

    What is left is rated as if the others had never been.
    """
    before, more, less = (_sums(each) for each in (tallies, added, removed))
    after = before + more  # a sum, so that what is removed and added at once stays
    after.subtract(less)
    moved = moves(bradley_terry(_tallies(before)), bradley_terry(_tallies(after)))
    return BoardEffect(votes=more.total() + less.total(), moved=moved)


def _sums(tallies: Iterable[Tally]) -> Counter[_Cell]:
    sums: Counter[_Cell] = Counter()
    for tally in tallies:
        sums[tally[:3]] += tally.n
    return sums


def _tallies(sums: Counter[_Cell]) -> list[Tally]:
    return [Tally(*cell, n) for cell, n in sorted(sums.items())]


def _seated(tallies: Sequence[Tally], names: Sequence[str]) -> tuple[Matrix, Matrix]:
    """float64[M, M] twice: points of the left model (rows) against the right one, and how many games that were."""
    index = {name: i for i, name in enumerate(names)}
    wins_a, games = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    for tally in tallies:
        seats = index[tally.model_a], index[tally.model_b]
        wins_a[seats] += tally.n * score_a(tally.verdict)
        games[seats] += tally.n
    return wins_a, games


def _slope(at: Matrix, wins_a: Matrix, games: Matrix, *, prior: float) -> Slope:
    """Gradient and information at M strengths and the advantage of the left seat."""
    strengths, advantage = at[:-1], at[-1]
    gaps = strengths[:, None] - strengths[None, :]
    expected = _chance(gaps + advantage)
    pulls = wins_a - games * expected
    weights = games * expected * (1 - expected)
    virtual, even = virtual_votes(len(strengths), prior), _chance(gaps)
    pulls_even, weights_even = virtual * (0.5 - even), virtual * even * (1 - even)
    own = _chance(advantage)
    information = np.empty((len(at), len(at)))
    information[:-1, :-1] = laplacian(weights + weights.T + weights_even)
    information[:-1, -1] = information[-1, :-1] = weights.sum(axis=1) - weights.sum(axis=0)
    information[-1, -1] = weights.sum() + 2 * own * (1 - own)
    gradient = np.append(pulls.sum(axis=1) - pulls.sum(axis=0) + pulls_even.sum(axis=1), pulls.sum() + 2 * (0.5 - own))
    return Slope(gradient=gradient, information=information)


def _scatter(at: Matrix, games: Matrix, tallies: Sequence[Tally], names: Sequence[str]) -> tuple[float, float]:
    """Sum of (y - p) ** 2 and of p (1 - p) over all votes."""
    strengths = at[:-1]
    expected = _chance(strengths[:, None] - strengths[None, :] + at[-1])
    index = {name: i for i, name in enumerate(names)}
    squares = sum(
        tally.n * (score_a(tally.verdict) - expected[index[tally.model_a], index[tally.model_b]]) ** 2
        for tally in tallies
    )
    return float(squares), float((games * expected * (1 - expected)).sum())


def _chance(gap: Matrix) -> Matrix:
    chance: Matrix = 1.0 / (1.0 + np.exp(-np.clip(gap, -700.0, 700.0)))
    return chance


def _places(ratings: Mapping[str, float], models: Iterable[str]) -> dict[str, int]:
    ordered = sorted(models, key=lambda name: (-ratings[name], name))
    return {name: place for place, name in enumerate(ordered, start=1)}
