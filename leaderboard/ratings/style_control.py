"""Style control: what would the ratings be if all models wrote equally long and equally formatted answers?

logit P(A preferred) = theta_A - theta_B + f . beta, with f = (a - b) / (a + b) for each of four features, 0 where both
are 0, divided by its root mean square over the votes. Nothing is subtracted from f, so that swapping the sides of a
vote turns f round and changes no rating. Source: LMSYS, Does style matter? Disentangling style and substance in
Chatbot Arena (2024-08-28); FastChat, fastchat/serve/monitor/rating_systems.py, `compute_style_control`.

Votes are sorted by pair once; every sum over the votes of a pair is then one over a contiguous stretch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from leaderboard.connectivity import groups, without_maximum
from leaderboard.estimate import Anchor, Estimate, anchored, normal_reach, refuse_settings, symmetric_estimate
from leaderboard.games import Games, PairCounts
from leaderboard.method import Evidence, NoRating
from leaderboard.pair_maths import Matrix, Slope, chances, climb, dispersion, laplacian, spread_of, virtual_votes
from leaderboard.style import STYLE_FEATURES, GameStyles

WITHOUT_STYLE = "no style figures"

# Pair keys below this sort by radix, ten times as fast.
_SHORT_KEYS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleControlSettings:
    """As in `BradleyTerrySettings`.

    `ridge` keeps the coefficients finite: the log-likelihood loses ridge / 2 times the sum of their squares, as much
    as four votes at even odds know about one of them, whatever the number of votes.

    Raises:
        ValueError: a number makes no sense; the message names it.
    """

    start: float = 1000.0
    scale: float = 400.0
    anchor: Anchor | None = None
    prior: float = 1.0
    ridge: float = 1.0
    level: float = 0.95

    def __post_init__(self) -> None:
        refuse_settings(start=self.start, scale=self.scale, prior=self.prior, level=self.level)
        if not 0.0 < self.ridge < math.inf:
            raise ValueError(f"the ridge must be finite and above 0, not {self.ridge}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """What one standard step more of a feature adds to the log-odds of being preferred, with its interval.

    `step` is the root mean square of (a - b) / (a + b): the difference that `value` is about.
    """

    feature: str
    value: float
    lower: float
    upper: float
    step: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StyleControlResult:
    """A board rated as if everybody wrote in one style.

    `left_out` counts, beside what the evidence leaves out, the votes whose answers nobody counted.
    """

    estimate: Estimate
    coefficients: Mapping[str, Coefficient]
    settings: StyleControlSettings
    votes: int
    phi: float
    iterations: int
    groups: tuple[tuple[str, ...], ...]
    left_out: Mapping[str, int]
    version: int | None
    method: str = "style_control"

    @property
    def ratings(self) -> Mapping[str, float]:
        """Points by model."""
        return self.estimate.ratings


def rate_style_control(evidence: Evidence, *, settings: StyleControlSettings | None = None) -> StyleControlResult:
    """Rate a source of votes whose answers were counted; votes without such figures are left out.

    Raises:
        OrderUnknown: the source has only counts.
        StyleUnknown: nobody counted the answers of this source.
        NoRating: the prior is 0 and the votes alone give no finite rating.
        ValueError: the anchor is not on the board.
    """
    settings = settings or StyleControlSettings()
    games, styles = evidence.in_order(), evidence.with_style()
    known = styles.known
    counts = _counts(games, known)
    if not settings.prior and (why := without_maximum(counts)):
        raise NoRating(f"{why} Rate with a prior above 0.")
    votes = _Votes.of(games, styles, known=known, settings=settings)
    m = len(games.names)
    fit = climb(votes.slope, start=np.zeros(m + len(STYLE_FEATURES)), pinned=m)
    covariance, phi = votes.covariance(fit.strengths)
    missing = int((~known).sum())
    return StyleControlResult(
        estimate=_estimate(games.names, fit.strengths[:m], covariance[:m, :m], settings),
        coefficients=_coefficients(fit.strengths[m:], covariance[m:, m:], steps=votes.steps, level=settings.level),
        settings=settings,
        votes=counts.votes,
        phi=phi,
        iterations=fit.iterations,
        groups=groups(counts),
        left_out=MappingProxyType(dict(evidence.left_out) | ({WITHOUT_STYLE: missing} if missing else {})),
        version=evidence.version,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """n votes sorted by pair, each seen from the model of the pair with the lower index, i.

    Args:
        models: M.
        i, j: int64[P], the models of each pair that met.
        first: int64[P], where each pair's votes begin.
        sizes: int64[P], how many they are.
        scores: float64[n], of i.
        features: float64[4, n], standardised.
        steps: float64[4], the root mean squares that they were divided by.
        virtual: float64[M, M], virtual draws between equal styles.
        ridge: see the settings.
    """

    models: int
    i: NDArray[np.int64]
    j: NDArray[np.int64]
    first: NDArray[np.int64]
    sizes: NDArray[np.int64]
    scores: Matrix
    features: Matrix
    steps: Matrix
    virtual: Matrix
    ridge: float

    @staticmethod
    def of(games: Games, styles: GameStyles, *, known: NDArray[np.bool_], settings: StyleControlSettings) -> "_Votes":
        m = len(games.names)
        everything = bool(known.all())
        seat_a, seat_b, scores_a = (
            column if everything else column[known] for column in (games.seat_a, games.seat_b, games.scores_a)
        )
        low, high = np.minimum(seat_a, seat_b).astype(np.int64), np.maximum(seat_a, seat_b)
        keys = low * m + high
        order = np.argsort(keys.astype(np.uint16) if m * m <= _SHORT_KEYS else keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        turned = (seat_a > seat_b)[order]
        scores = scores_a[order]
        rows = order if everything else np.flatnonzero(known)[order]
        features, steps = _features(styles, rows, turned)
        return _Votes(
            models=m,
            i=keys[first] // max(1, m),
            j=keys[first] % max(1, m),
            first=first,
            sizes=np.diff(first, append=keys.size),
            scores=np.where(turned, 1.0 - scores, scores),
            features=features,
            steps=steps,
            virtual=virtual_votes(m, settings.prior),
            ridge=settings.ridge,
        )

    def slope(self, at: Matrix) -> Slope:
        chance, between_equals = self._chances(at)
        m = self.models
        errors = self.scores - chance
        by_pair = self._by_pair(errors)
        expected = self.virtual * between_equals
        gradient = np.empty(at.size)
        gradient[:m] = np.bincount(self.i, by_pair, minlength=m) - np.bincount(self.j, by_pair, minlength=m)
        gradient[:m] += (0.5 * self.virtual - expected).sum(axis=1)
        gradient[m:] = self.features @ errors - self.ridge * at[m:]
        information = self._second_moments(chance * (1.0 - chance))
        information[:m, :m] += laplacian(expected * between_equals.T)
        information[m:, m:] += self.ridge * np.eye(at.size - m)
        return Slope(gradient, information)

    def covariance(self, at: Matrix) -> tuple[Matrix, float]:
        """The sandwich, with the term 5/4 of the dispersion added, and the dispersion itself."""
        chance, _ = self._chances(at)
        inverse = spread_of(self.slope(at).information, pinned=self.models)
        squares = np.square(self.scores - chance)
        scatter = dispersion(float(squares.sum()), float((chance * (1.0 - chance)).sum()))
        seen = inverse @ self._second_moments(squares) @ inverse
        return seen + scatter.added * inverse, scatter.phi

    def _chances(self, at: Matrix) -> tuple[Matrix, Matrix]:
        strengths = at[: self.models]
        logits = np.repeat(strengths[self.i] - strengths[self.j], self.sizes)
        logits += at[self.models :] @ self.features
        return 0.5 + 0.5 * np.tanh(0.5 * logits), chances(strengths)

    def _second_moments(self, weights: Matrix) -> Matrix:
        """The sum over all votes of weight times x x', with x = (1 at i, -1 at j, features)."""
        m, k = self.models, len(self.features)
        pairs = np.zeros((m, m))
        pairs[self.i, self.j] = pairs[self.j, self.i] = self._by_pair(weights)
        result = np.empty((m + k, m + k))
        result[:m, :m] = laplacian(pairs)
        weighted = self.features * weights
        for row, column in enumerate(weighted, start=m):
            sums = self._by_pair(column)
            cross = np.bincount(self.i, sums, minlength=m) - np.bincount(self.j, sums, minlength=m)
            result[:m, row] = result[row, :m] = cross
        result[m:, m:] = weighted @ self.features.T
        return result

    def _by_pair(self, values: Matrix) -> Matrix:
        sums: Matrix = np.add.reduceat(values, self.first) if self.first.size else np.zeros(0)
        return sums


def _counts(games: Games, known: NDArray[np.bool_]) -> PairCounts:
    if known.all():
        return PairCounts.from_games(games)
    return PairCounts.from_games(
        Games(
            names=games.names,
            seat_a=games.seat_a[known],
            seat_b=games.seat_b[known],
            verdicts=games.verdicts[known],
        )
    )


def _features(styles: GameStyles, rows: NDArray[np.int64], turned: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """float64[4, n] of the given games, turned round where asked, and their root mean squares."""
    # Where both are 0 so is their difference, and any divisor does; of unknown ones, below 0, no row is taken.
    raw = (styles.side_a - styles.side_b) / np.maximum(1, styles.side_a + styles.side_b)
    features = np.ascontiguousarray(raw[rows].T)
    np.negative(features, out=features, where=turned)
    steps = np.sqrt(np.square(features).sum(axis=1) / max(1, rows.size))
    features /= np.where(steps > 0.0, steps, 1.0)[:, None]
    return features, steps


def _estimate(names: tuple[str, ...], at: Matrix, covariance: Matrix, settings: StyleControlSettings) -> Estimate:
    points = settings.scale / math.log(10.0)
    centred = at - (at.mean() if names else 0.0)
    moved = anchored(names, settings.start + points * centred, settings.anchor)
    return symmetric_estimate(names, moved, points**2 * covariance, level=settings.level)


def _coefficients(at: Matrix, covariance: Matrix, *, steps: Matrix, level: float) -> Mapping[str, Coefficient]:
    reaches = normal_reach(level) * np.sqrt(covariance.diagonal())
    rows = zip(STYLE_FEATURES, at.tolist(), reaches.tolist(), steps.tolist(), strict=True)
    return MappingProxyType(
        {
            feature: Coefficient(feature=feature, value=value, lower=value - reach, upper=value + reach, step=step)
            for feature, value, reach, step in rows
        }
    )
