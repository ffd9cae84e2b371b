"""Imported files, step by step: begun, filled in short chunks that nobody sees, then switched live at one stroke;
hidden again at one stroke, then removed in short chunks.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, literal, select, tuple_, update

from arena.errors import ImportRefused, UnknownSource
from arena.store.audit import record
from arena.store.board import SOURCE, TALLY, bump_board, lock_board
from arena.store.counters import end_lease, keep_lease, leased, take_lease
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
from arena.store.schema import table_of

# What one transaction removes: so much that voters wait a few hundredths of a second. Texts are a thousand times as
# large as the other rows, and what is deleted is overwritten.
REMOVED_AT_ONCE = 10_000
TALLIES_AT_ONCE = 2_000
TEXTS_AT_ONCE = 250
MODELS_AT_ONCE = 2
# The engine looks for the votes of a model that is deleted by reading all votes: with more than these, names stay.
VOTES_TO_SEARCH = 100_000

# An importing process that says nothing for so long is taken for dead.
LOADING_LEASE = timedelta(minutes=5)

_OfVote = ForeignTextRow | ForeignStyleRow | ForeignVoteRow


def begin(connection: Connection, new: NewSource, *, holder: str, now: datetime) -> int:
    """The number of a new source that `holder` is loading.

    Raises:
        ImportRefused: its name is taken, or its file was imported before.
    """
    same = select(SourceRow.name, SourceRow.state).where(SourceRow.sha256 == new.sha256)
    taken = connection.execute(same).one_or_none()
    if taken is not None and taken.state is SourceState.LOADING:
        raise ImportRefused(
            f"This very file is being imported as {taken.name!r} or removed: wait for that to end; "
            f"an import that was killed is removed {LOADING_LEASE.seconds // 60} minutes later."
        )
    if taken is not None:
        raise ImportRefused(f"This very file was imported as {taken.name!r} before: nothing was added.")
    if new.name == SOURCE or connection.scalar(select(SourceRow.id).where(SourceRow.name == new.name)) is not None:
        raise ImportRefused(f"There is a source named {new.name!r} already: give this one another name with --name.")
    values = {name: getattr(new, name) for name in NewSource.__slots__}
    statement = insert(SourceRow).values(state=SourceState.LOADING, imported_at=now, votes=0, **values)
    source_id = int(connection.scalars(statement.returning(SourceRow.id)).one())
    take_lease(connection, _chore(source_id), holder=holder, now=now, until=now + LOADING_LEASE)
    return source_id


def model_keys(connection: Connection, names: Collection[str]) -> Mapping[str, int]:
    """The numbers of these models' names; new names get one."""
    known = connection.execute(select(ForeignModelRow.name, ForeignModelRow.id))
    keys = {row.name: row.id for row in known if row.name in names}
    missing = [{"name": name} for name in sorted(set(names) - keys.keys())]
    if missing:
        statement = insert(ForeignModelRow).returning(ForeignModelRow.name, ForeignModelRow.id)
        keys |= {row.name: row.id for row in connection.execute(statement, missing)}
    return keys


def load(connection: Connection, source_id: int, chunk: ForeignChunk, *, holder: str, now: datetime) -> None:
    """Store a chunk of votes and of tallies.

    Raises:
        ImportRefused: it paused for so long that another process took it for dead.
    """
    if not keep_lease(connection, _chore(source_id), holder=holder, until=now + LOADING_LEASE):
        raise ImportRefused("This import paused for so long that it was given up and removed: start it again.")
    insert_many(connection, table_of(ForeignVoteRow), chunk.votes)
    insert_many(connection, table_of(ForeignTextRow), chunk.texts)
    insert_many(connection, table_of(ForeignStyleRow), chunk.styles)
    count_many(connection, TALLY, chunk.tallies)


def publish(connection: Connection, source_id: int, *, votes: int, actor: str, now: datetime) -> Source:
    """Switch a loaded source live."""
    board = lock_board(connection)
    values = {"state": SourceState.LIVE, "votes": votes, "imported_at": now}
    connection.execute(update(SourceRow).where(SourceRow.id == source_id).values(values))
    end_lease(connection, _chore(source_id))
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
    """The sources whose loading began and has not ended, and those that are being removed."""
    return connection.scalars(select(SourceRow.id).where(SourceRow.state == SourceState.LOADING)).all()


def given_up(connection: Connection, *, now: datetime) -> Collection[int]:
    """Those of them that no process is loading at this moment."""
    busy = leased(connection, now=now)
    return [source_id for source_id in unfinished(connection) if _chore(source_id) not in busy]


def hide(connection: Connection, name: str, *, actor: str, now: datetime) -> int:
    """Take a live source from the readers' eyes, to be removed; its number.

    It is again what an import is before it becomes live, so that whatever breaks off its removal, the next opening goes
    on with it.

    Raises:
        UnknownSource: there is no such source, or it is the arena's own votes; nothing is changed.
    """
    board = lock_board(connection)
    there = {source.name: source for source in live(connection)}
    if name not in there:
        known = f"known are {', '.join(there)}" if there else "nothing has been imported"
        what = "The arena's own votes are no imported source" if name == SOURCE else f"There is no source {name!r}"
        raise UnknownSource(f"{what}; {known}. Nothing was removed.")
    source = there[name]
    connection.execute(update(SourceRow).where(SourceRow.id == source.id).values(state=SourceState.LOADING))
    bump_board(connection, board)
    before = json.dumps({"format": source.format, "votes": source.votes, "sha256": source.sha256})
    record(connection, actor=actor, action="source removed", target=name, before=before, now=now)
    return source.id


def remove_some(connection: Connection, source_id: int) -> bool:
    """Remove a part of a source that is not live; whether all of it is gone.

    Whoever was loading it can go on no more. The last part takes the source itself, so that an interrupted removal goes
    on where it stopped.
    """
    end_lease(connection, _chore(source_id))
    for row, at_once in (
        (ForeignTextRow, TEXTS_AT_ONCE),
        (ForeignStyleRow, REMOVED_AT_ONCE),
        (ForeignVoteRow, REMOVED_AT_ONCE),
    ):
        if _remove_first(connection, row, source_id, at_once=at_once):
            return False
    name = connection.scalar(select(SourceRow.name).where(SourceRow.id == source_id))
    if name is not None and _remove_first_tallies(connection, name):
        return False
    if unused := _unused_models(connection, source_id):
        connection.execute(delete(ForeignModelRow).where(ForeignModelRow.id.in_(unused)))
        return False
    connection.execute(delete(SourceRow).where(SourceRow.id == source_id))
    return True


def _chore(source_id: int) -> str:
    return f"import {source_id}"


def _remove_first(connection: Connection, row: type[_OfVote], source_id: int, *, at_once: int) -> bool:
    """Remove the first rows of a source, in the order of the file; whether there were any."""
    places = select(row.position).where(row.source == source_id).order_by(row.position).limit(at_once)
    last = connection.scalar(select(func.max(places.subquery().c.position)))
    if last is None:
        return False
    connection.execute(delete(row).where(row.source == source_id, row.position <= last))
    return True


def _remove_first_tallies(connection: Connection, name: str) -> bool:
    """The same for its tallies, in the order of their key."""
    key = [column for column in TALLY.primary_key if column.name != "source"]
    of_source = TALLY.c.source == name
    last = connection.execute(select(*key).where(of_source).order_by(*key).offset(TALLIES_AT_ONCE - 1).limit(1)).first()
    if last is None:
        return connection.execute(delete(TALLY).where(of_source)).rowcount > 0
    upto = tuple_(*(literal(value, column.type) for value, column in zip(last, key, strict=True)))
    connection.execute(delete(TALLY).where(of_source, tuple_(*key) <= upto))
    return True


def _unused_models(connection: Connection, source_id: int) -> Collection[int]:
    """The first models that no vote names; none when finding them would take long, or when something is being loaded,
    whose loader may be about to use them.
    """
    if set(unfinished(connection)) != {source_id}:
        return ()
    votes = select(func.sum(SourceRow.votes)).where(SourceRow.tallies_only.is_not_distinct_from(False))
    if (connection.scalar(votes.where(SourceRow.state == SourceState.LIVE)) or 0) > VOTES_TO_SEARCH:
        return ()
    used = select(ForeignVoteRow.model_a).union(select(ForeignVoteRow.model_b))
    unused = select(ForeignModelRow.id).where(ForeignModelRow.id.not_in(used)).order_by(ForeignModelRow.id)
    return connection.scalars(unused.limit(MODELS_AT_ONCE)).all()
