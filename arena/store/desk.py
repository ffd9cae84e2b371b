"""What an administrator looks at before deciding about votes and voters."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from sqlalchemy import Connection, Row, Select, Subquery, Text, and_, case, func, or_, select
from sqlalchemy import cast as as_type

from arena.domain import LeftOut, Seats
from arena.store.ballots import SWEEP, is_trusted
from arena.store.board import votes_now
from arena.store.exclusion import NEVER_COUNTED
from arena.store.schema import BattleRow, EventKind, VoteEventRow, VoteRow
from arena.store.trust_schema import VoterRow
from leaderboard.verdicts import Verdict

MOST_NAMED = 2_000  # voters whom a question lists one by one; for more the whole tables are read


class Which(StrEnum):
    """Which votes to list: those held for somebody to look at, all that do not count, or all there are."""

    HELD = "held"
    LEFT_OUT = "left_out"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an administrator decided last about a vote: that it counts, or not, which no sweep undoes."""

    actor: str
    at: datetime
    counts: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedVote:
    """A vote with all that was said against it.

    `signs` and `risk` are what the rules saw at the click; `swept_signs`, `swept_risk` and `sentences` what a sweep saw
    that held it and has not released it since; empty and None where there was none.
    """

    seq: int
    battle_id: str
    voter: str | None
    seats: Seats
    verdict: Verdict
    cast_at: datetime
    decide_ms: int | None
    left_out: str | None
    risk: float | None
    signs: tuple[str, ...]
    swept_risk: float | None
    swept_signs: tuple[str, ...]
    sentences: tuple[str, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoterFigures:
    """What one voter did: ranked votes, how many of them count and are held, and in how many each sign was seen."""

    id: str
    votes: int
    counted: int
    held: int
    signs: Mapping[str, int]
    marked: bool
    trusted: bool
    first_seen_at: datetime
    last_seen_at: datetime


class DeskQueries:
    """The administrator's questions; reached as `Queries.desk`. Each is one consistent look at the database."""

    def __init__(self, look: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._look = look

    def votes(
        self, which: Which = Which.HELD, *, voter: str | None = None, limit: int | None = None
    ) -> tuple[ExaminedVote, ...]:
        """Votes on ranked battles, the newest first; of one voter, by whole id, where one is given."""
        with self._look() as connection:
            wanted = _wanted(which, voter=voter, limit=limit)
            events = _events(connection, wanted)
            return tuple(_examined(row, events.get(row.seq, [])) for row in connection.execute(wanted))

    def voter_ids(self) -> tuple[str, ...]:
        """Everybody who has opened a battle."""
        with self._look() as connection:
            return tuple(connection.scalars(select(VoterRow.id).order_by(VoterRow.id)))

    def voter_count(self) -> int:
        """How many have opened a battle."""
        with self._look() as connection:
            return connection.scalar(select(func.count()).select_from(VoterRow)) or 0

    def voters(self, *, now: datetime, limit: int | None = None, offset: int = 0) -> tuple[VoterFigures, ...]:
        """Everybody who has opened a battle, those with the most held votes first, then with the most votes."""
        with self._look() as connection:
            rows = connection.execute(_voters().limit(limit).offset(offset)).all()
            shown = [row.id for row in rows] if limit is not None and limit <= MOST_NAMED else None
            seen, signs = _last_seen(connection, shown), _signs(connection, shown)
            return tuple(_voter(row, signs.get(row.id, {}), last_seen_at=seen.get(row.id), now=now) for row in rows)


def _wanted(which: Which, *, voter: str | None, limit: int | None) -> Select[Any]:
    votes = votes_now().order_by(None).order_by(VoteRow.seq.desc()).limit(limit)
    left_out = votes.selected_columns.left_out
    votes = votes.where(_ranked(votes.selected_columns.left_out_when_cast))
    if voter is not None:
        votes = votes.where(VoteRow.voter == voter)
    match which:
        case Which.HELD:
            return votes.where(left_out == LeftOut.SUSPICIOUS)
        case Which.LEFT_OUT:
            return votes.where(left_out.is_not(None))
        case Which.ALL:
            return votes
    assert_never(which)


def _ranked(left_out_when_cast: Any) -> Any:  # noqa: ANN401 - parts of a query
    return func.coalesce(left_out_when_cast, "").not_in(NEVER_COUNTED)


def _events(connection: Connection, wanted: Select[Any]) -> dict[int, list[Row[Any]]]:
    """What happened to these votes, in order."""
    seqs = wanted.subquery()
    events = select(*VoteEventRow.__table__.c).join(seqs, seqs.c.seq == VoteEventRow.vote).order_by(VoteEventRow.id)
    found: dict[int, list[Row[Any]]] = {}
    for event in connection.execute(events):
        found.setdefault(event.vote, []).append(event)
    return found


def _examined(vote: Row[Any], events: Sequence[Row[Any]]) -> ExaminedVote:
    swept = next((event for event in reversed(events) if event.actor == SWEEP), None)
    ruled = next((event for event in reversed(events) if event.actor != SWEEP), None)
    if swept is not None and swept.kind is EventKind.RESTORED:
        swept = None
    return ExaminedVote(
        seq=vote.seq,
        battle_id=vote.battle,
        voter=vote.voter,
        seats=Seats(vote.seat_a, vote.seat_b),
        verdict=vote.verdict,
        cast_at=vote.cast_at,
        decide_ms=vote.decide_ms,
        left_out=vote.left_out,
        risk=vote.risk,
        signs=vote.risk_reasons or (),
        swept_risk=swept.risk if swept else None,
        swept_signs=(swept.signs if swept else None) or (),
        sentences=tuple(swept.note.splitlines()) if swept and swept.note else (),
        decision=_decision(ruled) if ruled else None,
    )


def _decision(event: Row[Any]) -> Decision:
    counts = event.kind is EventKind.RESTORED
    return Decision(actor=event.actor, at=event.at, counts=counts, reason=event.note or event.reason)


def _voters() -> Select[Any]:
    """One row for each voter with what the votes say, in the order in which they are listed.

    Nearly all votes count: they are counted in an index, and only those that were ever left out are looked at.
    """
    cast = select(VoteRow.voter, func.count().label("n")).group_by(VoteRow.voter).subquery()
    odd = _ever_left_out()
    votes = func.coalesce(cast.c.n, 0) - func.coalesce(odd.c.unranked, 0)
    held = func.coalesce(odd.c.held, 0)
    return (
        select(*VoterRow.__table__.c, votes.label("votes"), held.label("held"))
        .add_columns((votes - func.coalesce(odd.c.left_out, 0)).label("counted"))
        .outerjoin(cast, cast.c.voter == VoterRow.id)
        .outerjoin(odd, odd.c.voter == VoterRow.id)
        .order_by(held.desc(), votes.desc(), VoterRow.first_seen_at, VoterRow.id)
    )


def _ever_left_out() -> Subquery:
    """Per voter the votes on battles that were not ranked, and of the others those that do not count or are held."""
    now = votes_now().order_by(None).subquery()
    ranked = _ranked(now.c.left_out_when_cast)
    # By an expression, else SQLite follows the index of voters and reads every vote at another place of the file.
    voter = as_type(now.c.voter, Text)

    def how_many(condition: Any) -> Any:  # noqa: ANN401 - parts of a query
        return func.sum(case((condition, 1), else_=0))

    return (
        select(voter.label("voter"), how_many(~ranked).label("unranked"))
        .add_columns(how_many(and_(ranked, now.c.left_out.is_not(None))).label("left_out"))
        .add_columns(how_many(and_(ranked, now.c.left_out == LeftOut.SUSPICIOUS)).label("held"))
        .where(or_(now.c.left_out.is_not(None), now.c.left_out_when_cast.is_not(None)))
        .group_by(voter)
        .subquery()
    )


def _last_seen(connection: Connection, voters: Sequence[str] | None) -> Mapping[str, datetime]:
    """When each of these voters, or every one, asked or voted last."""
    found: dict[str, datetime] = {}
    for who, when in ((VoteRow.voter, VoteRow.cast_at), (BattleRow.owner, BattleRow.created_at)):
        latest = select(who.label("who"), func.max(when).label("at")).where(_among(who, voters)).group_by(who)
        for row in connection.execute(latest):
            found[row.who] = max(row.at, found.get(row.who, row.at))
    return found


def _among(column: Any, voters: Sequence[str] | None) -> Any:  # noqa: ANN401 - parts of a query
    return column.is_not(None) if voters is None else column.in_(voters)


def _voter(row: Row[Any], signs: Mapping[str, int], *, last_seen_at: datetime | None, now: datetime) -> VoterFigures:
    return VoterFigures(
        id=row.id,
        votes=row.votes,
        counted=row.counted,
        held=row.held,
        signs=signs,
        marked=row.trusted,
        trusted=is_trusted(row, now),
        first_seen_at=row.first_seen_at,
        last_seen_at=max(row.first_seen_at, last_seen_at or row.first_seen_at),
    )


def _signs(connection: Connection, voters: Sequence[str] | None) -> Mapping[str, Mapping[str, int]]:
    """Per voter, of these or all, in how many ranked votes each sign was seen, at the click or by a sweep."""
    at_click = select(VoteRow.seq, VoteRow.voter, VoteRow.risk_reasons.label("signs")).where(
        VoteRow.risk_reasons.is_not(None), _ranked(VoteRow.left_out)
    )
    swept = (
        select(VoteRow.seq, VoteRow.voter, VoteEventRow.signs)
        .join(VoteRow, VoteRow.seq == VoteEventRow.vote)
        .where(VoteEventRow.signs.is_not(None))
    )
    seen = {
        (row.seq, row.voter, sign)
        for statement in (at_click, swept)
        for row in connection.execute(statement.where(_among(VoteRow.voter, voters)))
        for sign in row.signs
    }
    found: dict[str, Counter[str]] = {}
    for _, voter, sign in sorted(seen):
        found.setdefault(voter, Counter())[sign] += 1
    return found
