"""Copies of a PostgreSQL database, by the server's own tools."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from arena.errors import RestoreRefused, StoreError
from arena.store.copy_facts import CopyFacts, facts_of, require_free
from arena.store.postgresql import PostgresDatabase
from arena.store.rows import VerifyReport
from arena.store.schema import Base
from arena.store.store import Store

OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
PACKAGE = "install the package postgresql-client of the server's version or a newer one"


class PostgresCopies:
    """By `pg_dump`, from a snapshot of which this program reads the facts; back by `pg_restore` and `psql`.

    The password goes through the environment, so that no list of processes shows it.
    """

    suffix = ".dump"
    beside: Path | None = None

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._url = database.url

    def save(self, target: Path) -> CopyFacts:
        """See `Copies`."""
        Store.open_to_read(self._url.render_as_string(hide_password=False)).close()
        with self._connected() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
            facts = facts_of(connection)
            self._require_tool("pg_dump", connection)
            options = ["--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges", "--file", target]
            self._run(["pg_dump", *map(str, options)])
        return facts

    def load(self, source: Path, *, force: bool) -> VerifyReport:
        """See `Copies`; in one transaction, so that whatever goes wrong leaves the old database."""
        with self._connected() as connection:
            if others := connection.scalar(OTHERS):
                raise RestoreRefused(f"{self._database.name} has {others} users: stop the arena's servers first.")
            require_free(self._database.name, _votes_there(connection), force=force)
            self._require_tool("pg_restore", connection)
        script, drops = source.with_suffix(".sql"), source.with_suffix(".drop.sql")
        self._run(["pg_restore", "--no-owner", "--no-privileges", "--file", str(script), str(source)], database=False)
        drops.write_text(_drops(), encoding="utf-8")
        once = ["--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1"]
        self._run(["psql", *once, "--file", str(drops), "--file", str(script)])
        store = Store.open(self._url.render_as_string(hide_password=False))
        try:
            return store.read.verify()
        finally:
            store.close()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = create_engine(self._url, poolclass=NullPool, hide_parameters=True)
        try:
            with engine.connect() as connection:
                yield connection
        except DatabaseError as exc:
            raise StoreError(self._database.in_words(exc)) from exc
        finally:
            engine.dispose()

    def _require_tool(self, tool: str, connection: Connection) -> None:
        """Whether a tool is there, and not older than the server, whose dumps it could not read or write."""
        if shutil.which(tool) is None:
            raise StoreError(f"{tool} is not installed here: {PACKAGE}.")
        printed = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - a name of ours
        found = re.search(r"(\d+)(\.\d+)*", printed)
        ours, theirs = (
            int(found[1]) if found else 0,
            int(str(connection.scalar(text("SHOW server_version_num")))) // 10_000,
        )
        if ours < theirs:
            raise StoreError(f"{tool} is of version {ours}, the server of version {theirs}: {PACKAGE}.")

    def _run(self, command: Sequence[str], *, database: bool = True) -> None:
        try:
            subprocess.run(  # noqa: S603 - a tool of the server, and words of ours
                [*command, "--no-password"] if database else command,
                env={**os.environ, **(self._environment() if database else {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
            )
        except FileNotFoundError as exc:
            raise StoreError(f"{command[0]} is not installed here: {PACKAGE}.") from exc
        except subprocess.CalledProcessError as exc:
            raise StoreError(f"{command[0]} failed: {_first_line(exc.stderr)}") from exc

    def _environment(self) -> Mapping[str, str]:
        """The address as libpq's variables; what else the URL says (`sslmode` …) has variables of the same kind."""
        parts = {
            "PGHOST": self._url.host,
            "PGPORT": self._url.port,
            "PGUSER": self._url.username,
            "PGPASSWORD": self._url.password,
            "PGDATABASE": self._url.database,
        } | {f"PG{key.upper()}": value for key, value in self._url.query.items() if isinstance(value, str)}
        return {name: str(value) for name, value in parts.items() if value is not None}


def _votes_there(connection: Connection) -> int:
    if connection.scalar(text("SELECT to_regclass('board_state')")) is None:
        return 0
    return int(connection.scalar(text("SELECT coalesce(max(last_seq), 0) FROM board_state")) or 0)


def _drops() -> str:
    """The tables of this program, those included that an older copy does not know."""
    names = [*(table.name for table in Base.metadata.tables.values()), "alembic_version"]
    return "SET client_min_messages = warning;\n" + "".join(
        f'DROP TABLE IF EXISTS "{name}" CASCADE;\n' for name in names
    )


def _first_line(said: str) -> str:
    return (said.strip().splitlines() or ["no reason was given"])[0]
