"""Which battles still have their prompts and answers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from arena.domain import BattleState
from arena.store.schema import BattleRow, TurnRow, VoteRow


class KeptTexts:
    """Questions about texts; `look` gives a connection in a transaction that reads."""

    def __init__(self, look: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._look = look

    def older_than(self, moment: datetime, *, limit: int) -> tuple[str, ...]:
        """Battles whose latest prompt is older and whose texts are there; not those that are being written.

        Reads all battles, with no index of their age: once an hour, 0.1 s per million.
        """
        younger = exists().where(TurnRow.battle == BattleRow.id, TurnRow.created_at >= moment)
        statement = (
            select(BattleRow.id)
            .where(
                BattleRow.texts_removed_at.is_(None),
                BattleRow.created_at < moment,
                BattleRow.state != BattleState.STREAMING,
                ~younger,
            )
            .limit(limit)
        )
        with self._look() as connection:
            return tuple(connection.scalars(statement))

    def votes_without(self) -> int:
        """How many votes are about battles whose texts were removed."""
        statement = (
            select(func.count())
            .select_from(VoteRow)
            .join(BattleRow, BattleRow.id == VoteRow.battle)
            .where(BattleRow.texts_removed_at.is_not(None))
        )
        with self._look() as connection:
            return int(connection.scalar(statement) or 0)
