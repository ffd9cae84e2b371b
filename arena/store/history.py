"""How the ratings moved: folded from every vote while there are few, from the checkpoints when there are many."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from arena.store.board import fold, read_board, votes_now
from arena.store.rows import EloPoint
from arena.store.schema import CheckpointRow, RatingRow

# Folding this many votes takes about a tenth of a second; beyond, a checkpoint per 1,000 votes draws the same line.
FOLD_AT_MOST = 20_000


def elo_history(connection: Connection, *, points: int, fold_at_most: int = FOLD_AT_MOST) -> tuple[EloPoint, ...]:
    """Per model at most about `points` points, in vote order."""
    board = read_board(connection)
    if board.last_seq == 0 or board.last_vote_at is None:
        return ()
    if board.last_seq <= fold_at_most:
        votes = connection.execute(votes_now())
        ratings: dict[str, float] = {}
        moved = [
            EloPoint(model=name, seq=vote.seq, at=vote.cast_at, elo=ratings[name])
            for vote in fold(votes, ratings, settings=board.elo)
            if vote.left_out is None
            for name in (vote.seat_a, vote.seat_b)
        ]
        return _thinned(moved, points=points)
    checkpoints = connection.execute(select(CheckpointRow).order_by(CheckpointRow.seq, CheckpointRow.model))
    moved = [EloPoint(model=row.model, seq=row.seq, at=row.at, elo=row.elo) for row in checkpoints]
    now = connection.execute(select(RatingRow.model, RatingRow.elo).order_by(RatingRow.model))
    moved += [EloPoint(model=row.model, seq=board.last_seq, at=board.last_vote_at, elo=row.elo) for row in now]
    return _thinned(moved, points=points)


def _thinned(moved: Iterable[EloPoint], *, points: int) -> tuple[EloPoint, ...]:
    """Every so-manieth point of each model, and always its last."""
    lines: dict[str, list[EloPoint]] = {}
    for point in moved:
        lines.setdefault(point.model, []).append(point)
    kept = [point for line in lines.values() for point in _every_nth(line, points=points)]
    return tuple(sorted(kept, key=lambda point: (point.seq, point.model)))


def _every_nth(line: Sequence[EloPoint], *, points: int) -> Sequence[EloPoint]:
    step = -(-len(line) // points)
    return line[::-1][::step]
