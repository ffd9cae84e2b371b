"""What the models' answers came to, by model and UTC day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, case, func, literal, select

from arena.domain import ReplyStatus, Side
from arena.store.board import start_of
from arena.store.schema import BattleRow, ReplyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpending:
    """One model's ended attempts of one day; `usd` is None when the price of none of them is known."""

    day: date
    model: str
    attempts: int
    tokens_in: int
    tokens_out: int
    usd: float | None


def spending(connection: Connection, *, days: int, now: datetime) -> tuple[ModelSpending, ...]:
    """By day, the newest first, then by model; today is one of the days."""
    today = now.astimezone(UTC).date()
    wanted = [today - timedelta(days=back) for back in range(days)]
    # Which day it was, without a function that only one engine has.
    day = case(*((ReplyRow.started_at >= start_of(each), literal(each.isoformat())) for each in wanted)).label("day")
    model = case((ReplyRow.side == Side.A, BattleRow.seat_a), else_=BattleRow.seat_b).label("model")
    statement = (
        select(
            day,
            model,
            func.count().label("attempts"),
            func.coalesce(func.sum(ReplyRow.tokens_in), 0).label("tokens_in"),
            func.coalesce(func.sum(ReplyRow.tokens_out), 0).label("tokens_out"),
            func.sum(ReplyRow.cost_usd).label("usd"),
        )
        .join(BattleRow, BattleRow.id == ReplyRow.battle)
        .where(ReplyRow.started_at >= start_of(wanted[-1]), ReplyRow.status != ReplyStatus.STREAMING)
        .group_by("day", "model")
        .order_by(day.desc(), model)
    )
    return tuple(
        ModelSpending(
            day=date.fromisoformat(row.day),
            model=row.model,
            attempts=row.attempts,
            tokens_in=int(row.tokens_in),
            tokens_out=int(row.tokens_out),
            usd=row.usd,
        )
        for row in connection.execute(statement)
    )
