"""Changing how the live Elo counts: all votes are folded again, and what held before stays known."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from arena.store.audit import record
from arena.store.board import BoardState, bump_board, lock_board
from arena.store.exclusion import refold
from arena.store.people_schema import PastEloRow
from arena.store.schema import BoardRow, table_of
from leaderboard.ratings import EloSettings

PAST = table_of(PastEloRow)


def change_elo(connection: Connection, elo: EloSettings, *, actor: str, reason: str | None, now: datetime) -> None:
    """Fold every vote again with other settings; does nothing when they are those of now.

    Votes keep the ratings that their voters were shown.
    """
    board = lock_board(connection)
    if board.elo == elo:
        return
    _remember(connection, board)
    connection.execute(update(BoardRow).values(k=elo.k, start=elo.start, scale=elo.scale))
    changed = BoardState(version=board.version, last_seq=board.last_seq, last_vote_at=board.last_vote_at, elo=elo)
    refold(connection, changed, first=0)
    bump_board(connection, changed)
    record(
        connection,
        actor=actor,
        action="elo changed",
        target="board",
        before=json.dumps(asdict(board.elo)),
        after=json.dumps(asdict(elo)),
        reason=reason,
        now=now,
    )


def settings_when_cast(connection: Connection, board: BoardState) -> Callable[[int], EloSettings]:
    """Tells, for a vote's number, the settings with which it was cast."""
    rows = connection.execute(select(*PAST.c).order_by(PAST.c.until_seq)).all()
    past = [(row.until_seq, EloSettings(k=row.k, start=row.start, scale=row.scale)) for row in rows]

    def when_cast(seq: int) -> EloSettings:
        return next((settings for until_seq, settings in past if seq <= until_seq), board.elo)

    return when_cast


def last_change(connection: Connection) -> int:
    """The number of the last vote that was cast before the settings changed; 0 when they never did."""
    return connection.scalar(select(func.max(PAST.c.until_seq))) or 0


def _remember(connection: Connection, board: BoardState) -> None:
    """Nothing was cast with settings that replaced others after the same vote."""
    known = select(PAST.c.until_seq).where(PAST.c.until_seq == board.last_seq)
    if board.last_seq and connection.execute(known).one_or_none() is None:
        connection.execute(insert(PAST), {"until_seq": board.last_seq, **asdict(board.elo)})
