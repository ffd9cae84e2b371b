"""Finished battles as the integrity tests read them, and what a sweep decides about their votes."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Text, case, delete, func, insert, or_, select, type_coerce, update

from arena.domain import BattleKind, BattleState, LeftOut, Side, short_voter
from arena.errors import UnknownVoter
from arena.store.audit import record
from arena.store.board import votes_now
from arena.store.engine import be_patient
from arena.store.exclusion import REFOLD_SECONDS, exclude, restore
from arena.store.schema import BattleRow, ModelRow, ReplyRow, TurnRow, VoteEventRow, VoteRow
from arena.store.trust_schema import AlarmRow, VoterRow
from leaderboard.games import VERDICTS
from leaderboard.integrity import UNKNOWN, Ballots, Habits, Risk, Sign, VoterFacts
from leaderboard.style import BYTES_PER_TOKEN
from leaderboard.verdicts import Verdict

SWEEP = "sweep"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRUSTED_AFTER = timedelta(days=30)
COLUMNS = (
    *("voter", "seat_a", "seat_b", "verdicts", "at_us", "decide_ms", "characters", "prompt"),  # those of `Ballots`
    *("seq", "held", "counted"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examined:
    """All finished ranked battles with their voters, but for those whose vote is left out for another reason.

    `seqs` is int64[n], the number of each battle's vote, `UNKNOWN` without one; `voter_ids` are in the order of
    `voters`. `held` and `counted` are bool[n]: what a sweep may decide about is one of the two. Votes that an
    administrator confirmed are neither, but evidence.
    """

    ballots: Ballots
    voters: VoterFacts
    voter_ids: tuple[str, ...]
    seqs: NDArray[np.int64]
    held: NDArray[np.bool_]
    counted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A model on which suspects and others disagree: since when, and a sentence with the figures."""

    model: str
    since: datetime
    reason: str


def habits(connection: Connection, voter: str, *, prompt: int | None) -> Habits:
    """What a voter did up to now, without the vote that is about to be cast; `prompt` is that vote's prompt key."""
    finished = select(func.count()).where(
        BattleRow.owner == voter,
        BattleRow.kind == BattleKind.RANKED,
        BattleRow.state.in_((BattleState.READY, BattleState.VOTED)),
    )
    snaps = func.sum(case((type_coerce(VoteRow.risk_reasons, Text).contains(f'"{Sign.SNAP_VOTE}"'), 1), else_=0))
    votes = connection.execute(
        select(
            func.count().label("votes"),
            func.coalesce(func.sum(case((VoteRow.verdict == Verdict.A, 1), else_=0)), 0).label("left"),
            func.coalesce(func.sum(case((VoteRow.verdict == Verdict.B, 1), else_=0)), 0).label("right"),
            func.count(VoteRow.decide_ms).label("timed"),
            func.coalesce(snaps, 0).label("snaps"),
        ).where(VoteRow.voter == voter)
    ).one()
    same = 0
    if prompt is not None:
        joined = select(func.count()).select_from(VoteRow).join(BattleRow, BattleRow.id == VoteRow.battle)
        same = connection.scalar(joined.where(VoteRow.voter == voter, BattleRow.prompt_key == prompt)) or 0
    return Habits(
        battles=connection.scalar(finished) or 0,
        votes=votes.votes,
        left=votes.left,
        right=votes.right,
        timed=votes.timed,
        snaps=votes.snaps,
        same_prompt=same,
    )


def examined(connection: Connection, *, now: datetime) -> Examined:
    """Everything a sweep looks at."""
    facts = {row.id: row for row in connection.execute(select(*VoterRow.__table__.c).order_by(VoterRow.first_seen_at))}
    ids = tuple(facts)
    names = tuple(connection.scalars(select(ModelRow.name).order_by(ModelRow.name)))
    sheet = _Sheet(voters=ids, models=names)
    for row in _rows(connection):
        sheet.add(row)
    voters = VoterFacts(
        signed_up_day=_column((facts[name].first_seen_at - EPOCH).days for name in ids),
        network=_column(sheet.newest_network.get(name, UNKNOWN) for name in ids),
        trusted=np.array([is_trusted(facts[name], now) for name in ids], np.bool_),
    )
    columns = {name: _column(values) for name, values in sheet.columns.items()}
    return Examined(
        seqs=columns.pop("seq"),
        held=columns.pop("held") == 1,
        counted=columns.pop("counted") == 1,
        ballots=Ballots(names=names, **columns),
        voters=voters,
        voter_ids=ids,
    )


def settle_sweep(
    connection: Connection,
    *,
    hold: Mapping[int, Risk],
    release: frozenset[int],
    alarms: Mapping[str, str],
    now: datetime,
) -> None:
    """Do what a sweep decided, but for votes about which an administrator has decided since; keep its alarms."""
    be_patient(connection, seconds=REFOLD_SECONDS)
    decided = set(connection.scalars(select(VoteEventRow.vote).where(VoteEventRow.actor != SWEEP).distinct()))
    state = {row.seq: row.left_out for row in connection.execute(votes_now())}
    to_hold = frozenset(seq for seq in hold.keys() - decided if seq in state and state[seq] is None)
    to_release = frozenset(seq for seq in release - decided if state.get(seq) == LeftOut.SUSPICIOUS)
    exclude(connection, to_hold, reason=LeftOut.SUSPICIOUS.value, actor=SWEEP, now=now, risks=hold)
    restore(connection, to_release, reason="not suspicious any more", actor=SWEEP, now=now)
    since = {row.model: row.since for row in connection.execute(select(AlarmRow.model, AlarmRow.since))}
    connection.execute(delete(AlarmRow))
    if alarms:
        rows = [{"model": m, "since": since.get(m, now), "reason": reason} for m, reason in alarms.items()]
        connection.execute(insert(AlarmRow), rows)


def alarms(connection: Connection) -> tuple[Alarm, ...]:
    """The models in alarm, by name."""
    rows = connection.execute(select(*AlarmRow.__table__.c).order_by(AlarmRow.model))
    return tuple(Alarm(model=row.model, since=row.since, reason=row.reason) for row in rows)


def trust(
    connection: Connection, voter: str, *, trusted: bool, actor: str, reason: str | None = None, now: datetime
) -> None:
    """Mark a voter as trusted, or not any more."""
    changed = connection.execute(
        update(VoterRow).where(VoterRow.id == voter, VoterRow.trusted != trusted).values(trusted=trusted)
    )
    if connection.scalar(select(VoterRow.id).where(VoterRow.id == voter)) is None:
        raise UnknownVoter(f"There is no voter {voter!r} who has opened a battle here.")
    if changed.rowcount:
        action = "voter trusted" if trusted else "voter distrusted"
        record(connection, actor=actor, action=action, target=short_voter(voter), reason=reason, now=now)


def note_login(connection: Connection, voter: str, *, now: datetime) -> None:
    """Remember when a voter logged in for the first time; a later login changes nothing."""
    known = connection.execute(
        update(VoterRow).where(VoterRow.id == voter).values(logged_in_at=func.coalesce(VoterRow.logged_in_at, now))
    )
    if not known.rowcount:
        row = {"id": voter, "first_seen_at": now, "trusted": False, "logged_in_at": now}
        connection.execute(insert(VoterRow), row)


def is_trusted(voter: Any, now: datetime) -> bool:  # noqa: ANN401 - a row
    """Whether a voter is a measure for others: marked by an administrator, or logged in for long enough."""
    return bool(voter.trusted) or (voter.logged_in_at is not None and now - voter.logged_in_at > TRUSTED_AFTER)


def _rows(connection: Connection) -> Iterable[Any]:
    """One row for each finished ranked battle: those with a vote in their order, then the others."""
    latest = select(TurnRow.battle, func.max(TurnRow.ordinal).label("ordinal")).group_by(TurnRow.battle).subquery()
    lengths = (
        select(ReplyRow.battle, (func.sum(ReplyRow.length) * BYTES_PER_TOKEN).label("characters"))
        .join(latest, (latest.c.battle == ReplyRow.battle) & (latest.c.ordinal == ReplyRow.turn))
        .where(ReplyRow.length.is_not(None), ReplyRow.side.in_(tuple(Side)))
        .group_by(ReplyRow.battle)
        .subquery()
    )
    votes = votes_now().subquery()
    statement = (
        select(
            BattleRow.owner,
            BattleRow.seat_a,
            BattleRow.seat_b,
            BattleRow.created_at,
            BattleRow.network,
            BattleRow.prompt_key,
            lengths.c.characters,
            *(votes.c[name] for name in ("seq", "verdict", "cast_at", "decide_ms", "left_out")),
        )
        .outerjoin(votes, votes.c.battle == BattleRow.id)
        .outerjoin(lengths, lengths.c.battle == BattleRow.id)
        .where(
            BattleRow.kind == BattleKind.RANKED,
            BattleRow.state.in_((BattleState.READY, BattleState.VOTED)),
            or_(votes.c.left_out.is_(None), votes.c.left_out.in_((LeftOut.SUSPICIOUS, LeftOut.CONFIRMED))),
        )
        .order_by(votes.c.seq.is_(None), votes.c.seq, BattleRow.created_at, BattleRow.id)
    )
    return connection.execute(statement)


class _Sheet:
    """Battles as columns of whole numbers, added row by row: a million rows as they are read would take a gigabyte."""

    def __init__(self, *, voters: Sequence[str], models: Sequence[str]) -> None:
        self.columns = {name: array("q") for name in COLUMNS}
        self.newest_network: dict[str, int] = {}
        self._voters = {name: i for i, name in enumerate(voters)}
        self._models = {name: i for i, name in enumerate(models)}
        self._networks = _Numbers()

    def add(self, row: Any) -> None:  # noqa: ANN401 - one of `_rows`
        """Note a battle."""
        if row.network is not None:
            self.newest_network[row.owner] = self._networks[row.network]
        values = (
            self._voters.get(row.owner, UNKNOWN),
            self._models[row.seat_a],
            self._models[row.seat_b],
            UNKNOWN if row.verdict is None else VERDICTS.index(row.verdict),
            _microseconds(row.cast_at or row.created_at),
            _known(row.decide_ms),
            _known(row.characters),
            _known(row.prompt_key),
            _known(row.seq),
            row.seq is not None and row.left_out == LeftOut.SUSPICIOUS,
            row.seq is not None and row.left_out is None,
        )
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)


class _Numbers(dict[str, int]):
    """Numbers names from 0 in the order in which they are first asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


def _column(values: Any) -> NDArray[np.int64]:  # noqa: ANN401 - an iterator of numbers
    return np.fromiter(values, np.int64)


def _known(value: int | None) -> int:
    return UNKNOWN if value is None else int(value)


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
