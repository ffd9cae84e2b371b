"""The figures behind the trust panel, counted in the database.

Battles that are still open are left out wherever a figure could tell their voter which models sit in them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, and_, case, func, or_, select, type_coerce

from arena.domain import BattleKind, BattleState, Fault, Pace, ReplyStatus, Side
from arena.selection import EVERYTHING
from arena.store.board import votes_now
from arena.store.failures import OPEN_FOR, latest_replies, lost_battles, tallied
from arena.store.schema import BattleRow, ReplyRow, VoteRow
from leaderboard.games import Tally
from leaderboard.integrity import Sign
from leaderboard.verdicts import Verdict

TIMEOUTS = (Fault.NO_FIRST_TOKEN, Fault.SILENT, Fault.OVERTIME)


class Attempts(NamedTuple):
    """How one model's attempts to answer ended; `retries` are those after a first one."""

    model: str
    attempts: int
    failed: int
    timed_out: int
    stopped: int
    interrupted: int
    retries: int
    leaked: int


class PaceVotes(NamedTuple):
    """Votes at one pace: how many, and of those with a winner and a faster side, how often the faster one won."""

    pace: Pace
    votes: int
    timed: int
    faster_won: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFigures:
    """What is known of how the votes came about; `seats` are the counted ones by ordered seats.

    `left_out_votes` are those that do not count, by reason; `failed_loses` are battles that ended without a vote since
    one side failed, as if the other had won; `aa` are the verdicts of battles of a model with itself.
    """

    seats: tuple[Tally, ...]
    left_out_votes: Mapping[str, tuple[Tally, ...]]
    snap_votes: tuple[Tally, ...]
    busiest_votes: tuple[Tally, ...]
    aa: Mapping[Verdict, int]
    voters: int
    busiest_share: float
    timed: int
    median_decide_ms: int | None
    attempts: tuple[Attempts, ...]
    without_vote: int
    paces: tuple[PaceVotes, ...]
    failed_loses: tuple[Tally, ...]


def trust_figures(connection: Connection, *, now: datetime) -> TrustFigures:
    """Count all of it in one look; without votes every figure is 0, None or empty."""
    votes = votes_now().subquery()
    counted = votes.c.left_out.is_(None)
    by_voter = _by_voter(connection, votes, counted)
    total = sum(by_voter.values())
    busiest = max(by_voter, key=lambda voter: by_voter[voter], default=None)
    snap = type_coerce(votes.c.risk_reasons, Text).contains(f'"{Sign.SNAP_VOTE}"')
    return TrustFigures(
        seats=_tallies(connection, votes, counted),
        left_out_votes=_left_out_votes(connection, votes),
        snap_votes=_tallies(connection, votes, and_(counted, snap)),
        busiest_votes=_tallies(connection, votes, and_(counted, votes.c.voter == busiest)) if busiest else (),
        aa=_aa(connection),
        voters=len(by_voter),
        busiest_share=by_voter[busiest] / total if busiest is not None else 0.0,
        **_decisions(connection, votes, counted),
        attempts=_attempts(connection, now),
        without_vote=_without_vote(connection, now),
        paces=_paces(connection, votes, counted),
        failed_loses=tallied(lost_battles(connection, EVERYTHING, now=now)),
    )


def _tallies(connection: Connection, votes: Any, wanted: Any) -> tuple[Tally, ...]:  # noqa: ANN401 - parts of a query
    key = (votes.c.seat_a, votes.c.seat_b, votes.c.verdict)
    rows = connection.execute(select(*key, func.count().label("n")).where(wanted).group_by(*key).order_by(*key))
    return tuple(Tally(*row) for row in rows)


def _left_out_votes(connection: Connection, votes: Any) -> Mapping[str, tuple[Tally, ...]]:  # noqa: ANN401
    reasons = connection.scalars(
        select(votes.c.left_out)
        .where(votes.c.left_out.is_not(None), votes.c.seat_a != votes.c.seat_b)
        .distinct()
        .order_by(votes.c.left_out)
    ).all()
    return {reason: _tallies(connection, votes, votes.c.left_out == reason) for reason in reasons}


def _by_voter(connection: Connection, votes: Any, counted: Any) -> dict[str, int]:  # noqa: ANN401
    rows = connection.execute(
        select(votes.c.voter, func.count().label("n"))
        .where(counted, votes.c.voter.is_not(None))
        .group_by(votes.c.voter)
    )
    return {row.voter: row.n for row in rows}


def _decisions(connection: Connection, votes: Any, counted: Any) -> dict[str, Any]:  # noqa: ANN401
    known = and_(counted, votes.c.decide_ms.is_not(None))
    timed = connection.scalar(select(func.count()).select_from(votes).where(known)) or 0
    middle = select(votes.c.decide_ms).where(known).order_by(votes.c.decide_ms).offset(timed // 2).limit(1)
    return {"timed": timed, "median_decide_ms": connection.scalar(middle) if timed else None}


def _aa(connection: Connection) -> Mapping[Verdict, int]:
    statement = (
        select(VoteRow.verdict, func.count().label("n"))
        .join(BattleRow, BattleRow.id == VoteRow.battle)
        .where(BattleRow.kind == BattleKind.AA)
        .group_by(VoteRow.verdict)
    )
    found = {row.verdict: row.n for row in connection.execute(statement)}
    return {verdict: found.get(verdict, 0) for verdict in Verdict}


def _is_over(now: datetime) -> Any:  # noqa: ANN401 - a condition
    return or_(BattleRow.state == BattleState.VOTED, BattleRow.created_at < now - OPEN_FOR)


def _attempts(connection: Connection, now: datetime) -> tuple[Attempts, ...]:
    model = case((ReplyRow.side == Side.A, BattleRow.seat_a), else_=BattleRow.seat_b)

    def how_many(condition: Any) -> Any:  # noqa: ANN401
        return func.sum(case((condition, 1), else_=0))

    statement = (
        select(
            model.label("model"),
            func.count().label("attempts"),
            how_many(ReplyRow.status == ReplyStatus.FAILED).label("failed"),
            how_many(ReplyRow.fault.in_(TIMEOUTS)).label("timed_out"),
            how_many(ReplyRow.status == ReplyStatus.STOPPED).label("stopped"),
            how_many(ReplyRow.status == ReplyStatus.INTERRUPTED).label("interrupted"),
            how_many(ReplyRow.attempt > 1).label("retries"),
            how_many(ReplyRow.leaked.is_not(None)).label("leaked"),
        )
        .join(BattleRow, BattleRow.id == ReplyRow.battle)
        .where(_is_over(now), ReplyRow.status != ReplyStatus.STREAMING)
        .group_by(model)
        .order_by(model)
    )
    return tuple(Attempts(**row._mapping) for row in connection.execute(statement))  # noqa: SLF001 - public API of Row


def _without_vote(connection: Connection, now: datetime) -> int:
    statement = select(func.count()).where(BattleRow.state != BattleState.VOTED, BattleRow.created_at < now - OPEN_FOR)
    return connection.scalar(statement) or 0


def _paces(connection: Connection, votes: Any, counted: Any) -> tuple[PaceVotes, ...]:  # noqa: ANN401
    a, b = latest_replies(Side.A).subquery(), latest_replies(Side.B).subquery()
    faster = case(
        (a.c.duration_ms < b.c.duration_ms, Verdict.A.value), (b.c.duration_ms < a.c.duration_ms, Verdict.B.value)
    )
    statement = (
        select(BattleRow.pace, votes.c.verdict, faster.label("faster"), func.count().label("n"))
        .select_from(votes)
        .join(BattleRow, BattleRow.id == votes.c.battle)
        .outerjoin(a, a.c.battle == votes.c.battle)
        .outerjoin(b, b.c.battle == votes.c.battle)
        .where(counted)
        .group_by(BattleRow.pace, votes.c.verdict, faster)
    )
    total: Counter[Pace] = Counter()
    timed: Counter[Pace] = Counter()
    won: Counter[Pace] = Counter()
    for row in connection.execute(statement):
        total[row.pace] += row.n
        if row.faster is not None and row.verdict in {Verdict.A, Verdict.B}:
            timed[row.pace] += row.n
            won[row.pace] += row.n * (row.faster == row.verdict)
    return tuple(PaceVotes(pace, total[pace], timed[pace], won[pace]) for pace in Pace if total[pace])
