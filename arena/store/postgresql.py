"""PostgreSQL, through psycopg 3: one database, any number of processes that read and write."""

from dataclasses import dataclass, field
from typing import Any, Self

import psycopg
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from arena.errors import StoreError
from arena.store.trouble import Trouble

DRIVER = "postgresql+psycopg"
OLDEST = 15
READ_POOL = 10
READ_OVERFLOW = 10
POOL_TIMEOUT_SECONDS = 5
POOL_RECYCLE_SECONDS = 1800

# A process that hangs inside a transaction would hold the board's lock for ever: the server ends it. Reading holds
# nobody up, so that who computes between two rows may take his time.
SETTINGS = {
    "synchronous_commit": "on",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "TimeZone": "UTC",
}
READING = {"idle_in_transaction_session_timeout": "60s"}

# A network that swallows packets is noticed within some 20 seconds.
CONNECT = {
    "application_name": "arena",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

# What a standby says: whether it is promoted or the address soon leads to another server, writes can wait for it.
READ_ONLY = "25006"
# What the first words of SQLSTATE say: connections, resources, an operator who stops the server.
AWAY = ("08", "53", "57P", READ_ONLY)
BUSY = ("40001", "40P01", "55P03")


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """The database that `url` names; its password stays out of every representation."""

    url: URL = field(repr=False)

    @classmethod
    def at(cls, url: URL) -> Self:
        """The database of a URL.

        Raises:
            StoreError: it asks for another driver, or names no database.
        """
        if url.drivername not in {"postgres", "postgresql", DRIVER}:
            raise StoreError(f"database_url asks for the driver {url.drivername!r}: write {DRIVER}://… instead.")
        if not url.database:
            raise StoreError("database_url names no database: use postgresql://user@host/database.")
        return cls(url.set(drivername=DRIVER))

    @property
    def name(self) -> str:
        """The database and its server."""
        return f"{self.url.database} on {self._server}"

    @property
    def shared(self) -> bool:
        """Several replicas may write."""
        return True

    def begin_writing(self) -> None:
        """Nobody is kept out: the board's lock puts all writers in one order."""
        self.require_there()

    def require_there(self) -> None:
        """Check that the server serves this database, is not too old and stores every character."""
        engine = self.writing_engine()
        try:
            with engine.connect() as connection:
                info: Any = connection.connection.dbapi_connection
                version, encoding = info.info.server_version, info.info.parameter_status("server_encoding")
        except SQLAlchemyError as error:
            raise StoreError(self.in_words(error)) from error
        finally:
            engine.dispose()
        if (refusal := self.refusal(version=version, encoding=encoding)) is not None:
            raise StoreError(refusal)

    def refusal(self, *, version: int, encoding: str | None) -> str | None:
        """Why a server cannot hold votes, in a sentence with the remedy; None when it can.

        Args:
            version: as libpq numbers it: 150004 is 15.4, 90624 is 9.6.24.
            encoding: in which the database stores texts.
        """
        if version < OLDEST * 10_000:
            return f"{self._server} is PostgreSQL {version // 10_000}: the arena needs {OLDEST} or newer. Upgrade it."
        if encoding != "UTF8":
            return (
                f"The database {self.name} stores texts as {encoding}: make one with "
                f"`createdb --template template0 --encoding UTF8 {self.url.database}`."
            )
        return None

    def writing_engine(self) -> Engine:
        """One connection; each statement sees what was committed before it, so also what the lock was waited for."""
        return self._engine(psycopg.IsolationLevel.READ_COMMITTED, SETTINGS, pool_size=1, max_overflow=0)

    def reading_engine(self) -> Engine:
        """Some connections; each transaction is one look at one moment, and can change nothing."""
        return self._engine(
            psycopg.IsolationLevel.REPEATABLE_READ,
            SETTINGS | READING,
            read_only=True,
            pool_size=READ_POOL,
            max_overflow=READ_OVERFLOW,
            pool_pre_ping=True,
        )

    def trouble(self, error: SQLAlchemyError) -> Trouble:
        """By the server's code; without one the connection itself failed."""
        if not isinstance(error, DBAPIError):
            return Trouble.BUSY if isinstance(error, PoolTimeout) else Trouble.LASTING
        state = _state(error)
        if state in BUSY:
            return Trouble.BUSY
        no_answer = state is None and isinstance(error.orig, psycopg.OperationalError)
        if error.connection_invalidated or no_answer or (state is not None and state.startswith(AWAY)):
            return Trouble.AWAY
        return Trouble.LASTING

    def in_words(self, error: SQLAlchemyError) -> str:
        """Refusals of a connection carry no code: they are told by their text."""
        said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        for sign, sentence in _REFUSALS.items():
            if sign in said:
                return sentence.format(name=self.name, server=self._server, database=self.url.database, user=self._user)
        if _state(error) == READ_ONLY:
            return (
                f"{self._server} is a standby, or set to read only: promote it, or let database_url name the server "
                "that may be written."
            )
        if isinstance(error, PoolTimeout):
            return (
                f"All {READ_POOL + READ_OVERFLOW} reading connections to {self.name} are in use: try again in a moment."
            )
        if self.trouble(error) is Trouble.AWAY:
            reason = said.splitlines()[0].rpartition("failed: ")[2].rstrip(".")
            return (
                f"The database does not answer ({self.name}: {reason}): start PostgreSQL there, or mend database_url."
            )
        return f"The database {self.name} cannot do this: {said.splitlines()[0].rstrip('.')}."

    @property
    def _server(self) -> str:
        host = self.url.host or self.url.query.get("host") or "this machine"
        host = ", ".join(host) if isinstance(host, tuple) else host
        return f"{host}:{self.url.port}" if self.url.port else host

    @property
    def _user(self) -> str:
        return self.url.username or "(none)"

    def _engine(
        self,
        isolation: psycopg.IsolationLevel,
        settings: dict[str, str],
        *,
        read_only: bool = False,
        **pool: Any,  # noqa: ANN401 - create_engine's
    ) -> Engine:
        engine = create_engine(
            self.url,
            hide_parameters=True,  # prompts and answers belong in no log and no traceback
            use_native_hstore=False,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_recycle=POOL_RECYCLE_SECONDS,
            connect_args=CONNECT,
            **pool,
        )

        def prepare(connection: psycopg.Connection, _record: object) -> None:
            wanted = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
            connection.execute(f"SELECT {wanted}")
            connection.commit()
            # None leaves it to the server: a database that was set to read only must not be written all the same.
            connection.isolation_level, connection.read_only = isolation, read_only or None

        event.listen(engine, "connect", prepare)
        event.listen(engine, "handle_error", _hide_values)
        return engine


def _state(error: SQLAlchemyError) -> str | None:
    """The server's code, SQLSTATE."""
    return error.orig.sqlstate if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error) else None


_REFUSALS = {
    "password authentication failed": "{server} refuses the password of {user!r}: mend database_url.",
    "no password supplied": "{server} asks {user!r} for a password: put it into database_url, best by a variable.",
    "no pg_hba.conf entry": "{server} lets {user!r} not into {database!r} from here: allow it in its pg_hba.conf.",
    'role "': "{server} knows no user {user!r}: make one with `createuser`, or mend database_url.",
    'database "': "There is no database {database!r} on {server}: make it with `createdb --encoding UTF8 {database}`.",
    "permission denied for schema": "{user!r} may make no tables in {name}: make it the owner of the database.",
    "too many clients": "{server} has no connection left: raise its max_connections, or run fewer replicas.",
    "remaining connection slots": "{server} has no connection left: raise its max_connections, or run fewer replicas.",
}


# The server's DETAIL and CONTEXT quote rows, and rows hold prompts and answers.
def _hide_values(context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        error.args = (error.diag.message_primary,)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (f"({type(error).__name__}) {error}",)
