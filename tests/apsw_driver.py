"""APSW as the SQLite driver of an engine, for the sake of its virtual file systems."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

import apsw

Row = tuple[Any, ...]


class Error(Exception):
    pass


class DatabaseError(Error):
    pass


class OperationalError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class ProgrammingError(DatabaseError):
    pass


# As in the standard library's driver: what may pass, what the rows forbid, and, as any other, a damaged file.
RAISED_AS: Sequence[tuple[type[apsw.Error], type[Error]]] = (
    (apsw.ConstraintError, IntegrityError),
    (apsw.MismatchError, IntegrityError),
    (apsw.CorruptError, DatabaseError),
    (apsw.NotADBError, DatabaseError),
    (apsw.BindingsError, ProgrammingError),
    (apsw.ConnectionClosedError, ProgrammingError),
    (apsw.Error, OperationalError),
)


class ApswDriver(ModuleType):
    """A DB-API module whose connections use the virtual file system `vfs`.

    Only what SQLAlchemy asks of it, with the driver's own transactions off (`isolation_level=None`).
    """

    paramstyle = "qmark"
    sqlite_version_info = tuple(map(int, apsw.sqlite_lib_version().split(".")))
    Error = Error
    DatabaseError = DatabaseError
    OperationalError = OperationalError
    IntegrityError = IntegrityError
    ProgrammingError = ProgrammingError
    Binary = memoryview

    def __init__(self, vfs: str) -> None:
        super().__init__("apsw_driver")
        self._vfs = vfs

    def connect(
        self, path: str, *, isolation_level: None, check_same_thread: bool, timeout: float
    ) -> "DriverConnection":
        assert isolation_level is None
        assert not check_same_thread
        try:
            connection = apsw.Connection(path, vfs=self._vfs)
            connection.set_busy_timeout(int(timeout * 1000))
        except apsw.Error as exc:
            _raise(exc)
        return DriverConnection(connection)


class DriverConnection:
    isolation_level = None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def cursor(self) -> "DriverCursor":
        return DriverCursor(self._connection)

    def execute(self, statement: str) -> "DriverCursor":
        cursor = self.cursor()
        cursor.execute(statement)
        return cursor

    def create_function(self, name: str, arguments: int, function: Callable[..., Any], *, deterministic: bool) -> None:
        self._connection.create_scalar_function(name, function, arguments, deterministic=deterministic)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def close(self) -> None:
        with suppress(apsw.IOError):  # SQLite's own close does not tell either: the connection is closed all the same
            self._connection.close()

    def _end(self, how: str) -> None:
        if self._connection.in_transaction:
            self.execute(how)


class DriverCursor:
    """Reads all rows at once: nothing else happens to the database while a statement is half done."""

    arraysize = 1

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.exec_trace = self._describe
        self._rows: list[Row] = []
        self.description: Sequence[Row] | None = None
        self.rowcount = -1

    @property
    def lastrowid(self) -> int:
        return self._connection.last_insert_rowid()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self.executemany(statement, [parameters])

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self.rowcount = 0
        self._rows = []
        try:
            for row in rows:
                self._rows += self._cursor.execute(statement, tuple(row))
                self.rowcount += self._connection.changes()
        except apsw.Error as exc:
            _raise(exc)

    def fetchone(self) -> Row | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Row]:
        taken, self._rows = self._rows[: size or 1], self._rows[size or 1 :]
        return taken

    def fetchall(self) -> list[Row]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        self._cursor.close(force=True)

    def _describe(self, cursor: apsw.Cursor, _statement: str, _parameters: object) -> bool:
        columns = cursor.get_description()
        self.description = [(name, kind, None, None, None, None, None) for name, kind in columns] or None
        return True


def _raise(error: apsw.Error) -> NoReturn:
    kind = next(ours for theirs, ours in RAISED_AS if isinstance(error, theirs))
    raise kind(str(error)) from error
