"""Bringing a database to this program's schema; the schema only moves forward."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from arena.errors import StoreError, StoreTooNew

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for the migrations in this package, run on `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def migrate(engine: Engine) -> None:
    """Apply all missing migrations in one transaction.

    Raises:
        StoreTooNew: a newer program migrated this database.
    """
    with engine.begin() as connection:
        config = alembic_config(connection)
        if _revision(connection, config) != ScriptDirectory.from_config(config).get_current_head():
            command.upgrade(config, "head")


def require_current(engine: Engine) -> None:
    """Check, without writing, that the schema is this program's.

    Raises:
        StoreTooNew: it is a newer program's.
        StoreError: it is an older one's, or there is none.
    """
    with engine.connect() as connection:
        config = alembic_config(connection)
        head = ScriptDirectory.from_config(config).get_current_head()
        if _revision(connection, config) != head:
            raise StoreError(f"{engine.url.database} was made by an older arena: run `arena migrate` first.")


def _revision(connection: Connection, config: Config) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreTooNew(
            f"{connection.engine.url.database} has schema {revision}, which this version does not know: "
            "start the newer arena that made it, or another database."
        )
    return revision
