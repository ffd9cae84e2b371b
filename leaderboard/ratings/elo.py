"""Elo: one pass over the games in their order.

R' = R + K (S - E), with E = 1 / (1 + 10 ** ((R_opponent - R) / scale)). Source: A. E. Elo, The Rating of
Chessplayers, 2nd ed. 1986, sections 1.6 and 8.2; for chatbots FastChat, fastchat/serve/monitor/rating_systems.py,
`compute_elo`, which publishes K = 4.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from leaderboard.games import Games
from leaderboard.method import Evidence

# math.pow(10, 309) raises OverflowError; at 300 the expected score is 1e-300, which no rating can tell from 0.
_LARGEST_EXPONENT = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EloSettings:
    """`k`: the most points one vote can move. `start`: a new model's rating. `scale`: points per factor 10 in odds.

    Raises:
        ValueError: k or scale is not above 0, or one of the three is not finite.
    """

    k: float = 32.0
    start: float = 1000.0
    scale: float = 400.0

    def __post_init__(self) -> None:
        if not (0.0 < self.k < math.inf and 0.0 < self.scale < math.inf and math.isfinite(self.start)):
            raise ValueError(f"Elo settings must be finite, k and scale above 0: {self.k=} {self.start=} {self.scale=}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EloResult:
    """Ratings after `votes` games: every model of the games, and every one that the fold started from."""

    ratings: Mapping[str, float]
    settings: EloSettings
    votes: int
    left_out: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    version: int | None = None
    method: str = "elo"

    @property
    def estimate(self) -> None:
        """None: Elo has no interval."""


def expected_score(rating: float, opponent: float, *, scale: float) -> float:
    """The score that `rating` is expected to make against `opponent`, between 0 and 1; one half between equals."""
    return 1.0 / (1.0 + math.pow(10.0, min((opponent - rating) / scale, _LARGEST_EXPONENT)))


def elo_change(rating_a: float, rating_b: float, score_a: float, *, settings: EloSettings) -> float:
    """Points that A wins (negative: loses) with `score_a`; B loses exactly as many.

    The one place where a vote becomes points: whoever keeps ratings adds this to A and subtracts it from B, in vote
    order, and is then bit for bit where `fold_elo` arrives.
    """
    return settings.k * (score_a - expected_score(rating_a, rating_b, scale=settings.scale))


def fold_elo(games: Games, *, settings: EloSettings, ratings: Mapping[str, float] | None = None) -> EloResult:
    """Replay games in their order.

    Args:
        games: what to replay; none gives everybody the start rating.
        settings: as they were for every one of the games.
        ratings: where to go on from (a checkpoint); who is not in it starts at `settings.start`.
    """
    before = {} if ratings is None else ratings
    standing = [before.get(name, settings.start) for name in games.names]
    # `elo_change` written out, operation by operation: a call per vote would take as long again as the arithmetic.
    k, scale, power = settings.k, settings.scale, math.pow
    for a, b, score in zip(games.seat_a.tolist(), games.seat_b.tolist(), games.scores_a.tolist(), strict=True):
        rating_a, rating_b = standing[a], standing[b]
        exponent = (rating_b - rating_a) / scale
        if exponent > _LARGEST_EXPONENT:  # noqa: PLR1730 - as above: min() is a call
            exponent = _LARGEST_EXPONENT
        change = k * (score - 1.0 / (1.0 + power(10.0, exponent)))
        standing[a] = rating_a + change
        standing[b] = rating_b - change
    after = dict(before) | dict(zip(games.names, standing, strict=True))
    return EloResult(ratings=MappingProxyType(after), settings=settings, votes=len(games))


def rate_elo(evidence: Evidence, *, settings: EloSettings | None = None) -> EloResult:
    """Elo of a source of votes; `settings` default to the live board's.

    Raises:
        OrderUnknown: the source has only counts.
    """
    folded = fold_elo(evidence.in_order(), settings=settings or EloSettings())
    return replace(folded, left_out=evidence.left_out, version=evidence.version)
