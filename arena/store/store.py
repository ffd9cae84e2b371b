"""Opening and closing the database."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import DatabaseError

from arena.errors import StoreError
from arena.store.board import read_board
from arena.store.counters import forget_leases
from arena.store.engine import Database, database_of, lock_schema
from arena.store.locking import WriterLock
from arena.store.migrating import Migrated, migrate_on, require_current
from arena.store.queries import Queries
from arena.store.rows import NO_BOUNDS, Bounds
from arena.store.schema import BoardRow
from arena.store.watching import Watch
from arena.store.writer import Writer
from leaderboard.ratings import EloSettings

log = logging.getLogger(__name__)

# Streams renew every 2 seconds; five times that lets one pause of the process pass without interrupting its answers.
LEASE_SECONDS = 10.0

# A server that is restarted is back in 3 to 5 seconds; people wait this long for an acknowledgement, and no longer.
PATIENCE_SECONDS = 8.0


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class Store:
    """A database that is open: `read` asks, `write` changes.

    One process writes a SQLite file, any number write a PostgreSQL database; any number may read beside them. Closing
    stores what is still queued.
    """

    def __init__(
        self,
        database: Database,
        *,
        reading: Engine,
        writing: Engine | None = None,
        writer: Writer | None = None,
        lock: WriterLock | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.read = Queries(reading, database=database, watch=watch)
        self._writer = writer
        self._lock = lock
        self._engines = [engine for engine in (reading, writing) if engine is not None]

    @classmethod
    def open(
        cls,
        url: str,
        *,
        elo: EloSettings | None = None,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], datetime] = utc_now,
        bounds: Bounds = NO_BOUNDS,
        watch: Watch | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Self:
        """Become a writing process: take the lock where there can be but one, migrate, start the writer thread.

        Args:
            url: `sqlite:////absolute/path/arena.db`, where the folder is made when missing, or
                `postgresql://user:password@host/database`.
            elo: settings of a new board; an old one keeps its own, since its votes were folded with them.
            lease_seconds: how long a streaming reply lives without `renew_leases`.
            clock: tells the time in UTC.
            bounds: the budgets of a day.
            watch: is told how long the database takes.
            patience_seconds: how long writes wait for a server that is away.

        Raises:
            StoreLocked: another process writes this file.
            StoreTooNew: a newer program made it.
            StoreError: it is no database, does not answer, or cannot be written.
        """
        database = database_of(url)
        lock = database.begin_writing()
        writing = database.writing_engine()
        try:
            _begin(database, writing, elo)
        except BaseException:
            writing.dispose()
            if lock is not None:
                lock.release()
            raise
        writer = Writer(
            writing,
            database=database,
            clock=clock,
            lease_seconds=lease_seconds,
            patience_seconds=patience_seconds,
            bounds=bounds,
            watch=watch,
        )
        writer.discard_unfinished_sources()  # in steps, behind what comes first
        writer.finish_erasures()
        return cls(database, reading=database.reading_engine(), writing=writing, writer=writer, lock=lock, watch=watch)

    @classmethod
    def migrate(cls, url: str, *, elo: EloSettings | None = None) -> Migrated:
        """Bring a database to this program's schema, or make it, and close it again.

        Raises:
            StoreError: as `open`.
        """
        database = database_of(url)
        lock = database.begin_writing()
        engine = database.writing_engine()
        try:
            return _begin(database, engine, elo)
        finally:
            engine.dispose()
            if lock is not None:
                lock.release()

    @classmethod
    def open_to_read(cls, url: str) -> Self:
        """Read beside writing processes, or without one; takes no lock and changes nothing.

        Raises:
            StoreTooNew: a newer program made it.
            StoreError: there is no such database, or it wants migrating.
        """
        database = database_of(url)
        database.require_there()
        reading = database.reading_engine()
        try:
            require_current(reading)
        except DatabaseError as exc:
            reading.dispose()
            raise StoreError(database.in_words(exc)) from exc
        except BaseException:
            reading.dispose()
            raise
        return cls(database, reading=reading)

    @property
    def write(self) -> Writer:
        """The verbs that change the database.

        Raises:
            StoreError: this store was opened to read.
        """
        if self._writer is None:
            raise StoreError("This database was opened to read: open it with Store.open to write.")
        return self._writer

    def close(self) -> None:
        """Store what is queued, close all connections, let another process write; may be called twice."""
        if self._writer is not None:
            self._writer.close()
        for engine in self._engines:
            engine.dispose()
        if self._lock is not None:
            self._lock.release()


def _begin(database: Database, engine: Engine, elo: EloSettings | None) -> Migrated:
    """Migrate and begin the board in one transaction, so that of many processes one does both."""
    try:
        with engine.begin() as connection:
            lock_schema(connection)
            migrated = migrate_on(connection)
            _begin_board(connection, elo)
            if not database.shared:
                forget_leases(connection)  # whoever held them is dead
    except DatabaseError as exc:
        raise StoreError(database.in_words(exc)) from exc
    return migrated


def _begin_board(connection: Connection, elo: EloSettings | None) -> None:
    if connection.scalar(select(BoardRow.id)) is None:
        settings = elo or EloSettings()
        values = {"k": settings.k, "start": settings.start, "scale": settings.scale}
        connection.execute(insert(BoardRow).values(id=1, version=0, last_seq=0, **values))
    elif elo is not None and elo != (stored := read_board(connection).elo):
        log.warning("the board keeps its Elo settings", extra={"stored": str(stored), "asked": str(elo)})
