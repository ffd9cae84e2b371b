"""What an engine keeps of text that was removed from its rows, and how it is made to let go.

SQLite's `secure_delete` overwrites what is deleted, but not the copies that stay in the unused part of a page when
rows move to its neighbour: of 400 battles with answers of 200 to 900 bytes, 5 to 20 pieces of removed text were still
in the file. Only a file that is written anew has none.
"""

from sqlalchemy import Connection, Engine, PoolProxiedConnection

from arena.errors import StoreError

KEPT_BY_POSTGRESQL = (
    "PostgreSQL keeps the removed text until VACUUM FULL has rewritten the tables turn and reply, in its write-ahead "
    "log until those files are recycled, and in every backup and standby made before."
)
# SQLite's own number for applications; in one transaction with the removal, so that no crash forgets the rewriting.
CLEAN, TO_BE_REWRITTEN = 0, 1
CHECKPOINT_TRIES = 5


def mark(connection: Connection) -> None:
    """Note that the file is to be written anew."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {TO_BE_REWRITTEN}")


def kept(engine: Engine) -> str | None:
    """A sentence about what stays elsewhere after `rewrite`; None when nothing does."""
    return None if engine.dialect.name == "sqlite" else KEPT_BY_POSTGRESQL


def rewrite(engine: Engine) -> bool:
    """Write a marked SQLite file anew and empty its log, on the writer's connection, outside a transaction.

    Takes 17 s per GB, in which nobody writes, and as much free space as the file. Whether there was anything to do.

    Raises:
        StoreError: the file stays marked, so that the next opening tries again.
    """
    if engine.dialect.name != "sqlite":
        return False
    connection = engine.raw_connection()
    try:
        if _asked(connection, "PRAGMA user_version") == CLEAN:
            return False
        _rewrite(connection)
    except engine.dialect.loaded_dbapi.Error as exc:
        raise _not_rewritten(str(exc)) from exc
    finally:
        connection.close()
    return True


def _rewrite(connection: PoolProxiedConnection) -> None:
    _asked(connection, "VACUUM")
    _empty_log(connection)
    _asked(connection, f"PRAGMA user_version = {CLEAN}")


def _empty_log(connection: PoolProxiedConnection) -> None:
    for _ in range(CHECKPOINT_TRIES):
        if _asked(connection, "PRAGMA wal_checkpoint(TRUNCATE)") == 0:  # 1 when a reader stood in the way to the end
            return
    raise _not_rewritten("another program reads it all the time")


def _asked(connection: PoolProxiedConnection, statement: str) -> object:
    """The first value of the answer."""
    cursor = connection.cursor()
    try:
        row = cursor.execute(statement).fetchone()
        return None if row is None else row[0]
    finally:
        cursor.close()


def _not_rewritten(why: str) -> StoreError:
    return StoreError(
        f"The text is removed, but the file could not be written anew ({why}), so pieces of it may still be found in "
        "it: see to that, then start the arena again, which tries once more."
    )
