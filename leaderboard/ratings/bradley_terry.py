"""Bradley-Terry: the strengths under which the votes seen would be likeliest.

P(i preferred to j) = 1 / (1 + 10 ** ((R_j - R_i) / 400)), a tie and both-bad counting half a win for each side.
Sources: R. A. Bradley, M. E. Terry, Rank analysis of incomplete block designs, Biometrika 39 (1952), 324-345,
doi:10.2307/2334029; for chatbots arXiv 2403.04132, section 4. The order of the votes plays no part, so that counts per
pair are all it needs, and its time does not depend on the number of votes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from leaderboard.connectivity import groups, without_maximum
from leaderboard.estimate import Anchor, Estimate, anchored, refuse_settings, symmetric_estimate
from leaderboard.games import PairCounts
from leaderboard.method import Evidence, NoRating
from leaderboard.pair_maths import (
    Dispersion,
    Fit,
    Matrix,
    Slope,
    chances,
    climb,
    dispersion,
    laplacian,
    pair_weights,
    spread_of,
    virtual_votes,
)

# Rounds of the bootstrap are solved together, at most so many matrix cells at once (32 MB each).
_CELLS_AT_ONCE = 4_000_000
_SWEEPS = 30
_SWEPT = 1e-6


class Interval(StrEnum):
    """How the uncertainty is computed.

    All three have one thing in common, so that no interval is ever of width 0: the term 5/4 of `dispersion`.
    """

    DISPERSION = "dispersion"
    """Curvature of the likelihood, scaled by how far votes really scatter. The best on small boards."""
    SANDWICH = "sandwich"
    """LMArena's since July 2025: no assumption about the scatter of a pair. Too narrow below 100 votes."""
    BOOTSTRAP = "bootstrap"
    """LMArena's until July 2025: the same computation on votes drawn again; ends of the middle 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BradleyTerrySettings:
    """How to rate.

    Args:
        start: the mean of all ratings, in points.
        scale: points per factor 10 in odds.
        anchor: moves the whole board so that one model has a known score; None leaves the mean at `start`.
        prior: virtual draws per model. They are spread evenly over its opponents: every pair of M models ties
            prior / (M - 1) more times than it did. 0 is plain maximum likelihood, which not every board has.
        interval: how the uncertainty is computed.
        level: confidence of the intervals, between 0 and 1.
        rounds: bootstrap rounds.
        seed: of the bootstrap.
        reweighted: weigh a vote by 1 / max(votes of its pair, min_pair_count), as LMArena does since July 2025.
        min_pair_count: see `reweighted`.

    Raises:
        ValueError: a number makes no sense; the message names it.
    """

    start: float = 1000.0
    scale: float = 400.0
    anchor: Anchor | None = None
    prior: float = 1.0
    interval: Interval = Interval.DISPERSION
    level: float = 0.95
    rounds: int = 500
    seed: int = 0
    reweighted: bool = False
    min_pair_count: int = 50

    def __post_init__(self) -> None:
        refuse_settings(start=self.start, scale=self.scale, prior=self.prior, level=self.level)
        if self.rounds < 2 or self.min_pair_count < 1:  # noqa: PLR2004 - one round has no spread
            raise ValueError(f"rounds must be 2 or more and min_pair_count 1 or more: {self}")
        if self.interval is Interval.BOOTSTRAP and not self.prior:
            raise ValueError("the bootstrap needs a prior above 0: many a round has no maximum without one")

    @property
    def points(self) -> float:
        """Points per unit of the natural logarithm of odds."""
        return self.scale / math.log(10.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BradleyTerryResult:
    """A board rated.

    `phi` says how far votes scatter against coin flips (1 without ties, less with them); `groups` parts the models
    into those that can be compared at all.
    """

    estimate: Estimate
    settings: BradleyTerrySettings
    votes: int
    phi: float
    iterations: int
    groups: tuple[tuple[str, ...], ...]
    left_out: Mapping[str, int]
    version: int | None
    method: str = "bradley_terry"

    @property
    def ratings(self) -> Mapping[str, float]:
        """Points by model."""
        return self.estimate.ratings


def rate_bradley_terry(
    evidence: Evidence, *, settings: BradleyTerrySettings | None = None, warm: Mapping[str, float] | None = None
) -> BradleyTerryResult:
    """Rate a source of votes from its counts.

    Args:
        evidence: its counts are read, nothing else.
        settings: the defaults are the board's.
        warm: ratings on the same scale to begin at, those of one vote ago for instance; they change the time it takes,
            not the result. Who is missing begins in the middle.

    Raises:
        NoRating: the prior is 0 and the votes alone give no finite rating.
        ValueError: the anchor is not on the board.
    """
    settings = settings or BradleyTerrySettings()
    counts = evidence.counts
    if not settings.prior and (why := without_maximum(counts)):
        raise NoRating(f"{why} Rate with a prior above 0.")
    board = _Board.of(counts, settings)
    fit = climb(board.slope, start=_start(counts.names, warm, settings), pinned=len(counts.names))
    chance = chances(fit.strengths)
    scatter = board.scatter(chance)
    estimate = _estimate(board, fit=fit, chance=chance, scatter=scatter, settings=settings, names=counts.names)
    return BradleyTerryResult(
        estimate=estimate,
        settings=settings,
        votes=counts.votes,
        phi=scatter.phi,
        iterations=fit.iterations,
        groups=groups(counts),
        left_out=evidence.left_out,
        version=evidence.version,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """float64[M, M] each: real wins and draws, their weights, and scores with weights and virtual draws."""

    wins: Matrix
    drawn: Matrix
    weights: Matrix | None
    virtual: Matrix
    scores: Matrix

    @staticmethod
    def of(counts: PairCounts, settings: BradleyTerrySettings) -> "_Board":
        wins = counts.wins.astype(np.float64)
        drawn = (counts.ties + counts.both_bad).astype(np.float64)
        weights = None
        if settings.reweighted:
            weights = pair_weights(counts.pair_battles, at_least=settings.min_pair_count)
        scores = wins + 0.5 * drawn
        virtual = virtual_votes(len(wins), settings.prior)
        scores = (scores if weights is None else scores * weights) + 0.5 * virtual
        return _Board(wins, drawn, weights, virtual, scores)

    def slope(self, strengths: Matrix) -> Slope:
        chance = chances(strengths)
        # S - n p written as S q - S' p: of a pair that is all but decided nothing is lost to rounding.
        unexpected = self.scores * chance.T
        return Slope((unexpected - unexpected.T).sum(axis=1), self.information(chance))

    def squares(self, chance: Matrix) -> Matrix:
        """float64[M, M], symmetric: the sum of (y - p)^2 over the real votes of each pair."""
        lost = self.wins * np.square(chance.T)
        return lost + lost.T + self.drawn * np.square(0.5 - chance)

    def scatter(self, chance: Matrix) -> Dispersion:
        battles = self.wins + self.wins.T + self.drawn
        expected = 0.5 * float((battles * (chance * chance.T)).sum())
        return dispersion(0.5 * float(self.squares(chance).sum()), expected)

    def information(self, chance: Matrix) -> Matrix:
        return laplacian((self.scores + self.scores.T) * (chance * chance.T))

    def flips(self, chance: Matrix, inverse: Matrix) -> Matrix:
        """The covariance of the strengths if every vote were a coin flip: without weights the inverse information."""
        if self.weights is None:
            return inverse
        real = (self.wins + self.wins.T + self.drawn) * np.square(self.weights)
        return inverse @ laplacian((real + self.virtual) * (chance * chance.T)) @ inverse

    def seen_noise(self, chance: Matrix) -> Matrix:
        """The variance of the gradient as the votes show it."""
        squares = self.squares(chance)
        return laplacian(squares if self.weights is None else squares * np.square(self.weights))


def _start(names: tuple[str, ...], warm: Mapping[str, float] | None, settings: BradleyTerrySettings) -> Matrix:
    if warm is None:
        return np.zeros(len(names))
    known = [warm[name] for name in names if name in warm]
    middle = sum(known) / len(known) if known else settings.start
    return (np.array([warm.get(name, middle) for name in names]) - middle) / settings.points


def _estimate(
    board: _Board,
    *,
    fit: Fit,
    chance: Matrix,
    scatter: Dispersion,
    settings: BradleyTerrySettings,
    names: tuple[str, ...],
) -> Estimate:
    centred = fit.strengths - fit.strengths.mean() if len(names) else fit.strengths
    points = anchored(names, settings.start + settings.points * centred, settings.anchor)
    inverse = spread_of(board.information(chance), pinned=len(names)) if len(names) > 1 else np.zeros((len(names),) * 2)
    flips = board.flips(chance, inverse)
    unit = settings.points**2
    match settings.interval:
        case Interval.DISPERSION:
            return symmetric_estimate(names, points, unit * scatter.phi * flips, level=settings.level)
        case Interval.SANDWICH:
            seen = inverse @ board.seen_noise(chance) @ inverse
            return symmetric_estimate(names, points, unit * (seen + scatter.added * flips), level=settings.level)
        case Interval.BOOTSTRAP:
            rounds = _bootstrap(board, centred, inverse=inverse, settings=settings)
            rounds += _added_noise(scatter.added * flips, settings)
            return _percentiles(names, points, settings.points * (rounds - centred), level=settings.level)
    assert_never(settings.interval)


def _bootstrap(board: _Board, strengths: Matrix, *, inverse: Matrix, settings: BradleyTerrySettings) -> Matrix:
    """float64[rounds, M]: centred strengths on votes that were drawn again, with replacement, from all votes.

    All rounds climb together with the one inverse of the whole board; what has not arrived then climbs alone.
    """
    rng = np.random.default_rng(settings.seed)
    at_once = max(1, _CELLS_AT_ONCE // max(1, strengths.size**2))
    batches = [min(at_once, settings.rounds - done) for done in range(0, settings.rounds, at_once)]
    return np.concatenate([_bootstrap_batch(board, strengths, inverse, _redrawn(board, rng, n)) for n in batches])


def _redrawn(board: _Board, rng: np.random.Generator, rounds: int) -> NDArray[np.float64]:
    """float64[rounds, 2, M, M]: wins, and ties of both kinds, of as many votes as there are."""
    m = len(board.wins)
    cells = np.stack([board.wins, np.triu(board.drawn)]).reshape(-1)
    seen = np.flatnonzero(cells)
    drawn = np.zeros((rounds, cells.size))
    if seen.size:
        total = int(cells.sum())
        drawn[:, seen] = rng.multinomial(total, cells[seen] / cells[seen].sum(), size=rounds)
    return drawn.reshape(rounds, 2, m, m)


def _bootstrap_batch(board: _Board, strengths: Matrix, inverse: Matrix, redrawn: NDArray[np.float64]) -> Matrix:
    wins, ties = redrawn[:, 0], redrawn[:, 1] + redrawn[:, 1].transpose(0, 2, 1)
    scores = wins + 0.5 * ties
    scores = (scores if board.weights is None else scores * board.weights) + 0.5 * board.virtual
    at = np.tile(strengths, (len(scores), 1))
    for _ in range(_SWEEPS):
        against = 0.5 + 0.5 * np.tanh(0.5 * (at[:, None, :] - at[:, :, None]))
        unexpected = scores * against
        step = (unexpected.sum(axis=2) - unexpected.sum(axis=1)) @ inverse
        at += step
        late = np.flatnonzero(np.abs(step).max(axis=1, initial=0.0) > _SWEPT)
        if not late.size:
            break
    for i in late.tolist():
        alone = replace(board, scores=scores[i])
        at[i] = climb(alone.slope, start=np.zeros_like(strengths), pinned=strengths.size).strengths
    return at - at.mean(axis=1, keepdims=True) if strengths.size else at


def _added_noise(covariance: Matrix, settings: BradleyTerrySettings) -> Matrix:
    """float64[rounds, M]: the term 5/4 of the dispersion as noise, without which twenty ties never scatter."""
    values, vectors = np.linalg.eigh(covariance)
    rng = np.random.default_rng([settings.seed, 1])
    draws = rng.standard_normal((settings.rounds, len(values)))
    noise: Matrix = (draws * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return noise


def _percentiles(names: tuple[str, ...], points: Matrix, errors: Matrix, *, level: float) -> Estimate:
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(errors, [tail, 1.0 - tail], axis=0) if len(names) else (points, points)
    return Estimate(
        names=names,
        points=points,
        covariance=np.atleast_2d(np.cov(errors, rowvar=False)) if len(names) else np.zeros((0, 0)),
        lower=points + np.minimum(low, 0.0),
        upper=points + np.maximum(high, 0.0),
        level=level,
    )
