"""Answers that failed: how many by model, and what the battles would say that nobody voted on since one side failed.

The latter are read, never stored as votes: no vote, rating or tally depends on them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from arena.domain import BattleKind, BattleState, Fault, ReplyStatus, Side
from arena.selection import ARENA, Selection
from arena.store.board import end_of, start_of, utc_day
from arena.store.ordered import categories
from arena.store.schema import BattleRow, ReplyRow, TurnRow
from leaderboard.games import Tally
from leaderboard.verdicts import Verdict

# Until then a battle without a vote is still open: a failed side can be asked again, and nothing is said in public.
OPEN_FOR = timedelta(hours=1)

# What the arena, its settings or its rules brought about; every other fault is the model's or its provider's.
NOT_THEIRS = frozenset(
    {
        Fault.BAD_REQUEST,
        Fault.INTERNAL,
        Fault.MODERATED,
        Fault.NOT_FOUND,
        Fault.NOT_READY,
        Fault.QUOTA,
        Fault.REDIRECTED,
        Fault.REFUSED_KEY,
        Fault.TLS,
    }
)


class LostBattle(NamedTuple):
    """A battle that the side which failed would lose; `day` is the UTC day on which it was opened."""

    day: date
    model_a: str
    model_b: str
    verdict: Verdict


def lost_battles(
    connection: Connection, selection: Selection, *, now: datetime | None = None
) -> tuple[LostBattle, ...]:
    """Ranked battles of a selection, an hour old and without a vote, of which one side failed in the last turn.

    The other side is fine. Both failed, stopped by the person, interrupted: not among them. Of imported files there
    are none. Whether the selection lets a failed answer lose is the caller's to ask.
    """
    now = now or datetime.now(UTC)
    if ARENA not in selection.sources:
        return ()
    a, b = latest_replies(Side.A).subquery(), latest_replies(Side.B).subquery()
    winner = case((a.c.status == ReplyStatus.FAILED, Verdict.B.value), else_=Verdict.A.value)
    statement = (
        select(BattleRow.created_at, BattleRow.seat_a, BattleRow.seat_b, winner.label("winner"))
        .join(a, a.c.battle == BattleRow.id)
        .join(b, b.c.battle == BattleRow.id)
        .where(*_conditions(selection, now), or_(_lost(a, b), _lost(b, a)))
        .order_by(BattleRow.created_at, BattleRow.id)
    )
    return tuple(
        LostBattle(date.fromisoformat(utc_day(row.created_at)), row.seat_a, row.seat_b, Verdict(row.winner))
        for row in connection.execute(statement)
    )


def tallied(battles: Iterable[LostBattle]) -> tuple[Tally, ...]:
    """The same by seats and verdict, as votes are counted."""
    sums = Counter((battle.model_a, battle.model_b, battle.verdict) for battle in battles)
    return tuple(Tally(*key, n) for key, n in sorted(sums.items()))


def latest_replies(side: Side) -> Select[str, ReplyStatus, Fault | None, int | None]:
    """Of every battle's last turn, the last attempt of one side."""
    turn = select(func.max(TurnRow.ordinal)).where(TurnRow.battle == ReplyRow.battle).correlate(ReplyRow)
    other = aliased(ReplyRow)
    attempt = (
        select(func.max(other.attempt))
        .where(other.battle == ReplyRow.battle, other.turn == ReplyRow.turn, other.side == ReplyRow.side)
        .correlate(ReplyRow)
    )
    return select(ReplyRow.battle, ReplyRow.status, ReplyRow.fault, ReplyRow.duration_ms).where(
        ReplyRow.side == side,
        ReplyRow.turn == turn.scalar_subquery(),
        ReplyRow.attempt == attempt.scalar_subquery(),
    )


def failures(connection: Connection) -> Mapping[str, Mapping[ReplyStatus, int]]:
    """Per model how many attempts failed, were stopped or broke off; models without any are not in it."""
    model = case((ReplyRow.side == Side.A, BattleRow.seat_a), else_=BattleRow.seat_b)
    fine = (ReplyRow.status != ReplyStatus.OK, ReplyRow.status != ReplyStatus.STREAMING)
    statement = (
        select(model.label("model"), ReplyRow.status, func.count().label("n"))
        .join(BattleRow, BattleRow.id == ReplyRow.battle)
        .where(and_(*fine))
        .group_by(model, ReplyRow.status)
    )
    found: dict[str, dict[ReplyStatus, int]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.model, {})[row.status] = row.n
    return found


def _conditions(selection: Selection, now: datetime) -> Iterator[ColumnElement[bool]]:
    yield BattleRow.kind == BattleKind.RANKED
    yield BattleRow.state == BattleState.STUCK
    yield BattleRow.created_at < now - OPEN_FOR
    for name, wanted in categories(selection):
        yield BattleRow.__table__.c[name] == wanted
    if selection.since is not None:
        yield BattleRow.created_at >= start_of(selection.since)
    if selection.until is not None:
        yield BattleRow.created_at <= end_of(selection.until)


def _lost(loser: Subquery, winner: Subquery) -> ColumnElement[bool]:
    """Whether one side failed, not through the arena's fault, and the other is fine."""
    theirs = or_(loser.c.fault.is_(None), loser.c.fault.not_in(NOT_THEIRS))
    return and_(loser.c.status == ReplyStatus.FAILED, theirs, winner.c.status == ReplyStatus.OK)
