"""The votes themselves, in order, as arrays: for the methods that sums over tallies do not tell enough.

Numbers leave the database a thousand rows at a time, so that a million votes never stand in memory as objects.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Executable, Row, Text, case, func, select, type_coerce

from arena.domain import Side
from arena.selection import EVERYTHING, Selection
from arena.store.board import SOURCE, STRATUM, end_of, start_of, votes_now
from arena.store.foreign_schema import EPOCH, MICROSECOND, ForeignModelRow, ForeignStyleRow, ForeignVoteRow
from arena.store.schema import ANSWERED, ModelRow, ReplyRow, VoteRow, table_of
from arena.store.sources import live
from leaderboard.games import VERDICTS, Games
from leaderboard.style import STYLE_FEATURES, GameStyles
from leaderboard.verdicts import Verdict

AT_ONCE = 1_000
# Votes without a time come before all others.
NO_TIME = -1
UNKNOWN = -1
TIES = (Verdict.TIE, Verdict.BOTH_BAD)
FIGURES = tuple(f"{figure}_{side}" for side in Side for figure in ("tokens", "headings", "lists", "bold"))
CODES = {verdict.value: code for code, verdict in enumerate(VERDICTS)}

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Votes in order; `styles` only where they were asked for."""

    games: Games
    styles: GameStyles | None


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The n votes of one source in its own order.

    Args:
        votes: int64[n, 4], model A, model B, verdict, microseconds since 1970.
        styles: int64[n, 8], the figures of A, then of B; None when they were not asked for.
        names: what the models' numbers stand for.
    """

    votes: Numbers
    styles: Numbers | None
    names: Mapping[int, str]


def ordered_votes(
    connection: Connection, sources: Sequence[str], *, selection: Selection = EVERYTHING, with_styles: bool = False
) -> Ordered | None:
    """The selection's votes of these sources; None when one of them has only counts, or is not there.

    One source keeps its own order. Several come by time, then by the order in which they are named, then by their own.
    """
    known = {source.name: source for source in live(connection)}
    parts = []
    for name in sources:
        if name == SOURCE:
            parts.append(_own(connection, selection, with_styles=with_styles, with_time=len(sources) > 1))
        elif name in known and not known[name].tallies_only:
            parts.append(_foreign(connection, known[name].id, selection, with_styles=with_styles))
        else:
            return None
    return _together(parts, with_styles=with_styles)


def own_conditions(selection: Selection) -> Iterator[ColumnElement[bool]]:
    """What the arena's own votes of a selection fulfil, but for what is left out."""
    for name, wanted in categories(selection):
        yield VoteRow.__table__.c[name] == wanted
    if selection.since is not None:
        yield VoteRow.cast_at >= start_of(selection.since)
    if selection.until is not None:
        yield VoteRow.cast_at <= end_of(selection.until)
    if selection.without_ties:
        yield VoteRow.verdict.not_in(TIES)


def categories(selection: Selection) -> Iterator[tuple[str, Any]]:
    """The categories that a selection asks for, by the names of their columns."""
    for name in STRATUM:
        wanted = getattr(selection, name)
        if wanted is not None:
            yield name, wanted


def _own(connection: Connection, selection: Selection, *, with_styles: bool, with_time: bool) -> _Part:
    # The sequence decides, not a clock that stepped back.
    names = list(connection.scalars(select(ModelRow.name)))
    index = {name: number for number, name in enumerate(names)}
    now = votes_now().where(*own_conditions(selection), VoteRow.seat_a != VoteRow.seat_b).subquery()
    time = [now.c.cast_at] if with_time else []
    statement = select(now.c.seq, now.c.seat_a, now.c.seat_b, type_coerce(now.c.verdict, Text), *time)
    if not selection.with_left_out:
        statement = statement.where(now.c.left_out.is_(None))
    table = _table(_own_numbers(rows, index) for rows in _chunks(connection, statement.order_by(now.c.seq)))
    seqs, votes = table[:, 0], table[:, 1:]
    votes[:, 3] = np.maximum.accumulate(votes[:, 3])
    styles = _own_styles(connection, selection, seqs) if with_styles else None
    return _Part(votes, styles, dict(enumerate(names)))


def _own_numbers(rows: Sequence[Row[Any]], index: Mapping[str, int]) -> Numbers:
    """int64[n, 5] of rows with their sequence number, seats, verdict and perhaps time."""
    seqs, seats_a, seats_b, verdicts, *times = zip(*rows, strict=True)
    numbers = np.full((len(rows), 5), NO_TIME, np.int64)
    numbers[:, 0] = seqs
    numbers[:, 1] = [index[name] for name in seats_a]
    numbers[:, 2] = [index[name] for name in seats_b]
    numbers[:, 3] = [CODES[verdict] for verdict in verdicts]
    if times:
        numbers[:, 4] = [(at - EPOCH) // MICROSECOND for at in times[0]]
    return numbers


def _own_styles(connection: Connection, selection: Selection, seqs: Numbers) -> Numbers:
    """int64[n, 8]: what the answers of the votes with these numbers, in rising order, sum to over all turns."""
    side = type_coerce(ReplyRow.side, Text)
    sums = [
        func.sum(case((side == which.value, ReplyRow.__table__.c[feature]), else_=0))
        for which in Side
        for feature in STYLE_FEATURES
    ]
    uncounted = func.count() - func.count(ReplyRow.length)
    statement = (
        select(func.min(VoteRow.seq), uncounted, *sums)  # a battle has one vote
        .join(VoteRow, VoteRow.battle == ReplyRow.battle)
        .where(ANSWERED, *own_conditions(selection))
        .group_by(ReplyRow.battle)
    )
    place = np.full(int(seqs[-1]) + 1 if seqs.size else 1, -1)
    place[seqs] = np.arange(seqs.size)
    styles = np.full((seqs.size, len(sums)), UNKNOWN)
    for rows in _chunks(connection, statement):
        found = _numbers(rows)
        found = found[(found[:, 0] < place.size) & (found[:, 1] == 0)]
        at = place[found[:, 0]]
        styles[at[at >= 0]] = found[at >= 0, 2:]
    return styles


def _foreign(connection: Connection, source_id: int, selection: Selection, *, with_styles: bool) -> _Part:
    verdict: ColumnElement[int] = case(CODES, value=type_coerce(ForeignVoteRow.verdict, Text))
    cast_at_us = func.coalesce(ForeignVoteRow.cast_at_us, NO_TIME)
    figures = [func.coalesce(getattr(ForeignStyleRow, name), UNKNOWN) for name in FIGURES] if with_styles else []
    statement = select(ForeignVoteRow.model_a, ForeignVoteRow.model_b, verdict, cast_at_us, *figures).where(
        ForeignVoteRow.source == source_id, *_foreign_conditions(selection)
    )
    if with_styles:
        same = (ForeignStyleRow.source == ForeignVoteRow.source) & (ForeignStyleRow.position == ForeignVoteRow.position)
        statement = statement.outerjoin(ForeignStyleRow, same)
    chunks = _chunks(connection, statement.order_by(ForeignVoteRow.position))
    table = _table((_numbers(rows) for rows in chunks), columns=4 + len(figures))
    names = {row.id: row.name for row in connection.execute(select(ForeignModelRow.id, ForeignModelRow.name))}
    return _Part(table[:, :4], table[:, 4:] if with_styles else None, names)


def _foreign_conditions(selection: Selection) -> Iterator[ColumnElement[bool]]:
    """Votes without a time lie in no range of days: a comparison with null is not true."""
    for name, wanted in categories(selection):
        yield table_of(ForeignVoteRow).c[name] == wanted
    if selection.since is not None:
        yield ForeignVoteRow.cast_at_us >= (start_of(selection.since) - EPOCH) // MICROSECOND
    if selection.until is not None:
        yield ForeignVoteRow.cast_at_us <= (end_of(selection.until) - EPOCH) // MICROSECOND
    if selection.without_ties:
        yield ForeignVoteRow.verdict.not_in(TIES)
    if not selection.with_left_out:
        yield ForeignVoteRow.left_out.is_(None)


def _together(parts: Sequence[_Part], *, with_styles: bool) -> Ordered:
    """One line of votes; the models are those that have some, by name."""
    models = sorted({part.names[number] for part in parts for number in np.unique(part.votes[:, :2]).tolist()})
    index = {name: i for i, name in enumerate(models)}
    votes = np.concatenate([_renumbered(part, index) for part in parts] or [np.empty((0, 4), np.int64)])
    order = np.argsort(votes[:, 3], kind="stable")
    games = Games(
        names=tuple(models),
        seat_a=votes[order, 0].astype(np.int32),
        seat_b=votes[order, 1].astype(np.int32),
        verdicts=votes[order, 2].astype(np.int8),
    )
    if not with_styles:
        return Ordered(games, None)
    empty = np.empty((0, len(FIGURES)), np.int64)
    styles = np.concatenate([part.styles for part in parts if part.styles is not None] or [empty])[order]
    half = len(STYLE_FEATURES)
    return Ordered(games, GameStyles(side_a=styles[:, :half], side_b=styles[:, half:]))


def _renumbered(part: _Part, index: Mapping[str, int]) -> Numbers:
    numbers = np.zeros(max(part.names, default=0) + 1, np.int64)
    for key, name in part.names.items():
        numbers[key] = index.get(name, 0)
    return np.column_stack([numbers[part.votes[:, :2]], part.votes[:, 2:]])


def _chunks(connection: Connection, statement: Executable) -> Iterator[Sequence[Row[Any]]]:
    return connection.execute(statement, execution_options={"yield_per": AT_ONCE}).partitions()


def _numbers(rows: Sequence[Row[Any]]) -> Numbers:
    """Rows of whole numbers as an array, ten times as fast as numpy reads rows."""
    width = len(rows[0])
    return np.fromiter(chain.from_iterable(rows), np.int64, width * len(rows)).reshape(-1, width)


def _table(chunks: Iterable[Numbers], *, columns: int = 5) -> Numbers:
    return np.concatenate([np.empty((0, columns), np.int64), *chunks])
