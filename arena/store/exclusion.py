"""Taking votes out of the board and putting them back: an event, a re-fold and an audit entry in one transaction."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from arena.domain import BattleKind
from arena.errors import UnknownVote
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
from arena.store.schema import CheckpointRow, EventKind, VoteEventRow, VoteRow

NEVER_COUNTED = frozenset(kind.value for kind in BattleKind if kind is not BattleKind.RANKED)


def exclude(connection: Connection, seqs: frozenset[int], *, reason: str, actor: str, now: datetime) -> None:
    """Leave votes out of the board."""
    _judge(connection, seqs, EventKind.EXCLUDED, reason=reason, actor=actor, now=now)


def restore(connection: Connection, seqs: frozenset[int], *, reason: str, actor: str, now: datetime) -> None:
    """Let votes count."""
    _judge(connection, seqs, EventKind.RESTORED, reason=reason, actor=actor, now=now)


def _judge(
    connection: Connection, seqs: frozenset[int], kind: EventKind, *, reason: str, actor: str, now: datetime
) -> None:
    if not seqs:
        return
    board = lock_board(connection)
    before = _votes(connection, seqs)
    event = {"kind": kind, "reason": reason, "actor": actor, "after_seq": board.last_seq, "at": now}
    connection.execute(insert(VoteEventRow), [event | {"vote": seq} for seq in sorted(seqs)])
    after = _votes(connection, seqs)
    take_tallies(connection, _tallies(before.values()))
    add_tallies(connection, _tallies(after.values()))
    switched = [seq for seq in seqs if (before[seq].left_out is None) != (after[seq].left_out is None)]
    if switched:
        _refold(connection, board, first=min(switched))
    bump_board(connection, board)
    record(
        connection,
        actor=actor,
        action=f"votes {kind.value}",
        target=json.dumps(sorted(seqs)),
        before=json.dumps({seq: before[seq].left_out for seq in sorted(seqs)}),
        after=json.dumps({seq: after[seq].left_out for seq in sorted(seqs)}),
        now=now,
    )


def _votes(connection: Connection, seqs: frozenset[int]) -> dict[int, Row[Any]]:
    """The votes as they count now."""
    votes = {vote.seq: vote for vote in connection.execute(votes_now().where(VoteRow.seq.in_(seqs)))}
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


def _refold(connection: Connection, board: BoardState, *, first: int) -> None:
    """Fold again from the last checkpoint before vote `first`, mending the checkpoints on the way."""
    marks = connection.scalars(select(CheckpointRow.seq).where(CheckpointRow.seq >= first).distinct()).all()
    ratings = ratings_after(connection, first - 1, settings=board.elo)
    votes = connection.execute(votes_now().where(VoteRow.seq >= first)).all()
    for vote in fold(votes, ratings, settings=board.elo):
        if vote.seq in marks:
            store_checkpoint(connection, vote.seq, ratings, at=vote.cast_at)
    store_ratings(connection, ratings)
