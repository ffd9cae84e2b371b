"""Bringing a database to this program's schema; the schema only moves forward."""

from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from arena.errors import StoreError, StoreTooNew
from arena.store.engine import lock_schema, sort_by_code_point

MIGRATIONS = Path(__file__).parent / "migrations"


class Migrated(NamedTuple):
    """The schema's revision before and after; None before the first."""

    before: str | None
    after: str


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for the migrations in this package, run on `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def migrate(engine: Engine) -> Migrated:
    """Apply all missing migrations in one transaction; any number of processes may do so at once.

    Raises:
        StoreTooNew: a newer program migrated this database.
    """
    with engine.begin() as connection:
        lock_schema(connection)
        return migrate_on(connection)


def migrate_on(connection: Connection) -> Migrated:
    """The same inside a transaction that holds the schema's lock."""
    config = alembic_config(connection)
    before, head = _revision(connection, config), _head(config)
    if before != head:
        command.upgrade(config, "head")
        sort_by_code_point(connection)
    return Migrated(before, head)


def require_current(engine: Engine) -> None:
    """Check, without writing, that the schema is this program's.

    Raises:
        StoreTooNew: it is a newer program's.
        StoreError: it is an older one's, or there is none.
    """
    with engine.connect() as connection:
        config = alembic_config(connection)
        revision = _revision(connection, config)
        if revision is None:
            raise StoreError(f"{engine.url.database} holds no arena yet: start the arena once, or run `arena migrate`.")
        if revision != _head(config):
            raise StoreError(f"{engine.url.database} was made by an older arena: run `arena migrate` first.")


def current_revision(connection: Connection) -> str:
    """The revision of a database's schema; '' before the first."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def require_known_schema(revision: str, *, what: str) -> None:
    """Check that a copy's schema is this program's or an older one.

    Raises:
        StoreTooNew: it is a newer program's.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if revision not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        raise StoreTooNew(f"{what} has schema {revision}, which this version does not know: use the newer arena.")


def _head(config: Config) -> str:
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _revision(connection: Connection, config: Config) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreTooNew(
            f"{connection.engine.url.database} has schema {revision}, which this version does not know: "
            "start the newer arena that made it, or another database."
        )
    return revision
