"""Removing what people and models wrote, while everything that was counted from it stays."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, update

from arena.domain import BattleState, ReplyStatus
from arena.store.findings import REPLY_KEY, store_reply_styles
from arena.store.packing import unpack
from arena.store.rows import ReplyKey, ReplyStyle
from arena.store.schema import BattleRow, ReplyRow, TurnRow, table_of
from leaderboard.style import style_of

BATTLE, TURN, REPLY = table_of(BattleRow), table_of(TurnRow), table_of(ReplyRow)


def remove_old_texts(connection: Connection, battles: Collection[str], *, now: datetime) -> None:
    """The same for battles that were found to be old, but for those that somebody writes on with meanwhile."""
    at_rest = (BATTLE.c.id.in_(battles), BATTLE.c.state != BattleState.STREAMING)
    remove_texts(connection, connection.scalars(select(BATTLE.c.id).where(*at_rest)).all(), now=now)


def remove_texts(connection: Connection, battles: Collection[str], *, now: datetime) -> None:
    """Remove the prompts and answers of these battles; an answer that nobody has counted yet is counted first.

    That an answer gave its model away stays known, its words do not.
    """
    _count_styles(connection, battles)
    connection.execute(update(TURN).where(TURN.c.battle.in_(battles)).values(prompt=""))
    connection.execute(update(REPLY).where(REPLY.c.battle.in_(battles)).values(text="", packed=None))
    leaked = (REPLY.c.battle.in_(battles), REPLY.c.leaked.is_not(None))
    connection.execute(update(REPLY).where(*leaked).values(leaked=()))
    connection.execute(update(BATTLE).where(BATTLE.c.id.in_(battles)).values(texts_removed_at=now))


def _count_styles(connection: Connection, battles: Collection[str]) -> None:
    uncounted = (REPLY.c.battle.in_(battles), REPLY.c.status == ReplyStatus.OK, REPLY.c.length.is_(None))
    rows = connection.execute(select(*REPLY_KEY, REPLY.c.text, REPLY.c.packed).where(*uncounted)).all()
    styles = [ReplyStyle(ReplyKey(*row[:-2]), style_of([unpack(row.text, row.packed)])) for row in rows]
    if styles:
        store_reply_styles(connection, styles, show=False)
