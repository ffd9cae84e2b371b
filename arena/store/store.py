"""Opening and closing the database."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import DatabaseError

from arena.errors import StoreError
from arena.store.board import read_board
from arena.store.engine import database_path, reading_engine, writing_engine
from arena.store.locking import WriterLock
from arena.store.migrating import migrate, require_current
from arena.store.queries import Queries
from arena.store.rows import NO_BOUNDS, Bounds
from arena.store.schema import BoardRow
from arena.store.writer import Writer
from leaderboard.ratings import EloSettings

log = logging.getLogger(__name__)

# Streams renew every 2 seconds; five times that lets one pause of the process pass without interrupting its answers.
LEASE_SECONDS = 10.0


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class Store:
    """A database that is open: `read` asks, `write` changes.

    One process writes a SQLite file; any number may read beside it. Closing stores what is still queued.
    """

    def __init__(
        self,
        *,
        reading: Engine,
        writing: Engine | None = None,
        writer: Writer | None = None,
        lock: WriterLock | None = None,
    ) -> None:
        self.read = Queries(reading)
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
    ) -> Self:
        """Become the writing process: take the lock, migrate, start the writer thread.

        Args:
            url: `sqlite:////absolute/path/arena.db`; the folder is made when missing.
            elo: settings of a new board; an old one keeps its own, since its votes were folded with them.
            lease_seconds: how long a streaming reply lives without `renew_leases`.
            clock: tells the time in UTC.
            bounds: the budgets of a day.

        Raises:
            StoreLocked: another process writes this file.
            StoreTooNew: a newer program made it.
            StoreError: it is no database, or cannot be written.
        """
        path = database_path(url)
        lock = WriterLock.take(path)
        writing = writing_engine(path)
        try:
            migrate(writing)
            _begin_board(writing, elo)
        except DatabaseError as exc:
            writing.dispose()
            lock.release()
            raise StoreError(f"{path} cannot be used as a database: {exc.orig}.") from exc
        except BaseException:
            writing.dispose()
            lock.release()
            raise
        writer = Writer(writing, clock=clock, lease_seconds=lease_seconds, bounds=bounds)
        writer.discard_unfinished_sources()  # in steps, behind what comes first
        return cls(reading=reading_engine(path), writing=writing, writer=writer, lock=lock)

    @classmethod
    def open_to_read(cls, url: str) -> Self:
        """Read beside a writing process, or without one; takes no lock and changes nothing.

        Raises:
            StoreTooNew: a newer program made it.
            StoreError: there is no such database, or it wants migrating.
        """
        path = database_path(url)
        if not path.is_file():
            raise StoreError(f"There is no database {path}: start the arena once, or name another file.")
        reading = reading_engine(path)
        try:
            require_current(reading)
        except DatabaseError as exc:
            reading.dispose()
            raise StoreError(f"{path} cannot be read as a database: {exc.orig}.") from exc
        except BaseException:
            reading.dispose()
            raise
        return cls(reading=reading)

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


def _begin_board(engine: Engine, elo: EloSettings | None) -> None:
    with engine.begin() as connection:
        if connection.scalar(select(BoardRow.id)) is None:
            settings = elo or EloSettings()
            values = {"k": settings.k, "start": settings.start, "scale": settings.scale}
            connection.execute(insert(BoardRow).values(id=1, version=0, last_seq=0, **values))
        elif elo is not None and elo != (stored := read_board(connection).elo):
            log.warning("the board keeps its Elo settings", extra={"stored": str(stored), "asked": str(elo)})
