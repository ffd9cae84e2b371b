"""From ratings and counts to the ranked table that people read."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leaderboard.connectivity import groups
from leaderboard.games import PairCounts
from leaderboard.method import Rated
from leaderboard.ranks import RankRange, rank_ranges

# Elo is reproducible to 1e-9 across platforms; models closer than this stand level everywhere.
_LEVEL_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One line of the board; every number is finite.

    `rank` counts from 1, equal models share it, and the next one's rank leaves the gap (1, 2, 2, 4).
    `change_day` is None for a model without a rating a day ago. `win_rate` is 0 to 1, ties and both-bad half a win,
    None without battles. `preliminary` says that the model has too few battles to trust its place.
    """

    rank: int
    model: str
    elo: float
    change_day: float | None
    battles: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    win_rate: float | None
    preliminary: bool


@dataclass(frozen=True, slots=True)
class _Sums:
    wins: int = 0
    losses: int = 0
    ties: int = 0
    both_bad: int = 0

    @property
    def battles(self) -> int:
        return self.wins + self.losses + self.ties + self.both_bad

    @property
    def win_rate(self) -> float | None:
        return (self.wins + (self.ties + self.both_bad) / 2) / self.battles if self.battles else None


def standings(
    elo: Mapping[str, float],
    *,
    elo_day_ago: Mapping[str, float],
    counts: PairCounts,
    preliminary_below: int = 30,
) -> tuple[Standing, ...]:
    """Rank models by Elo, highest first, equal ones by name; an empty board gives an empty table.

    Args:
        elo: the models to list. Who is missing in `counts` has no battles; who is only in `counts` is not listed,
            but battles against it stay counted.
        elo_day_ago: ratings of one day ago; without the models that are newer.
        counts: all counted battles.
        preliminary_below: fewer battles than this mark a model preliminary.

    Raises:
        ValueError: a rating is not finite; the message names the model.
    """
    _refuse_not_finite(elo)
    _refuse_not_finite(elo_day_ago)
    sums = _sums(counts)
    ranks = _plain_ranks(elo)
    return tuple(
        _standing(
            model,
            rank=rank,
            elo=elo[model],
            day_ago=elo_day_ago.get(model),
            sums=sums.get(model, _Sums()),
            preliminary_below=preliminary_below,
        )
        for model, rank in ranks.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedStanding:
    """One line of a board that is ordered by any method; every number is finite.

    `rank` is Chatbot Arena's Rank (UB) where the method has intervals, else the plain place; equal models share it.
    `rank_worst` is the other end of the rank spread. `score` is the method's rating; `plus` and `minus` reach from it
    to the ends of its interval, both None without one. `elo` is None for a source without order. `win_rate` as in
    `Standing`. `preliminary` says that the model has too few battles, or that nothing joins it to most others.
    """

    rank: int
    rank_worst: int
    model: str
    score: float
    plus: float | None
    minus: float | None
    elo: float | None
    battles: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    win_rate: float | None
    preliminary: bool


def rated_standings(
    rated: Rated,
    *,
    counts: PairCounts,
    elo: Mapping[str, float] | None = None,
    order_by: Mapping[str, float] | None = None,
    preliminary_below: int = 30,
) -> tuple[RatedStanding, ...]:
    """Put models in order, highest first, equal ones by name, each with what a method says of it.

    Args:
        rated: the result of any method; it names the models to list.
        counts: the battles that it was made from; who is missing here has none.
        elo: shown beside the score; None for a source whose order is not known.
        order_by: ratings to order by, Elo for instance; by default the method's own. Who is missing comes last.
        preliminary_below: fewer battles than this mark a model preliminary.

    Raises:
        ValueError: a rating is not finite; the message names the model.
    """
    scores = rated.ratings
    _refuse_not_finite(scores)
    sums = _sums(counts)
    ends = _ends(rated)
    main_group = set(groups(counts)[0]) if counts.names else set()
    key = scores if order_by is None else {model: order_by.get(model, -math.inf) for model in scores}
    order = sorted(scores, key=lambda model: (-round(key[model], _LEVEL_DIGITS), model))
    return tuple(
        _rated_standing(
            model,
            score=scores[model],
            ends=ends[model],
            elo=None if elo is None else elo.get(model),
            sums=sums.get(model, _Sums()),
            settled=model in main_group and sums.get(model, _Sums()).battles >= preliminary_below,
        )
        for model in order
    )


def by_score(lines: Iterable[RatedStanding]) -> tuple[RatedStanding, ...]:
    """The same lines in the order of the method's own scores."""
    return tuple(sorted(lines, key=lambda line: (-round(line.score, _LEVEL_DIGITS), line.model)))


def _refuse_not_finite(ratings: Mapping[str, float]) -> None:
    for model, rating in ratings.items():
        if not math.isfinite(rating):
            raise ValueError(f"the rating of {model!r} is {rating}; run `arena verify` to find where it went wrong")


def _plain_ranks(ratings: Mapping[str, float]) -> dict[str, int]:
    """Places from 1, best first; models on one level share one."""
    levels = {model: round(rating, _LEVEL_DIGITS) for model, rating in ratings.items()}
    rank_of_level: dict[float, int] = {}
    ranks: dict[str, int] = {}
    for place, model in enumerate(sorted(ratings, key=lambda model: (-levels[model], model)), start=1):
        ranks[model] = rank_of_level.setdefault(levels[model], place)
    return ranks


def _sums(counts: PairCounts) -> dict[str, _Sums]:
    columns = (counts.wins.sum(axis=1), counts.wins.sum(axis=0), counts.ties.sum(axis=1), counts.both_bad.sum(axis=1))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {name: _Sums(*row) for name, row in zip(counts.names, rows, strict=True)}


def _standing(
    model: str, *, rank: int, elo: float, day_ago: float | None, sums: _Sums, preliminary_below: int
) -> Standing:
    return Standing(
        rank=rank,
        model=model,
        elo=elo,
        change_day=None if day_ago is None else elo - day_ago,
        battles=sums.battles,
        wins=sums.wins,
        losses=sums.losses,
        ties=sums.ties,
        both_bad=sums.both_bad,
        win_rate=sums.win_rate,
        preliminary=sums.battles < preliminary_below,
    )


@dataclass(frozen=True, slots=True)
class _Ends:
    """The ends of one model's ranks and of its interval."""

    ranks: RankRange
    plus: float | None = None
    minus: float | None = None


def _ends(rated: Rated) -> dict[str, _Ends]:
    estimate = rated.estimate
    if estimate is None:
        ranks = _plain_ranks(rated.ratings)
        return {model: _Ends(RankRange(best=rank, worst=rank)) for model, rank in ranks.items()}
    plus, minus = estimate.upper - estimate.points, estimate.points - estimate.lower
    rows = zip(estimate.names, rank_ranges(estimate), plus.tolist(), minus.tolist(), strict=True)
    return {model: _Ends(ranks, above, below) for model, ranks, above, below in rows}


def _rated_standing(
    model: str, *, score: float, ends: _Ends, elo: float | None, sums: _Sums, settled: bool
) -> RatedStanding:
    return RatedStanding(
        rank=ends.ranks.best,
        rank_worst=ends.ranks.worst,
        model=model,
        score=score,
        plus=ends.plus,
        minus=ends.minus,
        elo=elo,
        battles=sums.battles,
        wins=sums.wins,
        losses=sums.losses,
        ties=sums.ties,
        both_bad=sums.both_bad,
        win_rate=sums.win_rate,
        preliminary=not settled,
    )
