"""Everything that differs between database engines: connections, locking, upsert."""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Engine, Executable, Table, Text, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from arena.errors import StoreError

BUSY_TIMEOUT_MS = 10_000
READ_POOL = 5
READ_OVERFLOW = 5


def database_path(url: str) -> Path:
    """The SQLite file that a database URL names.

    Raises:
        StoreError: it is no URL, names another engine, or names no file.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(
            f"database_url names {parsed.get_backend_name()!r}, which is not SQLite: use sqlite:////path/arena.db."
        )
    if parsed.database in {None, "", ":memory:"} or str(parsed.database).startswith("file:"):
        raise StoreError("database_url is not a file, so votes would be lost: use sqlite:////path/arena.db.")
    return Path(str(parsed.database)).absolute()


def writing_engine(path: Path) -> Engine:
    """One connection whose every transaction takes SQLite's write lock at its beginning."""
    return _engine(path, pool_size=1, max_overflow=0, begin="BEGIN IMMEDIATE", read_only=False)


def reading_engine(path: Path) -> Engine:
    """A few connections; each transaction is one consistent snapshot and can change nothing."""
    return _engine(path, pool_size=READ_POOL, max_overflow=READ_OVERFLOW, begin="BEGIN DEFERRED", read_only=True)


def add_to_counts(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows with a count `n`, or add their `n` to the row that is there already."""
    connection.execute(_upsert(table, connection.dialect.name), list(rows))


def insert_many(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows given as values in the order of the table's columns, as the driver takes them (text, numbers, None).

    Without the processing of values and of dictionaries, which costs more than the insertion.
    """
    if rows:
        _execute_many(connection, table.insert(), table, rows)


def count_many(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """As `add_to_counts`, for rows as `insert_many` takes them."""
    if rows:
        _execute_many(connection, _upsert(table, connection.dialect.name), table, rows)


class DayOf(FunctionElement[str]):
    """The UTC day, as ISO text, of a whole number of microseconds since 1970."""

    type = Text()
    inherit_cache = True


@compiles(DayOf)
def _day_on_postgresql(element: DayOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    seconds = compiler.process(element.clauses, **options)
    return f"to_char(to_timestamp({seconds} / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


@compiles(DayOf, "sqlite")
def _day_on_sqlite(element: DayOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    return f"date({compiler.process(element.clauses, **options)} / 1000000, 'unixepoch')"


def _execute_many(connection: Connection, statement: Any, table: Table, rows: Sequence[Sequence[Any]]) -> None:  # noqa: ANN401 - any INSERT
    names = [column.name for column in table.c]
    compiled = statement.compile(dialect=connection.dialect, column_keys=names)
    if compiled.positional:
        connection.exec_driver_sql(str(compiled), list(map(tuple, rows)))
    else:
        connection.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in rows])


@cache
def _upsert(table: Table, dialect: str) -> Executable:
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={"n": table.c.n + statement.excluded.n}
    )


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:  # no cause, and no quotation: both would show the password
        raise StoreError("database_url is no database URL: use sqlite:////absolute/path/arena.db.") from None


def _engine(path: Path, *, pool_size: int, max_overflow: int, begin: str, read_only: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=os.fspath(path)),
        module=_driver(),
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
def _driver() -> ModuleType:
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
