"""Which votes a selection holds: sums over tallies, and the votes themselves where a method needs their order."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from types import MappingProxyType

from sqlalchemy import ColumnElement, Connection, func, select

from arena.language import UNDETERMINED
from arena.selection import Selection
from arena.store.board import COUNTED, SOURCE, end_of, read_board, start_of
from arena.store.failures import lost_battles, tallied
from arena.store.foreign_schema import UNKNOWN_DAY
from arena.store.ordered import TIES, categories, ordered_votes, own_conditions
from arena.store.rows import DayVotes, Facets, LastVote, SelectedVotes
from arena.store.schema import TallyRow, VoteRow
from arena.store.sources import live
from leaderboard.games import Tally
from leaderboard.verdicts import Verdict


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


def selected_votes(
    connection: Connection, selection: Selection, *, in_order: bool, with_styles: bool = False
) -> SelectedVotes:
    """The selection's votes by pair, how many are left out, and on demand its games in order, with their styles."""
    board = read_board(connection)
    key = (TallyRow.seat_a, TallyRow.seat_b, TallyRow.verdict)
    two = TallyRow.seat_a != TallyRow.seat_b  # a model that meets itself says nothing about its strength
    sums = select(*key, func.sum(TallyRow.n).label("n")).where(*conditions(connection, selection), two)
    sources = sorted(selection.sources)
    ordered = (
        ordered_votes(connection, sources, selection=selection, with_styles=with_styles)
        if in_order or with_styles
        else None
    )
    tallies = tuple(Tally(*row) for row in connection.execute(sums.group_by(*key).order_by(*key)) if row.n)
    lost = tallied(lost_battles(connection, selection)) if selection.failed_loses else ()
    return SelectedVotes(
        version=board.version,
        last_seq=board.last_seq,
        tallies=_together(tallies, lost) if lost else tallies,
        left_out=MappingProxyType({} if selection.with_left_out else _left_out(connection, selection)),
        games=ordered.games if ordered else None,
        styles=ordered.styles if ordered else None,
        last_vote=_last_vote(connection, selection),
        undated=_undated(connection, selection),
        failed_lost=sum(tally.n for tally in lost),
    )


def votes_per_day(connection: Connection, selection: Selection) -> tuple[DayVotes, ...]:
    """Per UTC day with votes, how many of the selection were cast; by day."""
    days = (
        select(TallyRow.day, func.sum(TallyRow.n).label("n"))
        .where(*conditions(connection, selection), TallyRow.day != UNKNOWN_DAY)
        .group_by(TallyRow.day)
        .order_by(TallyRow.day)
    )
    return tuple(DayVotes(date.fromisoformat(row.day), row.n) for row in connection.execute(days) if row.n)


def _together(*parts: Sequence[Tally]) -> tuple[Tally, ...]:
    sums: Counter[tuple[str, str, Verdict]] = Counter()
    for tally in chain(*parts):
        sums[tally[:3]] += tally.n
    return tuple(Tally(*key, n) for key, n in sorted(sums.items()))


def _visible(connection: Connection) -> tuple[str, ...]:
    """The arena and the live sources: of files that are being loaded or removed there may be tallies, too."""
    return (SOURCE, *(source.name for source in live(connection)))


def _last_vote(connection: Connection, selection: Selection) -> LastVote:
    """When the selection's last vote was cast, counted or not: to the day, of the arena's own to the moment."""
    dated = [*_stored(connection, selection), TallyRow.day != UNKNOWN_DAY, TallyRow.n > 0]
    latest = select(TallyRow.day).where(*dated).order_by(TallyRow.day.desc()).limit(1)
    # Source by source each is one step in the index.
    days = [connection.scalar(latest.where(TallyRow.source == source)) for source in sorted(selection.sources)]
    day = max(filter(None, days), default=None)
    if day is None:
        return LastVote(None, None)
    last = date.fromisoformat(day)
    if selection.sources != {SOURCE}:
        return LastVote(last, None)
    on_it = (VoteRow.cast_at >= start_of(last), VoteRow.cast_at <= end_of(last))
    return LastVote(
        last, connection.scalar(select(func.max(VoteRow.cast_at)).where(*own_conditions(selection), *on_it))
    )


def _undated(connection: Connection, selection: Selection) -> int:
    """Votes without a time, which no range of days holds; 0 where days do not matter."""
    if selection.since is None and selection.until is None:
        return 0
    always = replace(selection, since=None, until=None)
    sums = select(func.sum(TallyRow.n)).where(*conditions(connection, always), TallyRow.day == UNKNOWN_DAY)
    return connection.scalar(sums) or 0


def conditions(connection: Connection, selection: Selection) -> Iterator[ColumnElement[bool]]:
    """What the tallies that a selection counts have in common."""
    yield from _stored(connection, selection)
    if not selection.with_left_out:
        yield TallyRow.left_out == COUNTED


def _stored(connection: Connection, selection: Selection) -> Iterator[ColumnElement[bool]]:
    """The same, with what is left out; days are ISO texts, and the text for an unknown day sorts before all of them."""
    yield TallyRow.source.in_([name for name in _visible(connection) if name in selection.sources])
    for name, wanted in categories(selection):
        yield TallyRow.__table__.c[name] == wanted
    if selection.since is not None:
        yield TallyRow.day >= selection.since.isoformat()
    if selection.until is not None:
        yield TallyRow.day <= selection.until.isoformat()
        yield TallyRow.day != UNKNOWN_DAY
    if selection.without_ties:
        yield TallyRow.verdict.not_in(TIES)


def _left_out(connection: Connection, selection: Selection) -> Mapping[str, int]:
    sums = (
        select(TallyRow.left_out, func.sum(TallyRow.n).label("n"))
        .where(*_stored(connection, selection), TallyRow.left_out != COUNTED)
        .group_by(TallyRow.left_out)
        .order_by(TallyRow.left_out)
    )
    return {row.left_out: row.n for row in connection.execute(sums) if row.n}
