"""Everything that differs between database engines: which one a URL names, and what each says in its own words."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, Executable, Integer, Table, Text, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import functions
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from arena.errors import StoreError
from arena.store.locking import WriterLock
from arena.store.postgresql import PostgresDatabase
from arena.store.sqlite import SqliteDatabase
from arena.store.trouble import Trouble

POSTGRESQL = "postgresql"


class Database(Protocol):
    """Where the rows live.

    `name` is for people and holds no password. `shared` says that several processes may write at once: their writes
    then take turns at the board's lock, and the answer to a COMMIT may be lost on its way.
    """

    @property
    def name(self) -> str:
        """Where it is."""

    @property
    def shared(self) -> bool:
        """Whether several processes may write."""

    def begin_writing(self) -> WriterLock | None:
        """Become a writing process; the lock where there can be but one.

        Raises:
            StoreLocked: another process is.
            StoreError: there is no such place, or no such server.
        """

    def require_there(self) -> None:
        """Check, without making anything, that there is such a database.

        Raises:
            StoreError: there is none, or its server does not serve.
        """

    def writing_engine(self) -> Engine:
        """One connection for the one writer thread."""

    def reading_engine(self) -> Engine:
        """A few connections; each transaction is one consistent look and can change nothing."""

    def trouble(self, error: SQLAlchemyError) -> Trouble:
        """What kind of trouble an error is."""

    def in_words(self, error: SQLAlchemyError) -> str:
        """What is wrong with the database, in a sentence that names the remedy and no password, row or prompt."""


def database_of(url: str) -> Database:
    """The database that a URL names.

    Raises:
        StoreError: it is no URL, or names an engine, a driver or a file that cannot hold votes.
    """
    parsed = _parse(url)
    match parsed.get_backend_name():
        case "sqlite":
            return SqliteDatabase.at(parsed)
        case "postgresql" | "postgres":
            return PostgresDatabase.at(parsed)
        case other:
            raise StoreError(
                f"database_url names {other!r}, which is neither SQLite nor PostgreSQL: use sqlite:////path/arena.db "
                "or postgresql://user@host/database."
            )


def lock_schema(connection: Connection) -> None:
    """Make this transaction the only one that changes the schema.

    On SQLite every writing transaction is the only one.
    """
    if connection.dialect.name == POSTGRESQL:
        be_patient(connection)
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")


def sort_by_code_point(connection: Connection) -> None:
    """Let texts sort the same on every machine, as they do on SQLite: by code point, not by the server's language."""
    if connection.dialect.name == POSTGRESQL:
        for table, columns in connection.exec_driver_sql(TEXTS_IN_ANOTHER_ORDER):
            changes = ", ".join(f'ALTER COLUMN "{column}" TYPE text COLLATE "C"' for column in columns)
            connection.exec_driver_sql(f'ALTER TABLE "{table}" {changes}')


def be_patient(connection: Connection, *, seconds: int = 600) -> None:
    """Let each statement of this transaction, and the pause after it, take as long as large tables need."""
    if connection.dialect.name == POSTGRESQL:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        connection.exec_driver_sql("SELECT " + ", ".join(f"set_config('{name}', '{seconds}s', true)" for name in names))


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


# The server sums whole numbers to a decimal, which is neither what the column is said to be nor what NumPy adds.
@compiles(functions.sum, POSTGRESQL)
def _sum_on_postgresql(element: functions.sum[Any], compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    total = compiler.visit_function(element, **options)
    return f"CAST({total} AS BIGINT)" if isinstance(element.type, Integer) else total


# A number of this program's own; advisory locks are per database.
SCHEMA_LOCK = int.from_bytes(b"arena")
TEXTS_IN_ANOTHER_ORDER = """
SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
GROUP BY table_name ORDER BY table_name
"""


def _execute_many(connection: Connection, statement: Any, table: Table, rows: Sequence[Sequence[Any]]) -> None:  # noqa: ANN401 - any INSERT
    names = [column.name for column in table.c]
    compiled = statement.compile(dialect=connection.dialect, column_keys=names)
    if compiled.positional:
        connection.exec_driver_sql(str(compiled), list(map(tuple, rows)))
    else:
        connection.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in rows])


@cache
def _upsert(table: Table, dialect: str) -> Executable:
    statement = postgresql.insert(table) if dialect == POSTGRESQL else sqlite.insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={"n": table.c.n + statement.excluded.n}
    )


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:  # no cause, and no quotation: both would show the password
        raise StoreError(
            "database_url is no database URL: use sqlite:////absolute/path/arena.db or postgresql://user@host/database."
        ) from None
