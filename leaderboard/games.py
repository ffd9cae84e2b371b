"""Votes as numbers: the games in the order they were voted, and how often each pair ended how.

A *game* is one counted vote seen as a match between two models. `Games` keeps the order, which Elo needs;
`PairCounts` drops it, and is all that order-free methods and most tables need.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, assert_never

import numpy as np
from numpy.typing import NDArray

from leaderboard.verdicts import Verdict, score_a

VERDICTS: tuple[Verdict, ...] = tuple(Verdict)
_CODES = {verdict: code for code, verdict in enumerate(VERDICTS)}
_SCORES = np.array([score_a(verdict) for verdict in VERDICTS])


class Game(NamedTuple):
    """One counted vote: `model_a` sat left, `model_b` right."""

    model_a: str
    model_b: str
    verdict: Verdict


class Tally(NamedTuple):
    """`n` votes that set the same models in the same seats and came to the same verdict."""

    model_a: str
    model_b: str
    verdict: Verdict
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadToHead:
    """How the battles between A and B ended, whoever sat left."""

    wins_a: int
    wins_b: int
    ties: int
    both_bad: int

    @property
    def battles(self) -> int:
        """All battles of the pair."""
        return self.wins_a + self.wins_b + self.ties + self.both_bad


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Games:
    """Counted votes in their one total order, as arrays of equal length n >= 0 that cannot be written to.

    Args:
        names: the models, each once; seats are indices into it. It may name models without a game.
        seat_a: int32[n], the model on side A.
        seat_b: int32[n], the model on side B, never the one on side A.
        verdicts: int8[n], indices into `VERDICTS`.

    Raises:
        ValueError: a name stands twice, lengths differ, an index is out of range, or a model meets itself.
    """

    names: tuple[str, ...]
    seat_a: NDArray[np.int32]
    seat_b: NDArray[np.int32]
    verdicts: NDArray[np.int8]

    def __post_init__(self) -> None:
        _refuse_double(self.names)
        seat_a = _indices(self.seat_a, below=len(self.names), what="seat_a")
        seat_b = _indices(self.seat_b, below=len(self.names), what="seat_b")
        verdicts = _indices(self.verdicts, below=len(VERDICTS), what="verdicts")
        if not seat_a.size == seat_b.size == verdicts.size:
            raise ValueError(f"seat_a, seat_b and verdicts differ in length: {seat_a.size, seat_b.size, verdicts.size}")
        selves = np.flatnonzero(seat_a == seat_b)
        if selves.size:
            raise _self_play(self.names[seat_a[selves[0]]])
        object.__setattr__(self, "seat_a", _frozen(seat_a, np.int32))
        object.__setattr__(self, "seat_b", _frozen(seat_b, np.int32))
        object.__setattr__(self, "verdicts", _frozen(verdicts, np.int8))

    @classmethod
    def from_votes(cls, votes: Iterable[Game], *, names: Sequence[str] | None = None) -> Self:
        """Read votes in order; without `names` the models are named in the order in which they appear.

        Raises:
            ValueError: a model is not in `names` or meets itself; the message names it.
        """
        played = list(votes)
        if names is None:
            names = tuple(dict.fromkeys(name for game in played for name in game[:2]))
        index = {name: i for i, name in enumerate(names)}
        try:
            codes = [(index[a], index[b], _CODES[Verdict(verdict)]) for a, b, verdict in played]
        except KeyError as exc:
            raise _unknown(exc.args[0]) from exc
        columns = np.array(codes, dtype=np.int32).reshape(-1, 3)
        return cls(
            names=tuple(names), seat_a=columns[:, 0], seat_b=columns[:, 1], verdicts=columns[:, 2].astype(np.int8)
        )

    def __len__(self) -> int:
        return int(self.seat_a.size)

    @property
    def scores_a(self) -> NDArray[np.float64]:
        """float64[n]: what side A scored in each game, as `score_a` says."""
        return _SCORES[self.verdicts]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairCounts:
    """How often each pair of M models ended how, without order and seats; arrays that cannot be written to.

    Ties and both-bad are kept apart, and each is symmetric: a tie between i and j is counted once at [i, j] and once
    at [j, i], so that a row sums to what one model did. The pair's ties are the one cell, not the sum of the two.

    Args:
        names: the models, each once; indices of the matrices.
        wins: int64[M, M], wins[i, j] = times i beat j.
        ties: int64[M, M], symmetric.
        both_bad: int64[M, M], symmetric.

    Raises:
        ValueError: a name stands twice, a shape is wrong, a count is negative or no whole number, a diagonal is not 0,
            or ties or both_bad are not symmetric.
    """

    names: tuple[str, ...]
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]
    both_bad: NDArray[np.int64]

    def __post_init__(self) -> None:
        _refuse_double(self.names)
        for what in ("wins", "ties", "both_bad"):
            matrix = _counts(getattr(self, what), names=self.names, what=what)
            if what != "wins" and not np.array_equal(matrix, matrix.T):
                raise ValueError(f"{what} is not symmetric: count each such battle at [i, j] and at [j, i]")
            object.__setattr__(self, what, _frozen(matrix, np.int64))

    @classmethod
    def from_tallies(cls, names: Sequence[str], tallies: Iterable[Tally]) -> Self:
        """Sum tallies; the same seats and verdict may come several times (several days, several strata).

        Raises:
            ValueError: a model is not in `names` or meets itself, or a count is negative; the message names it.
        """
        wins, ties, both_bad = (np.zeros((len(names), len(names)), np.int64) for _ in range(3))
        index = {name: i for i, name in enumerate(names)}
        for tally in tallies:
            i, j = _pair(tally, index)
            match tally.verdict:
                case Verdict.A:
                    wins[i, j] += tally.n
                case Verdict.B:
                    wins[j, i] += tally.n
                case Verdict.TIE:
                    ties[[i, j], [j, i]] += tally.n
                case Verdict.BOTH_BAD:
                    both_bad[[i, j], [j, i]] += tally.n
                case _:
                    assert_never(tally.verdict)
        return cls(names=tuple(names), wins=wins, ties=ties, both_bad=both_bad)

    @classmethod
    def from_games(cls, games: Games) -> Self:
        """Count games."""
        m, kinds = len(games.names), len(VERDICTS)
        keys = (games.verdicts.astype(np.int64) * m + games.seat_a) * m + games.seat_b
        cells = np.bincount(keys, minlength=kinds * m * m).reshape(kinds, m, m)
        by_verdict = dict(zip(VERDICTS, cells, strict=True))
        ties, both_bad = by_verdict[Verdict.TIE], by_verdict[Verdict.BOTH_BAD]
        return cls(
            names=games.names,
            wins=by_verdict[Verdict.A] + by_verdict[Verdict.B].T,
            ties=ties + ties.T,
            both_bad=both_bad + both_bad.T,
        )

    @property
    def pair_battles(self) -> NDArray[np.int64]:
        """int64[M, M], symmetric: battles of each pair; a row sums to the battles of one model."""
        return self.wins + self.wins.T + self.ties + self.both_bad

    @property
    def votes(self) -> int:
        """All battles on the board, each counted once."""
        return int(self.pair_battles.sum()) // 2

    def battles(self, model: str) -> int:
        """The battles of one model; ValueError for a name that is not here."""
        return int(self.pair_battles[self._index(model)].sum())

    def record(self, model_a: str, model_b: str) -> HeadToHead:
        """The battles between two models, all zero when they never met or are the same.

        Raises:
            ValueError: a name is not here.
        """
        i, j = self._index(model_a), self._index(model_b)
        return HeadToHead(
            wins_a=int(self.wins[i, j]),
            wins_b=int(self.wins[j, i]),
            ties=int(self.ties[i, j]),
            both_bad=int(self.both_bad[i, j]),
        )

    def _index(self, model: str) -> int:
        if model not in self.names:
            raise _unknown(model)
        return self.names.index(model)


def _pair(tally: Tally, index: dict[str, int]) -> tuple[int, int]:
    """The two indices of a tally that makes sense."""
    for model in (tally.model_a, tally.model_b):
        if model not in index:
            raise _unknown(model)
    if tally.model_a == tally.model_b:
        raise _self_play(tally.model_a)
    if tally.n < 0:
        raise ValueError(f"{tally.n} votes between {tally.model_a!r} and {tally.model_b!r}: a count is 0 or more")
    return index[tally.model_a], index[tally.model_b]


def _indices(values: NDArray[np.integer], *, below: int, what: str) -> NDArray[np.integer]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"{what} must be whole numbers in one dimension, not {array.dtype}{array.shape}")
    wrong = array[(array < 0) | (array >= below)]
    if wrong.size:
        raise ValueError(f"{what} holds {wrong[0]}, but there are only {below} (0 to {below - 1})")
    return array


def _counts(values: NDArray[np.integer], *, names: tuple[str, ...], what: str) -> NDArray[np.integer]:
    array = np.asarray(values)
    if array.shape != (len(names), len(names)) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{what} must be {len(names)} x {len(names)} whole numbers, not {array.dtype}{array.shape}")
    if (array < 0).any():
        raise ValueError(f"{what} holds a negative count: {array.min()}")
    met_itself = np.flatnonzero(array.diagonal())
    if met_itself.size:
        raise _self_play(names[met_itself[0]])
    return array


def _frozen(array: NDArray[np.integer], dtype: type[np.integer]) -> NDArray[np.integer]:
    copy = array.astype(dtype)
    copy.setflags(write=False)
    return copy


def _refuse_double(names: tuple[str, ...]) -> None:
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the model {double!r} is named twice; a model's name is its key")


def _unknown(model: object) -> ValueError:
    return ValueError(f"no model is named {model!r} here; add it to `names`")


def _self_play(model: str) -> ValueError:
    return ValueError(f"the model {model!r} meets itself; leave A/A battles out of the ratings")
