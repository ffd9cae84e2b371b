"""SQLite: one file, one writing process, any number that read."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Self

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from arena.errors import StoreError, StoreMissing
from arena.store.locking import WriterLock
from arena.store.trouble import Trouble

BUSY_TIMEOUT_MS = 10_000
READ_POOL = 5
READ_OVERFLOW = 5

REMEDIES = {
    "disk is full": " Make room: the arena goes on by itself.",
    "disk I/O error": " The disk has failed or is full: the arena goes on by itself once it can be written.",
    "readonly database": " Who runs the arena must be allowed to write the file and its folder.",
}


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """The file at `path`, through `driver` instead of the SQLite that is there if one is given."""

    path: Path
    driver: ModuleType | None = None

    @classmethod
    def at(cls, url: URL) -> Self:
        """The file that a URL names.

        Raises:
            StoreError: it names none.
        """
        if url.database in {None, "", ":memory:"} or str(url.database).startswith("file:"):
            raise StoreError("database_url is not a file, so votes would be lost: use sqlite:////path/arena.db.")
        return cls(Path(str(url.database)).absolute())

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def shared(self) -> bool:
        """One process writes a file."""
        return False

    def begin_writing(self) -> WriterLock:
        """Become the one process that writes the file."""
        return WriterLock.take(self.path)

    def require_there(self) -> None:
        """Check that there is such a file: connecting would make one."""
        if not self.path.is_file():
            raise StoreMissing(f"There is no database {self.path}: start the arena once, or name another file.")

    def writing_engine(self) -> Engine:
        """One connection whose every transaction takes SQLite's write lock at its beginning."""
        return self._engine(pool_size=1, max_overflow=0, begin="BEGIN IMMEDIATE", read_only=False)

    def reading_engine(self) -> Engine:
        """A few connections; each transaction is one consistent snapshot and can change nothing."""
        return self._engine(pool_size=READ_POOL, max_overflow=READ_OVERFLOW, begin="BEGIN DEFERRED", read_only=True)

    def trouble(self, error: SQLAlchemyError) -> Trouble:
        """Locked, full or unreadable files are operational errors."""
        passing = isinstance(error, OperationalError) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        )
        return Trouble.BUSY if passing else Trouble.LASTING

    def in_words(self, error: SQLAlchemyError) -> str:
        """SQLite's own words are short, and quote no values."""
        what = str(error.orig if isinstance(error, DBAPIError) else error)
        remedy = next((remedy for words, remedy in REMEDIES.items() if words in what), "")
        return f"{self.path} cannot be read or written as a database: {what}.{remedy}"

    def _engine(self, *, pool_size: int, max_overflow: int, begin: str, read_only: bool) -> Engine:
        engine = create_engine(
            URL.create("sqlite+pysqlite", database=os.fspath(self.path)),
            module=self.driver or installed_driver(),
            poolclass=QueuePool,
            hide_parameters=True,  # prompts and answers belong in no log and no traceback
            pool_size=pool_size,
            max_overflow=max_overflow,
            connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        )
        event.listen(engine, "connect", lambda connection, _record: _prepare(connection, read_only=read_only))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine


# pysqlite3 carries a newer SQLite than most systems: before 3.51.3 two connections that write and checkpoint at once
# can corrupt the file ("WAL-reset fault").
def installed_driver() -> ModuleType:
    """SQLite as it is installed."""
    try:
        from pysqlite3 import dbapi2  # noqa: PLC0415 - has a wheel on some platforms only
    except ImportError:
        return sqlite3
    driver: ModuleType = dbapi2
    return driver


# isolation_level None turns the driver's own, late BEGIN off: with it a read-then-write transaction loses updates
# silently. synchronous FULL is what makes an acknowledged vote survive a power cut.
def _prepare(connection: sqlite3.Connection, *, read_only: bool) -> None:
    cursor = connection.cursor()
    if not read_only:
        cursor.execute("PRAGMA journal_mode = WAL")
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(f"PRAGMA query_only = {int(read_only)}")
    cursor.close()
