"""What every engine's copies have in common."""

from dataclasses import dataclass

from sqlalchemy import Connection

from arena.errors import RestoreRefused
from arena.numerals import count
from arena.store.audit import AuditHead, head
from arena.store.board import read_board
from arena.store.migrating import current_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFacts:
    """What is in a copy of a database: enough to recognise it later; `schema` is the migrations' revision."""

    engine: str
    schema: str
    votes: int
    board_version: int
    audit: AuditHead


def facts_of(connection: Connection) -> CopyFacts:
    """What is in a database, in one consistent look."""
    board = read_board(connection)
    return CopyFacts(
        engine=connection.dialect.name,
        schema=current_revision(connection),
        votes=board.last_seq,
        board_version=board.version,
        audit=head(connection),
    )


def require_free(name: str, votes: int | None, *, force: bool) -> None:
    """Refuse to replace what may be wanted: a database with votes, or one that cannot be read (None).

    Raises:
        RestoreRefused: unless `force` is on.
    """
    if force or votes == 0:
        return
    what = "cannot be read as it is" if votes is None else f"holds {count(votes, 'vote')}"
    raise RestoreRefused(f"{name} {what}: nothing was changed. Back it up, then add --force to replace it.")
