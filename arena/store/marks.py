"""Whether a transaction was committed whose answer was lost: with its last statement it leaves a mark."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from arena.store.schema import WriterMarkRow, table_of

MARK = table_of(WriterMarkRow)
KEPT_FOR = timedelta(days=1)
_SET = update(MARK).where(MARK.c.writer == bindparam("of_writer"))
_LAST = select(MARK.c.batch).where(MARK.c.writer == bindparam("of_writer"))


class CommitMarks:
    """The marks of one writing process, which numbers its batches.

    The server's own numbers of transactions do not serve: after a crash it may give one to another transaction.
    """

    def __init__(self) -> None:
        self._writer = secrets.token_hex(8)
        self._batch = 0

    def leave(self, connection: Connection, *, now: datetime) -> None:
        """Mark this transaction as the process's next batch."""
        self._batch += 1
        mark = {"batch": self._batch, "at": now}
        if connection.execute(_SET, {"of_writer": self._writer, **mark}).rowcount == 0:
            connection.execute(delete(MARK).where(MARK.c.at < now - KEPT_FOR))
            connection.execute(insert(MARK), {"writer": self._writer, **mark})

    def is_committed(self, connection: Connection) -> bool:
        """Whether the last batch that was marked is there; asked under the board's lock, so that it has ended."""
        return connection.scalar(_LAST, {"of_writer": self._writer}) == self._batch
