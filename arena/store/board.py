"""The live board's derived rows: the lock, the fold, checkpoints, tallies. Nothing here commits."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, RowMapping, Select, bindparam, case, delete, func, insert, select, update

from arena.store.engine import add_to_counts
from arena.store.schema import BoardRow, CheckpointRow, EventKind, RatingRow, TallyRow, VoteEventRow, VoteRow, table_of
from leaderboard.ratings import EloSettings, elo_change
from leaderboard.verdicts import Verdict, score_a

SOURCE = "arena"
COUNTED = ""
TALLY = table_of(TallyRow)

# Statements of the vote's path are built once: putting one together costs more than running it.
READ_BOARD = select(*table_of(BoardRow).c)
LOCK_BOARD = READ_BOARD.with_for_update()
BUMP_BOARD = update(table_of(BoardRow)).values(
    version=bindparam("to_version"), last_seq=bindparam("to_seq"), last_vote_at=bindparam("at")
)
RATING = table_of(RatingRow)
STORE_RATING = update(RATING).where(RATING.c.model == bindparam("name")).values(elo=bindparam("now"))
CHECKPOINT_EVERY = 1_000
STRATUM = ("multi_turn", "long_prompt", "code", "maths", "language")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """The one row of `board_state`."""

    version: int
    last_seq: int
    last_vote_at: datetime | None
    elo: EloSettings


class Checkpoint(NamedTuple):
    """Every model's Elo after vote `seq`."""

    seq: int
    ratings: dict[str, float]


class TallyKey(NamedTuple):
    """What the votes of one tally share, in the order of its columns."""

    source: str
    day: str
    multi_turn: bool
    long_prompt: bool
    code: bool
    maths: bool
    language: str
    left_out: str
    seat_a: str
    seat_b: str
    verdict: Verdict


def read_board(connection: Connection) -> BoardState:
    """The board's state, without a lock."""
    return _board(connection, READ_BOARD)


def lock_board(connection: Connection) -> BoardState:
    """Make this transaction the only one that changes the board; everybody else waits until it ends.

    On SQLite FOR UPDATE compiles to nothing: there the transaction holds the only write lock from its beginning.
    """
    return _board(connection, LOCK_BOARD)


def bump_board(
    connection: Connection, board: BoardState, *, votes: int = 0, last_vote_at: datetime | None = None
) -> None:
    """Give the locked board its next version and draw the sequence numbers of `votes` new votes."""
    connection.execute(
        BUMP_BOARD,
        {
            "to_version": board.version + 1,
            "to_seq": board.last_seq + votes,
            "at": last_vote_at or board.last_vote_at,
        },
    )


def votes_now() -> Select[Any]:
    """All votes in order with `left_out` as it is now: the last event decides, without one the casting."""
    latest = select(func.max(VoteEventRow.id).label("id")).group_by(VoteEventRow.vote).subquery()
    event = select(VoteEventRow).join(latest, latest.c.id == VoteEventRow.id).subquery()
    left_out = case(
        (event.c.kind == EventKind.EXCLUDED, event.c.reason),
        (event.c.kind == EventKind.RESTORED, None),
        else_=VoteRow.left_out,
    )
    columns = [column for column in table_of(VoteRow).c if column.name != "left_out"]
    return (
        select(*columns, left_out.label("left_out"), VoteRow.left_out.label("left_out_when_cast"))
        .outerjoin(event, event.c.vote == VoteRow.seq)
        .order_by(VoteRow.seq)
    )


def fold(votes: Iterable[Row[Any]], ratings: dict[str, float], *, settings: EloSettings) -> Iterator[Row[Any]]:
    """Replay votes in order onto `ratings`, which is changed in place; each vote is yielded once it has counted.

    Votes that are left out change nothing and are yielded like the others.
    """
    for vote in votes:
        if vote.left_out is None:
            before_a = ratings.setdefault(vote.seat_a, settings.start)
            before_b = ratings.setdefault(vote.seat_b, settings.start)
            change = elo_change(before_a, before_b, score_a(vote.verdict), settings=settings)
            ratings[vote.seat_a] = before_a + change
            ratings[vote.seat_b] = before_b - change
        yield vote


def ratings_after(connection: Connection, seq: int, *, settings: EloSettings) -> dict[str, float]:
    """Elo of every model after the counted votes up to `seq`, from the nearest checkpoint; start for who had none."""
    base = nearest_checkpoint(connection, seq, settings=settings)
    votes = connection.execute(votes_now().where(VoteRow.seq > base.seq, VoteRow.seq <= seq))
    for _ in fold(votes, base.ratings, settings=settings):
        pass
    return base.ratings


def nearest_checkpoint(connection: Connection, seq: int, *, settings: EloSettings) -> Checkpoint:
    """The last checkpoint up to vote `seq`, from which a fold may go on; without one all models stand at start."""
    ratings = dict.fromkeys(connection.scalars(select(RatingRow.model)), settings.start)
    base = connection.scalar(select(func.max(CheckpointRow.seq)).where(CheckpointRow.seq <= seq)) or 0
    rows = connection.execute(select(CheckpointRow.model, CheckpointRow.elo).where(CheckpointRow.seq == base))
    return Checkpoint(base, ratings | {row.model: row.elo for row in rows})


def store_ratings(connection: Connection, ratings: Mapping[str, float]) -> None:
    """Overwrite the ratings of these models."""
    if ratings:
        rows = [{"name": name, "now": elo} for name, elo in sorted(ratings.items())]
        connection.execute(STORE_RATING, rows)


def store_checkpoint(connection: Connection, seq: int, ratings: Mapping[str, float], *, at: datetime) -> None:
    """Keep the ratings after vote `seq`, replacing what was kept there."""
    connection.execute(delete(CheckpointRow).where(CheckpointRow.seq == seq))
    if ratings:
        rows = [{"seq": seq, "model": name, "elo": elo, "at": at} for name, elo in sorted(ratings.items())]
        connection.execute(insert(CheckpointRow), rows)


def tally_key(vote: Mapping[str, Any] | RowMapping, *, left_out: str | None) -> TallyKey:
    """Where a row of `vote` is counted when `left_out` is its reason; None when it counts."""
    shared = {name: vote[name] for name in (*STRATUM, "seat_a", "seat_b", "verdict")}
    return TallyKey(source=SOURCE, day=utc_day(vote["cast_at"]), left_out=left_out or COUNTED, **shared)


def add_tallies(connection: Connection, counts: Counter[TallyKey]) -> None:
    """Count votes in."""
    if counts:
        rows = ({**key._asdict(), "n": n} for key, n in sorted(counts.items()))
        add_to_counts(connection, TALLY, rows)


def take_tallies(connection: Connection, counts: Counter[TallyKey]) -> None:
    """Count votes out. An upsert cannot: SQLite checks `n >= 0` on the row to insert before it sees the conflict."""
    if counts:
        key_columns = [column for column in table_of(TallyRow).c if column.name != "n"]
        statement = (
            update(TallyRow)
            .where(*(column == bindparam(f"key_{column.name}") for column in key_columns))
            .values(n=TallyRow.n - bindparam("less"))
        )
        rows = [
            {f"key_{name}": value for name, value in key._asdict().items()} | {"less": n} for key, n in counts.items()
        ]
        connection.execute(statement, rows)


def utc_day(moment: datetime) -> str:
    """The UTC day of a moment, as ISO text."""
    return moment.astimezone(UTC).date().isoformat()


def start_of(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time.min, UTC)


def end_of(day: date) -> datetime:
    """The last moment of a UTC day."""
    return datetime.combine(day, time.max, UTC)


def _board(connection: Connection, statement: Select[Any]) -> BoardState:
    row = connection.execute(statement).one()
    elo = EloSettings(k=row.k, start=row.start, scale=row.scale)
    return BoardState(version=row.version, last_seq=row.last_seq, last_vote_at=row.last_vote_at, elo=elo)
