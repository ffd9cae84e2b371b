"""A consistent copy of a running database as one file, and such a file back into a database, on either engine."""

import os
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, select
from sqlalchemy.exc import DatabaseError

from arena.errors import StoreError
from arena.store.copy_facts import CopyFacts, facts_of, require_free
from arena.store.engine import database_of
from arena.store.postgresql import PostgresDatabase
from arena.store.postgresql_copies import PostgresCopies
from arena.store.rows import VerifyReport
from arena.store.schema import BoardRow
from arena.store.sqlite import SqliteDatabase
from arena.store.store import Store


class Copies(Protocol):
    """How one engine copies a database.

    `suffix` is what its copies are usually called; `beside` is where a copy to `load` has to lie, if anywhere.
    """

    @property
    def suffix(self) -> str:
        """With its dot."""

    @property
    def beside(self) -> Path | None:
        """A file in the folder that will do."""

    def save(self, target: Path) -> CopyFacts:
        """Copy the database into a new file while others write; what was committed before is in it.

        Raises:
            StoreError: it cannot be read, or the file cannot be written.
        """

    def load(self, source: Path, *, force: bool) -> VerifyReport:
        """Replace the database by a copy, migrated and verified.

        Raises:
            RestoreRefused: the database holds votes and `force` is off, or somebody works with it.
            StoreLocked: a server writes it.
            StoreCorrupt: the copy is not sound.
        """


def copies_of(url: str) -> Copies:
    """What copies the database of this URL.

    Raises:
        StoreError: it is no URL, or names an engine, a driver or a file that cannot hold votes.
    """
    match database_of(url):
        case SqliteDatabase() as database:
            return SqliteCopies(database)
        case PostgresDatabase() as database:
            return PostgresCopies(database)
        case other:
            raise StoreError(f"Nobody can copy {other.name}.")


class SqliteCopies:
    """By SQLite's own backup, under one reading transaction: nobody who writes waits for it."""

    suffix = ".sqlite3"

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._path = database.path

    @property
    def beside(self) -> Path:
        """The database itself, whose name the copy takes; its folder is made when missing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path

    def save(self, target: Path) -> CopyFacts:
        """See `Copies`."""
        Store.open_to_read(_url(self._path)).close()  # refuses what is no database of this program
        engine = self._database.reading_engine()
        try:
            _copy(engine, target)
        except (DatabaseError, engine.dialect.loaded_dbapi.Error) as exc:
            raise StoreError(f"{self._path} cannot be copied: {exc}.") from exc
        finally:
            engine.dispose()
        return _facts(target)

    def load(self, source: Path, *, force: bool) -> VerifyReport:
        """See `Copies`; the old file stays until the new one is verified."""
        lock = self._database.begin_writing()
        try:
            require_free(str(self._path), self._votes_there(), force=force)
            report = _verified(source)
            _replace(source, self._path)
        finally:
            lock.release()
        return report

    def _votes_there(self) -> int | None:
        """How many votes the file holds; None when it cannot be read."""
        if not self._path.is_file() or self._path.stat().st_size == 0:
            return 0
        engine = self._database.reading_engine()
        try:
            with engine.connect() as connection:
                return connection.scalar(select(BoardRow.last_seq)) or 0
        except DatabaseError:
            return None
        finally:
            engine.dispose()


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _copy(engine: Engine, target: Path) -> None:
    driver = engine.dialect.loaded_dbapi
    source, copy = engine.raw_connection(), driver.connect(os.fspath(target), isolation_level=None)
    try:
        # In one step: with several, every write of others would make it begin anew.
        driver_connection: Any = source.driver_connection
        driver_connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    finally:
        copy.close()
        source.close()


def _facts(path: Path) -> CopyFacts:
    engine = SqliteDatabase(path).reading_engine()
    try:
        with engine.connect() as connection:
            return facts_of(connection)
    finally:
        engine.dispose()


def _verified(path: Path) -> VerifyReport:
    """Bring a copy to this program's schema, and recompute everything."""
    store = Store.open(_url(path))
    try:
        return store.read.verify()
    finally:
        store.close()


def _replace(source: Path, path: Path) -> None:
    """Put a file in the place of a database that nobody writes."""
    for log in ("-wal", "-shm"):  # before: SQLite would add the old log to the new file
        path.with_name(path.name + log).unlink(missing_ok=True)
    source.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
