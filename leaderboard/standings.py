"""From ratings and counts to the ranked table that people read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from leaderboard.games import PairCounts

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
    levels = {model: round(rating, _LEVEL_DIGITS) for model, rating in elo.items()}
    order = sorted(elo, key=lambda model: (-levels[model], model))
    rank_of_level: dict[float, int] = {}
    for rank, model in enumerate(order, start=1):
        rank_of_level.setdefault(levels[model], rank)
    return tuple(
        _standing(
            model,
            rank=rank_of_level[levels[model]],
            elo=elo[model],
            day_ago=elo_day_ago.get(model),
            sums=sums.get(model, _Sums()),
            preliminary_below=preliminary_below,
        )
        for model in order
    )


def _refuse_not_finite(ratings: Mapping[str, float]) -> None:
    for model, rating in ratings.items():
        if not math.isfinite(rating):
            raise ValueError(f"the rating of {model!r} is {rating}; run `arena verify` to find where it went wrong")


def _sums(counts: PairCounts) -> dict[str, _Sums]:
    columns = (counts.wins.sum(axis=1), counts.wins.sum(axis=0), counts.ties.sum(axis=1), counts.both_bad.sum(axis=1))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {name: _Sums(*row) for name, row in zip(counts.names, rows, strict=True)}


def _standing(
    model: str, *, rank: int, elo: float, day_ago: float | None, sums: _Sums, preliminary_below: int
) -> Standing:
    halves = sums.ties + sums.both_bad
    battles = sums.wins + sums.losses + halves
    return Standing(
        rank=rank,
        model=model,
        elo=elo,
        change_day=None if day_ago is None else elo - day_ago,
        battles=battles,
        wins=sums.wins,
        losses=sums.losses,
        ties=sums.ties,
        both_bad=sums.both_bad,
        win_rate=(sums.wins + halves / 2) / battles if battles else None,
        preliminary=battles < preliminary_below,
    )
