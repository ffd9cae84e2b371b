"""Imported files, step by step: begun, filled in short chunks that nobody sees, then switched live at one stroke."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import accumulate

from sqlalchemy import Connection, delete, func, insert, select, update

from arena.errors import ImportRefused
from arena.store.audit import record
from arena.store.board import SOURCE, TALLY, bump_board, lock_board
from arena.store.engine import count_many, insert_many
from arena.store.foreign_schema import (
    ForeignModelRow,
    ForeignStyleRow,
    ForeignTextRow,
    ForeignVoteRow,
    SourceRow,
    SourceState,
)
from arena.store.rows import ForeignChunk, NewSource, Source
from arena.store.schema import TallyRow, table_of

# One transaction removes so many votes: a tenth of a second, in which voters wait.
REMOVED_AT_ONCE = 10_000
DAYS_AT_ONCE = 500


def begin(connection: Connection, new: NewSource, *, now: datetime) -> int:
    """The number of a new source that is being loaded.

    Raises:
        ImportRefused: its name is taken, or its file was imported before.
    """
    taken = connection.scalar(select(SourceRow.name).where(SourceRow.sha256 == new.sha256))
    if taken is not None:
        raise ImportRefused(f"This very file was imported as {taken!r} before: nothing was added.")
    if new.name == SOURCE or connection.scalar(select(SourceRow.id).where(SourceRow.name == new.name)) is not None:
        raise ImportRefused(f"There is a source named {new.name!r} already: give this one another name with --name.")
    values = {name: getattr(new, name) for name in NewSource.__slots__}
    statement = insert(SourceRow).values(state=SourceState.LOADING, imported_at=now, votes=0, **values)
    return int(connection.scalars(statement.returning(SourceRow.id)).one())


def model_keys(connection: Connection, names: Collection[str]) -> Mapping[str, int]:
    """The numbers of these models' names; new names get one."""
    known = connection.execute(select(ForeignModelRow.name, ForeignModelRow.id))
    keys = {row.name: row.id for row in known if row.name in names}
    missing = [{"name": name} for name in sorted(set(names) - keys.keys())]
    if missing:
        statement = insert(ForeignModelRow).returning(ForeignModelRow.name, ForeignModelRow.id)
        keys |= {row.name: row.id for row in connection.execute(statement, missing)}
    return keys


def load(connection: Connection, chunk: ForeignChunk) -> None:
    """Store a chunk of votes and of tallies."""
    insert_many(connection, table_of(ForeignVoteRow), chunk.votes)
    insert_many(connection, table_of(ForeignTextRow), chunk.texts)
    insert_many(connection, table_of(ForeignStyleRow), chunk.styles)
    count_many(connection, TALLY, chunk.tallies)


def publish(connection: Connection, source_id: int, *, votes: int, actor: str, now: datetime) -> Source:
    """Switch a loaded source live."""
    board = lock_board(connection)
    values = {"state": SourceState.LIVE, "votes": votes, "imported_at": now}
    connection.execute(update(SourceRow).where(SourceRow.id == source_id).values(values))
    bump_board(connection, board)
    source = next(source for source in live(connection) if source.id == source_id)
    after = json.dumps({"format": source.format, "votes": votes, "sha256": source.sha256})
    record(connection, actor=actor, action="source imported", target=source.name, after=after, now=now)
    return source


def live(connection: Connection) -> tuple[Source, ...]:
    """The sources that readers may see, by name."""
    statement = select(*table_of(SourceRow).c).where(SourceRow.state == SourceState.LIVE).order_by(SourceRow.name)
    return tuple(
        Source(**{name: getattr(row, name) for name in Source.__slots__}) for row in connection.execute(statement)
    )


def unfinished(connection: Connection) -> Collection[int]:
    """The sources whose loading began and has not ended."""
    return connection.scalars(select(SourceRow.id).where(SourceRow.state == SourceState.LOADING)).all()


def remove_some(connection: Connection, source_id: int) -> bool:
    """Remove a part of a source that is not live; whether all of it is gone.

    The last part takes the source itself, so that an interrupted removal goes on where it stopped.
    """
    first = connection.scalar(select(func.min(ForeignVoteRow.position)).where(ForeignVoteRow.source == source_id))
    if first is not None:
        for row in (ForeignTextRow, ForeignStyleRow, ForeignVoteRow):
            to = first + REMOVED_AT_ONCE
            connection.execute(delete(row).where(row.source == source_id, row.position < to))
        return False
    name = connection.scalar(select(SourceRow.name).where(SourceRow.id == source_id))
    if days := _first_days(connection, str(name)):
        connection.execute(delete(TallyRow).where(TallyRow.source == name, TallyRow.day.in_(days)))
        return False
    connection.execute(delete(SourceRow).where(SourceRow.id == source_id))
    return True


def _first_days(connection: Connection, name: str) -> list[str]:
    """The first days of a source's tallies that together have few enough rows to go at once; at least one."""
    per_day = select(TallyRow.day, func.count().label("n")).where(TallyRow.source == name).group_by(TallyRow.day)
    found = connection.execute(per_day.order_by(TallyRow.day).limit(DAYS_AT_ONCE)).all()
    so_far = accumulate(row.n for row in found)
    return [row.day for i, (row, n) in enumerate(zip(found, so_far, strict=True)) if i == 0 or n <= REMOVED_AT_ONCE]
