"""Erasing a voter: the votes stay, and nothing leads from them to a person any more."""

import json
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from arena.domain import short_voter
from arena.errors import UnknownVoter
from arena.store import audit, sessions
from arena.store.battles import interrupt_voter
from arena.store.board import bump_board, lock_board
from arena.store.budgets import forget
from arena.store.rows import Erased
from arena.store.schema import AuditRow, BattleRow, ConversationRow, VoteRow, table_of
from arena.store.texts import remove_texts
from arena.store.traces import mark
from arena.store.trust_schema import VoterRow

AUDIT, BATTLE, CONVERSATION = table_of(AuditRow), table_of(BattleRow), table_of(ConversationRow)
VOTE, VOTER = table_of(VoteRow), table_of(VoterRow)
# As many answers as fit into a pause that other writers do not feel.
BATTLES_AT_ONCE = 100


def detach(connection: Connection, voter: str, *, actor: str, reason: str | None, now: datetime) -> Erased:
    """Make a voter's battles and votes nobody's; what they say is then removed by `clear_some`.

    Raises:
        UnknownVoter: nobody of that id has opened a battle.
    """
    board = lock_board(connection)
    if not _is_known(connection, voter):
        raise UnknownVoter(f"There is no voter {voter!r} who has opened a battle here: nothing was erased.")
    interrupt_voter(connection, voter, now=now)
    nobodys = {"owner": None, "network": None, "prompt_key": None}
    battles = connection.execute(update(BATTLE).where(BATTLE.c.owner == voter).values(nobodys)).rowcount
    votes = connection.execute(update(VOTE).where(VOTE.c.voter == voter).values(voter=None, network=None)).rowcount
    connection.execute(update(CONVERSATION).where(CONVERSATION.c.owner == voter).values(owner=None))
    connection.execute(delete(VOTER).where(VOTER.c.id == voter))
    forget(connection, voter)
    sessions.forget(connection, voter, now=now)
    redacted = audit.redact(connection, [voter, short_voter(voter)])
    mark(connection)
    bump_board(connection, board)
    after = json.dumps({"battles": battles, "votes": votes, audit.REDACTED: redacted})
    audit.record(
        connection, actor=actor, action=audit.VOTER_ERASED, target=audit.ERASED, after=after, reason=reason, now=now
    )
    return Erased(battles=battles, votes=votes)


def clear_some(connection: Connection, *, now: datetime) -> bool:
    """Remove the texts of some battles that are nobody's; whether all of them are removed."""
    nobodys = (BATTLE.c.owner.is_(None), BATTLE.c.texts_removed_at.is_(None))
    battles = connection.scalars(select(BATTLE.c.id).where(*nobodys).limit(BATTLES_AT_ONCE)).all()
    if battles:
        remove_texts(connection, battles, now=now)
    return len(battles) < BATTLES_AT_ONCE


def _is_known(connection: Connection, voter: str) -> bool:
    places = (VOTER.c.id, BATTLE.c.owner, CONVERSATION.c.owner, VOTE.c.voter)
    return any(connection.execute(select(place).where(place == voter).limit(1)).first() for place in places)
