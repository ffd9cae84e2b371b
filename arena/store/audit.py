"""The log of what was done to the board from outside: rows are only ever appended, each chained to the one before."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from arena.errors import StoreCorrupt
from arena.store.rows import AuditEntry
from arena.store.schema import AuditRow, table_of

BEGINNING = ""
VOTER_ERASED = "voter erased"
ERASED = "erased voter"
REDACTED = "redacted entries"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The last entry's number and digest, which stands for all before it; 0 and '' of an empty log."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Some entries, the newest first, and the head of the whole log."""

    head: AuditHead
    entries: tuple[AuditEntry, ...]


def record(
    connection: Connection,
    *,
    actor: str,
    action: str,
    target: str,
    before: str | None = None,
    after: str | None = None,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Append an entry; the caller holds the board's lock, so that numbers have no gaps."""
    last = head(connection)
    entry = AuditEntry(
        seq=last.seq + 1,
        at=now,
        actor=actor,
        action=action,
        target=target,
        before=before,
        after=after,
        reason=reason,
    )
    row = {name: getattr(entry, name) for name in AuditEntry.__slots__}
    connection.execute(insert(AuditRow).values(digest=chained(last.digest, entry), **row))


def entries(connection: Connection) -> Iterator[AuditEntry]:
    """All entries in order."""
    for row in connection.execute(select(*table_of(AuditRow).c).order_by(AuditRow.seq)):
        yield _entry(row)


def head(connection: Connection) -> AuditHead:
    """The end of the chain: kept elsewhere, it proves that nothing was cut off."""
    row = connection.execute(select(AuditRow.seq, AuditRow.digest).order_by(AuditRow.seq.desc()).limit(1)).one_or_none()
    return AuditHead(seq=0, digest=BEGINNING) if row is None else AuditHead(seq=row.seq, digest=row.digest)


def page(connection: Connection, *, before: int | None, limit: int) -> AuditPage:
    """The newest entries first, from those before number `before` on; all of it in one look."""
    statement = select(*table_of(AuditRow).c).order_by(AuditRow.seq.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditRow.seq < before)
    return AuditPage(head=head(connection), entries=tuple(_entry(row) for row in connection.execute(statement)))


def check(connection: Connection) -> AuditHead:
    """Recompute the chain; its head.

    Whoever can write the file can also cut off the end: only a head that was kept elsewhere betrays that.

    Raises:
        StoreCorrupt: names the first entry that was changed, or before which one is missing.
    """
    previous, seq, gone = BEGINNING, 0, redacted(entries(connection))
    for row in connection.execute(select(*table_of(AuditRow).c).order_by(AuditRow.seq)):
        entry = _entry(row)
        previous, seq = row.digest if entry.seq in gone else chained(previous, entry), seq + 1
        if (entry.seq, row.digest) != (seq, previous):
            raise StoreCorrupt(
                f"What stands in audit entry {entry.seq} is not what was written, or one before it is missing: "
                "restore a backup, or ask who changed the database."
            )
    return AuditHead(seq=seq, digest=previous)


def redact(connection: Connection, names: Collection[str]) -> list[int]:
    """Take names out of all entries; the numbers of those that held one.

    Their digests stay, so the chain still holds; what the entries say can no longer be checked, and whoever erases must
    record their numbers (`redacted`).
    """
    found: list[int] = []
    for entry in tuple(entries(connection)):
        said = {part: getattr(entry, part) for part in ("actor", "target", "before", "after", "reason")}
        silent = {part: text and _without(text, names) for part, text in said.items()}
        if silent != said:
            connection.execute(update(AuditRow).where(AuditRow.seq == entry.seq).values(silent))
            found.append(entry.seq)
    return found


def redacted(log: Iterable[AuditEntry]) -> frozenset[int]:
    """The numbers of the entries from which an erased voter was taken out."""
    erasures = (json.loads(entry.after or "{}") for entry in log if entry.action == VOTER_ERASED)
    return frozenset(seq for erasure in erasures for seq in erasure.get(REDACTED, ()))


def chained(previous: str, entry: AuditEntry) -> str:
    """SHA-256 (hex) over the digest of the entry before and everything in this one."""
    fields = [entry.seq, entry.at.isoformat(), entry.actor, entry.action, entry.target, entry.before, entry.after]
    if entry.reason is not None:  # entries of before there were reasons keep their digests
        fields.append(entry.reason)
    return hashlib.sha256(json.dumps([previous, *fields]).encode()).hexdigest()


def _without(text: str, names: Collection[str]) -> str:
    for name in names:
        text = text.replace(name, ERASED)
    return text


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__slots__})
