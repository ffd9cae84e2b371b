"""Elo without the order: the mean over many orders in which the same votes could have come.

Elo remembers the last votes best, so that the order of the votes alone moves a rating by tens of points at K = 32,
however many votes there are. Here the votes are put into a canonical order, shuffled with a seed, folded, and averaged;
how far the shuffles scatter is what order alone causes. Elo's formula as in `leaderboard.ratings.elo`; averaging over
permutations: M. Boubdir et al., Elo Uncovered, arXiv 2311.17295, section 4.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from leaderboard.games import PairCounts
from leaderboard.method import Evidence

# Shuffles are folded side by side, at most so many votes at once (200 MB), and turned into steps by so many.
_VOTES_AT_ONCE = 50_000_000
_STEPS_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFreeSettings:
    """`shuffles`: how many orders, drawn with `seed`. The rest as in `EloSettings`.

    Raises:
        ValueError: k or scale is not above 0, start is not finite, or there is no shuffle.
    """

    k: float = 32.0
    start: float = 1000.0
    scale: float = 400.0
    shuffles: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0.0 < self.k < math.inf and 0.0 < self.scale < math.inf and math.isfinite(self.start)):
            raise ValueError(f"settings must be finite, k and scale above 0: {self}")
        if self.shuffles < 1:
            raise ValueError(f"at least one shuffle is needed, not {self.shuffles}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderFreeResult:
    """Mean ratings over shuffled orders.

    Args:
        names: the models, indices of `rounds`.
        rounds: float64[shuffles, M], every model's rating after each order; cannot be written to.
        settings: how it was made.
        votes: in each order.
        left_out: by reason, the votes that were not counted.
        version: the board version.
    """

    names: tuple[str, ...]
    rounds: NDArray[np.float64]
    settings: OrderFreeSettings
    votes: int
    left_out: Mapping[str, int]
    version: int | None
    method: str = "elo_order_free"

    @property
    def ratings(self) -> Mapping[str, float]:
        """The mean over all orders, by model."""
        return self._by_name(self.rounds.mean(axis=0))

    @property
    def spread(self) -> Mapping[str, float]:
        """The standard deviation that order alone causes, in points, by model."""
        return self._by_name(self.rounds.std(axis=0))

    @property
    def estimate(self) -> None:
        """None: the scatter over orders is no interval, it does not say what other votes would have shown."""

    def swap_share(self, model_a: str, model_b: str) -> float:
        """The share of orders, 0 to 1, in which the two stand the other way round than on average.

        Level counts one half. ValueError for a name that is not here.
        """
        for model in (model_a, model_b):
            if model not in self.names:
                raise ValueError(f"no model is named {model!r} here")
        gaps = self.rounds[:, self.names.index(model_a)] - self.rounds[:, self.names.index(model_b)]
        above = float((gaps > 0.0).mean() + 0.5 * (gaps == 0.0).mean())
        return 1.0 - above if gaps.mean() > 0.0 else above

    def _by_name(self, values: NDArray[np.float64]) -> Mapping[str, float]:
        return MappingProxyType(dict(zip(self.names, values.tolist(), strict=True)))


def rate_elo_order_free(evidence: Evidence, *, settings: OrderFreeSettings | None = None) -> OrderFreeResult:
    """Fold the votes in many orders; counts are enough, and whoever brings games gets the same."""
    settings = settings or OrderFreeSettings()
    deck = _Deck.of(evidence.counts)
    rng = np.random.default_rng(settings.seed)
    at_once = max(1, min(settings.shuffles, _VOTES_AT_ONCE // max(1, deck.votes.size)))
    rounds = np.empty((settings.shuffles, len(deck.names)))
    for first in range(0, settings.shuffles, at_once):
        batch = rounds[first : first + at_once]
        orders = rng.permuted(np.tile(deck.votes, (len(batch), 1)), axis=1)
        batch[:] = _fold(deck, orders, settings)
    rounds.setflags(write=False)
    return OrderFreeResult(
        names=deck.names,
        rounds=rounds,
        settings=settings,
        votes=evidence.counts.votes,
        left_out=evidence.left_out,
        version=evidence.version,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Deck:
    """All votes in canonical order: by the models' names, then by outcome, whatever order they came in."""

    names: tuple[str, ...]
    first: NDArray[np.int32]
    """int32[cells]: the one model of each kind of vote."""
    second: NDArray[np.int32]
    score: NDArray[np.float64]
    """float64[cells]: what the first model scored, minus one half."""
    votes: NDArray[np.int32]
    """int32[votes]: the kind of each vote."""

    @staticmethod
    def of(counts: PairCounts) -> "_Deck":
        order = np.array(sorted(range(len(counts.names)), key=counts.names.__getitem__), dtype=np.int64)
        upper = np.triu_indices(order.size, k=1)
        kinds = [
            (matrix[np.ix_(order, order)][upper], score)
            for matrix, score in (
                (counts.wins, 0.5),
                (counts.wins.T, -0.5),
                (counts.ties + counts.both_bad, 0.0),
            )
        ]
        amounts = np.concatenate([amount for amount, _ in kinds])
        seen = np.flatnonzero(amounts)
        pair = seen % max(1, upper[0].size)
        score = np.repeat([score for _, score in kinds], upper[0].size)[seen]
        return _Deck(
            names=tuple(counts.names[i] for i in order.tolist()),
            first=upper[0][pair].astype(np.int32),
            second=upper[1][pair].astype(np.int32),
            score=score,
            votes=np.repeat(np.arange(seen.size, dtype=np.int32), amounts[seen]),
        )


def _fold(deck: _Deck, orders: NDArray[np.int32], settings: OrderFreeSettings) -> NDArray[np.float64]:
    """float64[shuffles, M]: all orders of int32[shuffles, votes] folded side by side.

    Ratings are kept as x = R ln(10) / (2 scale), where the expected score is 1/2 + tanh(x_a - x_b) / 2.
    """
    shuffles, models = len(orders), len(deck.names)
    per_point = math.log(10.0) / (2.0 * settings.scale)
    half_k = 0.5 * settings.k * per_point
    flat = np.zeros(shuffles * models)
    rows = np.arange(shuffles) * models
    gap, other = np.empty(shuffles), np.empty(shuffles)
    for start in range(0, orders.shape[1], _STEPS_AT_ONCE):
        kinds = orders[:, start : start + _STEPS_AT_ONCE].T
        seats_a, seats_b = deck.first[kinds] + rows, deck.second[kinds] + rows
        gains = 2.0 * half_k * deck.score[kinds]
        for seat_a, seat_b, gain in zip(seats_a, seats_b, gains, strict=True):
            rating_a, rating_b = flat[seat_a], flat[seat_b]
            np.subtract(rating_a, rating_b, out=gap)
            np.tanh(gap, out=gap)
            np.multiply(gap, half_k, out=gap)
            np.subtract(gain, gap, out=gap)
            flat[seat_a] = np.add(rating_a, gap, out=other)
            flat[seat_b] = np.subtract(rating_b, gap, out=other)
    return settings.start + flat.reshape(shuffles, models) / per_point
