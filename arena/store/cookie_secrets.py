"""Which secret signs the arena's cookies, by its fingerprint."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from arena.store.audit import record
from arena.store.people_schema import CookieSecretRow
from arena.store.schema import table_of

SECRET = table_of(CookieSecretRow)


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """The fingerprint of the secret that the database knows, and since when it is the one."""

    fingerprint: str
    since: datetime


def known(connection: Connection) -> KnownSecret | None:
    """The secret; None before the first start."""
    row = connection.execute(select(SECRET.c.fingerprint, SECRET.c.since)).one_or_none()
    return None if row is None else KnownSecret(row.fingerprint, row.since)


def note(connection: Connection, fingerprint: str, *, now: datetime) -> KnownSecret:
    """Note the first secret; the one that is known afterwards. The caller's transaction is the only one that writes."""
    if (there := known(connection)) is not None:
        return there
    connection.execute(insert(SECRET), {"id": 1, "fingerprint": fingerprint, "since": now})
    return KnownSecret(fingerprint, now)


def accept(connection: Connection, fingerprint: str, *, actor: str, reason: str, now: datetime) -> bool:
    """Let this secret be the one from now on; False when it is already."""
    before = known(connection)
    if before is not None and before.fingerprint == fingerprint:
        return False
    connection.execute(delete(SECRET))
    connection.execute(insert(SECRET), {"id": 1, "fingerprint": fingerprint, "since": now})
    record(
        connection,
        actor=actor,
        action="secret accepted",
        target="cookies",
        before=before.fingerprint if before else None,
        after=fingerprint,
        reason=reason,
        now=now,
    )
    return True
