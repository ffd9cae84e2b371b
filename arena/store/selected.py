"""Which votes a selection holds: sums over tallies, and the votes themselves where a method needs their order."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from arena.language import UNDETERMINED
from arena.selection import Selection
from arena.store.board import COUNTED, SOURCE, STRATUM, read_board, votes_now
from arena.store.foreign_schema import UNKNOWN_DAY
from arena.store.rows import DayVotes, Facets, SelectedVotes
from arena.store.schema import TallyRow, VoteRow
from arena.store.sources import live
from leaderboard.games import Game, Tally
from leaderboard.verdicts import Verdict

TIES = (Verdict.TIE, Verdict.BOTH_BAD)


def facets(connection: Connection) -> Facets:
    """What the stored votes can be selected by."""
    sources = _visible(connection)
    seen = TallyRow.source.in_(sources)
    languages = connection.scalars(select(TallyRow.language).where(seen).distinct().order_by(TallyRow.language)).all()
    days = select(func.min(TallyRow.day), func.max(TallyRow.day)).where(seen, TallyRow.day != UNKNOWN_DAY)
    first, last = connection.execute(days).one()
    return Facets(
        sources=sources,
        languages=tuple(language for language in languages if language != UNDETERMINED),
        first_day=date.fromisoformat(first) if first else None,
        last_day=date.fromisoformat(last) if last else None,
    )


def selected_votes(connection: Connection, selection: Selection, *, in_order: bool) -> SelectedVotes:
    """The selection's votes by pair, how many of it are left out, and on demand its games in order."""
    key = (TallyRow.seat_a, TallyRow.seat_b, TallyRow.verdict)
    wanted = list(_conditions(connection, selection))
    counted = [] if selection.with_left_out else [TallyRow.left_out == COUNTED]
    sums = select(*key, func.sum(TallyRow.n).label("n")).where(*wanted, *counted).group_by(*key).order_by(*key)
    return SelectedVotes(
        version=read_board(connection).version,
        tallies=tuple(Tally(*row) for row in connection.execute(sums) if row.n),
        left_out=MappingProxyType({} if selection.with_left_out else _left_out(connection, wanted)),
        games=_games(connection, selection) if in_order and selection.sources == {SOURCE} else None,
    )


def votes_per_day(connection: Connection, selection: Selection) -> tuple[DayVotes, ...]:
    """Per UTC day with votes, how many of the selection were cast; by day."""
    counted = [] if selection.with_left_out else [TallyRow.left_out == COUNTED]
    days = (
        select(TallyRow.day, func.sum(TallyRow.n).label("n"))
        .where(*_conditions(connection, selection), *counted, TallyRow.day != UNKNOWN_DAY)
        .group_by(TallyRow.day)
        .order_by(TallyRow.day)
    )
    return tuple(DayVotes(date.fromisoformat(row.day), row.n) for row in connection.execute(days) if row.n)


def _games(connection: Connection, selection: Selection) -> tuple[Game, ...]:
    """The arena's own votes of a selection, in the order in which they were cast."""
    conditions = [VoteRow.__table__.c[name] == wanted for name, wanted in _categories(selection)]
    if selection.without_ties:
        conditions.append(VoteRow.verdict.not_in(TIES))
    votes = connection.execute(votes_now().where(*conditions))
    return tuple(
        Game(vote.seat_a, vote.seat_b, vote.verdict)
        for vote in votes
        if (selection.with_left_out or vote.left_out is None) and _in_time(vote.cast_at.date(), selection)
    )


def _visible(connection: Connection) -> tuple[str, ...]:
    """The arena and the live sources: of files that are being loaded or removed there may be tallies, too."""
    return (SOURCE, *(source.name for source in live(connection)))


def _conditions(connection: Connection, selection: Selection) -> Iterator[ColumnElement[bool]]:
    yield TallyRow.source.in_([name for name in _visible(connection) if name in selection.sources])
    for name, wanted in _categories(selection):
        yield TallyRow.__table__.c[name] == wanted
    if selection.since is not None:
        yield TallyRow.day >= selection.since.isoformat()
    if selection.until is not None:
        yield TallyRow.day <= selection.until.isoformat()
    if selection.without_ties:
        yield TallyRow.verdict.not_in(TIES)


def _categories(selection: Selection) -> Iterator[tuple[str, Any]]:
    for name in STRATUM:
        wanted = getattr(selection, name)
        if wanted is not None:
            yield name, wanted


def _in_time(day: date, selection: Selection) -> bool:
    after = selection.since is None or day >= selection.since
    return after and (selection.until is None or day <= selection.until)


def _left_out(connection: Connection, wanted: list[ColumnElement[bool]]) -> Mapping[str, int]:
    sums = (
        select(TallyRow.left_out, func.sum(TallyRow.n).label("n"))
        .where(*wanted, TallyRow.left_out != COUNTED)
        .group_by(TallyRow.left_out)
        .order_by(TallyRow.left_out)
    )
    return {row.left_out: row.n for row in connection.execute(sums) if row.n}
