"""Taking votes out of the board and putting them back: an event, a re-fold and an audit entry in one transaction."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from arena.domain import BattleKind, LeftOut
from arena.errors import DecisionRefused, UnknownVote
from arena.store.audit import record
from arena.store.board import (
    BoardState,
    TallyKey,
    add_tallies,
    bump_board,
    fold,
    lock_board,
    ratings_after,
    store_checkpoint,
    store_ratings,
    take_tallies,
    tally_key,
    votes_now,
)
from arena.store.engine import be_patient
from arena.store.schema import CheckpointRow, EventKind, VoteEventRow, VoteRow
from leaderboard.integrity import Risk

# Engines take some ten thousand parameters in a statement.
AT_ONCE = 10_000
# A million votes are read and folded again in some ten seconds, while everybody else waits for the board.
REFOLD_SECONDS = 60
NEVER_COUNTED = frozenset(kind.value for kind in BattleKind if kind is not BattleKind.RANKED)


def exclude(
    connection: Connection,
    seqs: frozenset[int],
    *,
    reason: str,
    actor: str,
    now: datetime,
    note: str | None = None,
    risks: Mapping[int, Risk] = MappingProxyType({}),
) -> None:
    """Leave votes out of the board, counted there under `reason`; `note` or `risks` say more about it."""
    ruling = _Ruling(kind=EventKind.EXCLUDED, reason=reason, actor=actor, at=now, note=note, risks=risks)
    _judge(connection, seqs, ruling, action="votes excluded")


def confirm(connection: Connection, seqs: frozenset[int], *, note: str, actor: str, now: datetime) -> None:
    """Leave out for good what was held for somebody to look at."""
    ruling = _Ruling(kind=EventKind.EXCLUDED, reason=LeftOut.CONFIRMED.value, actor=actor, at=now, note=note)
    _judge(connection, seqs, ruling, action="votes confirmed", held_only=True)


def restore(connection: Connection, seqs: frozenset[int], *, reason: str, actor: str, now: datetime) -> None:
    """Let votes count."""
    ruling = _Ruling(kind=EventKind.RESTORED, reason=reason, actor=actor, at=now, note=reason)
    _judge(connection, seqs, ruling, action="votes restored")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    """One decision about some votes; `risks` are those that a sweep saw, by vote."""

    kind: EventKind
    reason: str
    actor: str
    at: datetime
    note: str | None = None
    risks: Mapping[int, Risk] = field(default_factory=dict)

    def event(self, seq: int, *, after_seq: int) -> dict[str, Any]:
        """The row for one vote."""
        risk = self.risks.get(seq)
        return {
            "vote": seq,
            "kind": self.kind,
            "reason": self.reason,
            "actor": self.actor,
            "after_seq": after_seq,
            "at": self.at,
            "risk": risk and risk.value,
            "signs": risk and tuple(reason.sign.value for reason in risk.reasons),
            "note": "\n".join(reason.sentence for reason in risk.reasons) if risk else self.note,
        }


def _judge(
    connection: Connection, seqs: frozenset[int], ruling: _Ruling, *, action: str, held_only: bool = False
) -> None:
    if not seqs:
        return
    board = lock_board(connection)
    before = _votes(connection, seqs)
    if held_only:
        _require_held(before)
    events = [ruling.event(seq, after_seq=board.last_seq) for seq in sorted(seqs)]
    connection.execute(insert(VoteEventRow), events)
    after = _votes(connection, seqs)
    take_tallies(connection, _tallies(before.values()))
    add_tallies(connection, _tallies(after.values()))
    switched = [seq for seq in seqs if (before[seq].left_out is None) != (after[seq].left_out is None)]
    if switched:
        refold(connection, board, first=min(switched))
    bump_board(connection, board)
    record(
        connection,
        actor=ruling.actor,
        action=action,
        target=json.dumps(sorted(seqs)),
        before=json.dumps({seq: before[seq].left_out for seq in sorted(seqs)}),
        after=json.dumps({seq: after[seq].left_out for seq in sorted(seqs)}),
        reason=ruling.note,
        now=ruling.at,
    )


def _require_held(votes: Mapping[int, Row[Any]]) -> None:
    for seq, vote in sorted(votes.items()):
        if vote.left_out != LeftOut.SUSPICIOUS:
            raise DecisionRefused(f"Vote {seq} is not held, so there is nothing to confirm: nothing was changed.")


def _votes(connection: Connection, seqs: frozenset[int]) -> dict[int, Row[Any]]:
    """The votes as they count now."""
    votes: dict[int, Row[Any]] = {}
    wanted = sorted(seqs)
    for start in range(0, len(wanted), AT_ONCE):
        some = votes_now().where(VoteRow.seq.in_(wanted[start : start + AT_ONCE]))
        votes |= {vote.seq: vote for vote in connection.execute(some)}
    if missing := seqs - votes.keys():
        raise UnknownVote(f"There is no vote number {min(missing)}: nothing was changed.")
    for seq, vote in votes.items():
        if vote.left_out_when_cast in NEVER_COUNTED:
            raise UnknownVote(
                f"Vote {seq} is of a battle that was not ranked, so it never counts: nothing was changed."
            )
    return votes


def _tallies(votes: Iterable[Row[Any]]) -> Counter[TallyKey]:
    return Counter(tally_key(vote._mapping, left_out=vote.left_out) for vote in votes)  # noqa: SLF001 - public API


def refold(connection: Connection, board: BoardState, *, first: int) -> None:
    """Fold again from the last checkpoint before vote `first`, mending the checkpoints on the way."""
    be_patient(connection, seconds=REFOLD_SECONDS)
    marks = connection.scalars(select(CheckpointRow.seq).where(CheckpointRow.seq >= first).distinct()).all()
    ratings = ratings_after(connection, first - 1, settings=board.elo)
    votes = connection.execute(votes_now().where(VoteRow.seq >= first)).all()
    for vote in fold(votes, ratings, settings=board.elo):
        if vote.seq in marks:
            store_checkpoint(connection, vote.seq, ratings, at=vote.cast_at)
    store_ratings(connection, ratings)
