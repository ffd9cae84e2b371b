"""How the ratings moved, and where they stood: folded from the votes, from the nearest checkpoint on."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import Connection, func, select

from arena.store.board import end_of, fold, nearest_checkpoint, read_board, votes_now
from arena.store.rows import EloPoint
from arena.store.schema import CheckpointRow, RatingRow, VoteRow
from leaderboard.ratings import EloSettings

T = TypeVar("T")

# Folding this many votes takes about a tenth of a second; beyond, a checkpoint per 1,000 votes draws the same line.
FOLD_AT_MOST = 20_000


def elo_history(connection: Connection, *, points: int, fold_at_most: int = FOLD_AT_MOST) -> tuple[EloPoint, ...]:
    """At most about `points` points in all, as many of each model, in vote order."""
    board = read_board(connection)
    if board.last_seq == 0 or board.last_vote_at is None:
        return ()
    now = connection.execute(select(RatingRow.model, RatingRow.elo).order_by(RatingRow.model)).all()
    each = max(2, points // len(now))
    if board.last_seq <= fold_at_most:
        return _thinned(_moves(connection, settings=board.elo), points=each)
    marks = connection.scalars(select(CheckpointRow.seq).distinct().order_by(CheckpointRow.seq)).all()
    chosen = CheckpointRow.seq.in_(_every_nth(marks, points=each))
    checkpoints = connection.execute(select(CheckpointRow).where(chosen))
    moved = [EloPoint(model=row.model, seq=row.seq, at=row.at, elo=row.elo) for row in checkpoints]
    moved += [EloPoint(model=row.model, seq=board.last_seq, at=board.last_vote_at, elo=row.elo) for row in now]
    return tuple(sorted(moved, key=lambda point: (point.seq, point.model)))


def _moves(connection: Connection, *, settings: EloSettings) -> Iterator[EloPoint]:
    ratings: dict[str, float] = {}
    for vote in fold(connection.execute(votes_now()), ratings, settings=settings):
        if vote.left_out is None:
            for name in (vote.seat_a, vote.seat_b):
                yield EloPoint(model=name, seq=vote.seq, at=vote.cast_at, elo=ratings[name])


def elo_at_end_of(connection: Connection, day: date, *, settings: EloSettings) -> dict[str, float]:
    """Every model's Elo from the votes that were cast up to the end of a UTC day and count now, in vote order.

    Those are the votes that tallies up to this day hold. Where a clock stepped back, a vote of an earlier day may bear
    a higher number than one of a later day: it is folded in its own place, and the later day's vote is not. So a
    checkpoint helps only up to the first vote of a later day.
    """
    end = end_of(day)
    first_later = connection.scalar(select(func.min(VoteRow.seq)).where(VoteRow.cast_at > end))
    if first_later is None:
        return {row.model: row.elo for row in connection.execute(select(RatingRow.model, RatingRow.elo))}
    last = connection.scalar(select(func.max(VoteRow.seq)).where(VoteRow.cast_at <= end)) or 0
    base = nearest_checkpoint(connection, first_later - 1, settings=settings)
    votes = connection.execute(votes_now().where(VoteRow.seq > base.seq, VoteRow.seq <= last, VoteRow.cast_at <= end))
    for _ in fold(votes, base.ratings, settings=settings):
        pass
    return base.ratings


def _thinned(moved: Iterable[EloPoint], *, points: int) -> tuple[EloPoint, ...]:
    """Every so-manieth point of each model, and always its last."""
    lines: dict[str, list[EloPoint]] = {}
    for point in moved:
        lines.setdefault(point.model, []).append(point)
    kept = [point for line in lines.values() for point in _every_nth(line, points=points)]
    return tuple(sorted(kept, key=lambda point: (point.seq, point.model)))


def _every_nth(line: Sequence[T], *, points: int) -> Sequence[T]:
    """The last one, and every so-manieth before it."""
    step = max(1, -(-len(line) // points))
    return line[::-1][::step]
