"""What a database holds, as bytes: where no secret may stand."""

import psycopg
from sqlalchemy import make_url

from arena.store.engine import database_of
from arena.store.sqlite import SqliteDatabase


def stored_bytes(url: str) -> bytes:
    """All that lies in a database; on SQLite its files, with what was deleted but not overwritten."""
    database = database_of(url)
    if isinstance(database, SqliteDatabase):
        return b"".join(file.read_bytes() for file in database.path.parent.glob(f"{database.path.name}*"))
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        tables = cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return b"".join(_copied(cursor, table) for (table,) in tables)


def _copied(cursor: psycopg.Cursor, table: str) -> bytes:
    with cursor.copy(f'COPY "{table}" TO STDOUT'.encode()) as rows:
        return b"".join(bytes(row) for row in rows)
