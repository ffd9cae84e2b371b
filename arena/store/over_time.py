"""How the counts of a selection grew: what any day's board would be rated from."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, and_, case, func, or_, select

from arena.selection import Selection
from arena.store.failures import LostBattle, lost_battles
from arena.store.foreign_schema import UNKNOWN_DAY
from arena.store.ordered import TIES
from arena.store.schema import TallyRow
from arena.store.selected import conditions, votes_per_day
from leaderboard.games import PairCounts
from leaderboard.over_time import DayCounts
from leaderboard.verdicts import Verdict


def counts_over_time(connection: Connection, selection: Selection, *, days: int) -> Iterator[DayCounts]:
    """The selection's votes up to the end of at most so many days with votes, the last among them; in order.

    Both-bad is counted as a tie, which no rating tells apart. Votes without a time are on no day. Where a failed answer
    loses, a day on which one did is a day with votes, too.
    """
    lost = lost_battles(connection, selection) if selection.failed_loses else ()
    days_lost = {battle.day.isoformat() for battle in lost}
    voted = sorted({each.day.isoformat() for each in votes_per_day(connection, selection)} | days_lost)
    chosen = np.unique(np.linspace(0, len(voted) - 1, min(days, len(voted))).round().astype(int)).tolist()
    table = _Growing()
    after = UNKNOWN_DAY
    for last in [voted[i] for i in chosen]:
        table.add(connection.execute(_sums(connection, selection, after=after, last=last)).all())
        table.add([_pair(battle) for battle in lost if after < battle.day.isoformat() <= last])
        yield DayCounts(date.fromisoformat(last), table.counts())
        after = last


# The database sums by pair: what is left to read is a tenth of the tallies.
def _sums(connection: Connection, selection: Selection, *, after: str, last: str) -> Any:  # noqa: ANN401 - a SELECT of five columns
    turned, verdict, n = TallyRow.seat_a > TallyRow.seat_b, TallyRow.verdict, TallyRow.n
    low = case((turned, TallyRow.seat_b), else_=TallyRow.seat_a)
    high = case((turned, TallyRow.seat_a), else_=TallyRow.seat_b)
    low_won = or_(and_(~turned, verdict == Verdict.A), and_(turned, verdict == Verdict.B))
    high_won = or_(and_(~turned, verdict == Verdict.B), and_(turned, verdict == Verdict.A))
    return (
        select(
            low.label("low"),
            high.label("high"),
            func.sum(case((low_won, n), else_=0)).label("low_won"),
            func.sum(case((high_won, n), else_=0)).label("high_won"),
            func.sum(case((verdict.in_(TIES), n), else_=0)).label("tied"),
        )
        .where(*conditions(connection, selection), TallyRow.day > after, TallyRow.day <= last)
        .group_by("low", "high")
    )


class _Pair(NamedTuple):
    """What `_sums` says of a pair."""

    low: str
    high: str
    low_won: int
    high_won: int
    tied: int


def _pair(battle: LostBattle) -> _Pair:
    won, lost = battle.model_a, battle.model_b
    if battle.verdict is Verdict.B:
        won, lost = lost, won
    return _Pair(low=won, high=lost, low_won=1, high_won=0, tied=0)


class _Growing:
    """Counts to which more pairs and more models are added."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._wins = np.zeros((0, 0), np.int64)
        self._ties = np.zeros((0, 0), np.int64)

    def add(self, pairs: Sequence[Row[Any] | _Pair]) -> None:
        low, high = (
            [self._index.setdefault(name, len(self._index)) for name in names]
            for names in ([pair.low for pair in pairs], [pair.high for pair in pairs])
        )
        self._wins, self._ties = self._widened(self._wins), self._widened(self._ties)
        # Of failed answers the same pair comes several times: plain indexing would add only the last.
        np.add.at(self._wins, (low, high), [pair.low_won for pair in pairs])
        np.add.at(self._wins, (high, low), [pair.high_won for pair in pairs])
        tied = [pair.tied for pair in pairs]
        np.add.at(self._ties, (low, high), tied)
        np.add.at(self._ties, (high, low), tied)

    def counts(self) -> PairCounts:
        both_bad = np.zeros_like(self._ties)
        return PairCounts(names=tuple(self._index), wins=self._wins, ties=self._ties, both_bad=both_bad)

    def _widened(self, matrix: NDArray[np.int64]) -> NDArray[np.int64]:
        more = len(self._index) - len(matrix)
        return np.pad(matrix, ((0, more), (0, more)))
