"""The log of what was done to the board from outside: rows are only ever appended, each chained to the one before."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, insert, select

from arena.store.rows import AuditEntry
from arena.store.schema import AuditRow

BEGINNING = ""


def record(
    connection: Connection,
    *,
    actor: str,
    action: str,
    target: str,
    before: str | None = None,
    after: str | None = None,
    now: datetime,
) -> None:
    """Append an entry; the caller holds the board's lock, so that numbers have no gaps."""
    last = connection.execute(
        select(AuditRow.seq, AuditRow.digest).order_by(AuditRow.seq.desc()).limit(1)
    ).one_or_none()
    seq, digest = (1, BEGINNING) if last is None else (last.seq + 1, last.digest)
    entry = AuditEntry(seq=seq, at=now, actor=actor, action=action, target=target, before=before, after=after)
    row = {name: getattr(entry, name) for name in AuditEntry.__slots__}
    connection.execute(insert(AuditRow).values(digest=chained(digest, entry), **row))


def entries(connection: Connection) -> Iterator[AuditEntry]:
    """All entries in order."""
    for row in connection.execute(select(AuditRow).order_by(AuditRow.seq)):
        yield AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__slots__})


def chained(previous: str, entry: AuditEntry) -> str:
    """SHA-256 (hex) over the digest of the entry before and everything in this one."""
    fields = [entry.seq, entry.at.isoformat(), entry.actor, entry.action, entry.target, entry.before, entry.after]
    return hashlib.sha256(json.dumps([previous, *fields]).encode()).hexdigest()
