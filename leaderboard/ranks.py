"""Ranks that admit what the votes cannot tell, from ratings with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from leaderboard.estimate import Estimate

_DRAWS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRange:
    """Where a model may stand; 1 is the best.

    `best` is Chatbot Arena's Rank (UB): one more than the number of models that are surely better, whose lower bounds
    lie above this model's upper bound (FastChat, fastchat/serve/monitor/monitor.py, `recompute_final_ranking`).
    `worst` is one more than the number of models that may be better (arena.ai, Arena's Ranking Method, 2025-11-14).
    """

    best: int
    worst: int


def rank_ranges(estimate: Estimate) -> tuple[RankRange, ...]:
    """One range per model, in the order of the estimate's names."""
    models = len(estimate.names)
    lowers, uppers = np.sort(estimate.lower), np.sort(estimate.upper)
    best = 1 + models - np.searchsorted(lowers, estimate.upper, side="right")
    # A model with an interval of any width stands above its own lower bound, too, and is not counted.
    itself = estimate.upper > estimate.lower
    worst = 1 + models - np.searchsorted(uppers, estimate.lower, side="right") - itself
    return tuple(RankRange(best=b, worst=w) for b, w in zip(best.tolist(), worst.tolist(), strict=True))


def chances_of_best(estimate: Estimate, *, draws: int = 4000, seed: int = 0) -> Mapping[str, float]:
    """How often each model comes out first when all ratings are drawn from their joint normal distribution.

    The shares sum to 1 (an empty board has none) and are right to 2 / sqrt(draws) at most.
    """
    models = len(estimate.names)
    values, vectors = np.linalg.eigh(estimate.covariance)
    roots = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(seed)
    firsts = np.zeros(models, dtype=np.int64)
    at_once = max(1, _DRAWS_AT_ONCE // max(1, models))
    for begun in range(0, draws if models else 0, at_once):
        noise = rng.standard_normal((min(at_once, draws - begun), models))
        firsts += np.bincount((estimate.points + noise @ roots.T).argmax(axis=1), minlength=models)
    return MappingProxyType(dict(zip(estimate.names, (firsts / draws).tolist(), strict=True)))
