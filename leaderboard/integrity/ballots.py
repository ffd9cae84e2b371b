"""What the tests read: battles as columns, and what is known of those who opened them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaderboard.games import Games

UNKNOWN = -1
"""Stands for what is not there: an erased voter, a battle without a vote, no time, prompt, sign-up day or network."""

_COLUMNS = ("voter", "seat_a", "seat_b", "verdicts", "at_us", "decide_ms", "characters", "prompt")
_MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ballots:
    """Ranked battles in the order of their votes, as arrays of equal length n >= 0 that cannot be written to.

    A battle that a voter saw to its end and left without a vote is a row, too: such rows tell which models he was
    shown. Without them whoever abstains on purpose is harder to find; nothing else depends on them.

    Args:
        names: the models, each once; seats are indices into it.
        voter: int64[n], who opened the battle, an index into `VoterFacts`; `UNKNOWN` when he was erased.
        seat_a: int64[n], the model on side A.
        seat_b: int64[n], the model on side B, never the one on side A.
        verdicts: int64[n], indices into `leaderboard.VERDICTS`; `UNKNOWN` for a battle without a vote.
        at_us: int64[n], microseconds of UTC since 1970: when the vote was cast or, without one, the battle opened.
        decide_ms: int64[n], from the moment when both answers stood to the vote, or `UNKNOWN`.
        characters: int64[n], the length of both last answers together, or `UNKNOWN`.
        prompt: int64[n], equal for prompts that are nearly the same, as `prompt_key` gives it, or `UNKNOWN`.

    Raises:
        ValueError: lengths differ, a column holds no whole numbers, an index is out of range, or a model is named
            twice or meets itself.
    """

    names: tuple[str, ...]
    voter: NDArray[np.int64]
    seat_a: NDArray[np.int64]
    seat_b: NDArray[np.int64]
    verdicts: NDArray[np.int64]
    at_us: NDArray[np.int64]
    decide_ms: NDArray[np.int64]
    characters: NDArray[np.int64]
    prompt: NDArray[np.int64]

    def __post_init__(self) -> None:
        for what in _COLUMNS:
            object.__setattr__(self, what, _whole_numbers(getattr(self, what), rows=np.size(self.voter), what=what))
        if self.voter.min(initial=UNKNOWN) < UNKNOWN:
            raise ValueError(f"there is no voter {self.voter.min()}: a voter is a number from 0 on, or {UNKNOWN}")
        self._games(
            np.ones(len(self), np.bool_), np.where(self.voted, self.verdicts, 0)
        )  # refuses seats that cannot be

    def __len__(self) -> int:
        return int(self.voter.size)

    @property
    def voted(self) -> NDArray[np.bool_]:
        """bool[n]: the battles that ended with a vote."""
        voted: NDArray[np.bool_] = self.verdicts != UNKNOWN
        return voted

    @property
    def day(self) -> NDArray[np.int64]:
        """int64[n]: days of UTC since 1970."""
        return self.at_us // _MICROSECONDS_A_DAY

    def games(self, rows: NDArray[np.bool_]) -> Games:
        """The votes among `rows`, bool[n], as games to rate; battles without a vote are passed over."""
        return self._games(rows & self.voted, self.verdicts)

    def _games(self, rows: NDArray[np.bool_], verdicts: NDArray[np.int64]) -> Games:
        # Games checks its columns before it narrows them.
        columns: dict[str, Any] = {"seat_a": self.seat_a, "seat_b": self.seat_b, "verdicts": verdicts}
        return Games(names=self.names, **{what: column[rows] for what, column in columns.items()})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VoterFacts:
    """What is known of V voters, as arrays of length V that cannot be written to.

    Args:
        signed_up_day: int64[V], days of UTC since 1970 on which the voter first came, or `UNKNOWN`.
        network: int64[V], equal for voters of one network (a keyed hash's number, say), or `UNKNOWN`.
        trusted: bool[V], marked by an administrator or known for long; the reference where there are enough of them.

    Raises:
        ValueError: lengths differ or a column holds no whole numbers.
    """

    signed_up_day: NDArray[np.int64]
    network: NDArray[np.int64]
    trusted: NDArray[np.bool_]

    def __post_init__(self) -> None:
        rows = np.size(self.trusted)
        for what in ("signed_up_day", "network"):
            object.__setattr__(self, what, _whole_numbers(getattr(self, what), rows=rows, what=what))
        object.__setattr__(self, "trusted", _frozen(np.array(self.trusted, dtype=np.bool_)))

    def __len__(self) -> int:
        return int(self.trusted.size)


def _whole_numbers(values: NDArray[np.int64], *, rows: int, what: str) -> NDArray[np.int64]:
    column = np.asarray(values)
    if column.shape != (rows,) or (rows and not np.issubdtype(column.dtype, np.integer)):
        raise ValueError(f"{what} must be {rows} whole numbers in one column, not {column.dtype}{column.shape}")
    return _frozen(column.astype(np.int64))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array
