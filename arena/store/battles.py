"""What happens to battles before the vote. Each function runs inside the writer's transaction and refuses, by an
`ArenaError`, only before its first change, so that one refusal leaves the other operations of a batch alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, func, insert, select, update

from arena.domain import BattleState, Reply, ReplyStatus, Side
from arena.errors import AlreadyVoted, NotRetryable, NotVotable, StoreError, UnknownBattle, UnknownModel
from arena.store.rows import NewBattle
from arena.store.schema import BattleRow, ConversationRow, ModelRow, ReplyRow, TurnRow
from arena.strata import NO_STRATUM, Stratum, classify

RETRYABLE = frozenset({ReplyStatus.FAILED, ReplyStatus.STOPPED, ReplyStatus.INTERRUPTED})


def open_battle(connection: Connection, new: NewBattle, *, now: datetime, lease_until: datetime) -> None:
    """Store the battle, its first prompt and two streaming replies."""
    _prepare_conversation(connection, new, now=now)
    connection.execute(
        insert(BattleRow).values(
            id=new.id,
            conversation=new.conversation_id,
            ordinal=new.ordinal,
            kind=new.kind,
            seat_a=new.seats.a,
            seat_b=new.seats.b,
            state=BattleState.STREAMING,
            owner=new.owner,
            created_at=now,
            **stratum_columns(NO_STRATUM),
        )
    )
    _insert_turn(connection, new.id, 1, new.prompt, new.fingerprints, now=now, lease_until=lease_until)


def add_turn(
    connection: Connection,
    battle_id: str,
    owner: str,
    prompt: str,
    *,
    fingerprints: Mapping[Side, str],
    now: datetime,
    lease_until: datetime,
) -> int:
    """Continue a ready battle; the ordinal of the new turn."""
    if _owned(connection, battle_id, owner) is not BattleState.READY:
        raise NotVotable("An answer is missing or failed: wait for both answers, or retry the failed one, to write on.")
    ordinal = _latest_turn(connection, battle_id) + 1
    _insert_turn(connection, battle_id, ordinal, prompt, fingerprints, now=now, lease_until=lease_until)
    _settle(connection, battle_id)
    return ordinal


def retry_reply(
    connection: Connection,
    battle_id: str,
    owner: str,
    side: Side,
    *,
    fingerprint: str,
    now: datetime,
    lease_until: datetime,
) -> int:
    """Ask one side of the latest turn again; the number of the new attempt."""
    _owned(connection, battle_id, owner)
    latest = _latest_attempts(connection, battle_id)[side]
    if latest.status not in RETRYABLE:
        raise NotRetryable(
            "This answer is still being written or is fine: only a failed or stopped one can be retried."
        )
    turn, attempt = _latest_turn(connection, battle_id), int(latest.attempt) + 1
    _insert_replies(connection, battle_id, turn, {side: fingerprint}, attempt=attempt, now=now, lease_until=lease_until)
    _settle(connection, battle_id)
    return attempt


def finish_reply(connection: Connection, battle_id: str, reply: Reply) -> BattleState:
    """Store how an attempt ended, unless it has ended already; the battle's state afterwards."""
    battle = _locked(connection, battle_id)
    if battle is None:
        raise UnknownBattle(f"There is no battle {battle_id!r} whose answer could be stored.")
    if reply.status is ReplyStatus.STREAMING:
        raise StoreError("A reply that is still streaming cannot be finished: store it once it has ended.")
    ended = connection.execute(
        update(ReplyRow)
        .where(
            ReplyRow.battle == battle_id,
            ReplyRow.turn == reply.turn,
            ReplyRow.side == reply.side,
            ReplyRow.attempt == reply.attempt,
            ReplyRow.status == ReplyStatus.STREAMING,
        )
        .values(**_ending(reply))
    )
    if ended.rowcount == 0:
        return BattleState(battle.state)
    return _settle(connection, battle_id)


def renew_leases(connection: Connection, battle_ids: Sequence[str], *, lease_until: datetime) -> None:
    """Whatever still streams in these battles is alive until `lease_until`."""
    connection.execute(
        update(ReplyRow)
        .where(ReplyRow.battle.in_(battle_ids), ReplyRow.status == ReplyStatus.STREAMING)
        .values(lease_until=lease_until)
    )


def interrupt_expired(connection: Connection, *, now: datetime) -> int:
    """End every reply whose lease is over, as when its process died; how many there were."""
    interrupted = connection.execute(
        update(ReplyRow)
        .where(ReplyRow.lease_until < now, ReplyRow.status == ReplyStatus.STREAMING)
        .values(status=ReplyStatus.INTERRUPTED, lease_until=None)
        .returning(ReplyRow.battle)
    ).scalars()
    battles = list(interrupted)
    for battle_id in dict.fromkeys(battles):
        _settle(connection, battle_id)
    return len(battles)


def stratum_columns(stratum: Stratum) -> dict[str, Any]:
    """A stratum as columns of `battle`, `vote` and `tally`."""
    return {
        "multi_turn": stratum.multi_turn,
        "long_prompt": stratum.long_prompt,
        "code": stratum.code,
        "maths": stratum.maths,
        "language": stratum.language,
    }


def _prepare_conversation(connection: Connection, new: NewBattle, *, now: datetime) -> None:
    seats = {new.seats.a, new.seats.b}
    known = set(connection.scalars(select(ModelRow.name).where(ModelRow.name.in_(seats))))
    if unknown := seats - known:
        raise UnknownModel(f"There is no model named {min(unknown)!r} in the database: add it to the catalogue first.")
    if connection.scalar(select(exists().where(BattleRow.id == new.id))):
        raise StoreError(f"There is a battle {new.id!r} already: every battle needs an id of its own.")
    owners = connection.scalars(select(ConversationRow.owner).where(ConversationRow.id == new.conversation_id)).all()
    if not owners:
        row = {"id": new.conversation_id, "owner": new.owner, "created_at": now}
        connection.execute(insert(ConversationRow), row)
    elif owners != [new.owner]:
        raise UnknownBattle("This conversation does not exist.")


def _insert_turn(
    connection: Connection,
    battle_id: str,
    ordinal: int,
    prompt: str,
    fingerprints: Mapping[Side, str],
    *,
    now: datetime,
    lease_until: datetime,
) -> None:
    row = {"battle": battle_id, "ordinal": ordinal, "prompt": prompt, "created_at": now}
    connection.execute(insert(TurnRow), row)
    _insert_replies(connection, battle_id, ordinal, fingerprints, attempt=1, now=now, lease_until=lease_until)


def _insert_replies(
    connection: Connection,
    battle_id: str,
    turn: int,
    fingerprints: Mapping[Side, str],
    *,
    attempt: int,
    now: datetime,
    lease_until: datetime,
) -> None:
    common = {
        "battle": battle_id,
        "turn": turn,
        "attempt": attempt,
        "status": ReplyStatus.STREAMING,
        "text": "",
        "started_at": now,
        "lease_until": lease_until,
    }
    rows = [common | {"side": side, "fingerprint": fingerprint} for side, fingerprint in fingerprints.items()]
    connection.execute(insert(ReplyRow), rows)


# FOR UPDATE compiles to nothing on SQLite, whose transaction holds the only write lock from its beginning.
def _locked(connection: Connection, battle_id: str) -> Row[BattleState, str | None] | None:
    statement = select(BattleRow.state, BattleRow.owner).where(BattleRow.id == battle_id).with_for_update()
    return connection.execute(statement).one_or_none()


def _owned(connection: Connection, battle_id: str, owner: str) -> BattleState:
    """The state of a battle of this voter that has no vote yet."""
    battle = _locked(connection, battle_id)
    if battle is None or battle.owner != owner:
        raise UnknownBattle("This battle does not exist.")
    if battle.state is BattleState.VOTED:
        raise AlreadyVoted("This battle has its vote: start a new round.")
    return BattleState(battle.state)


def _latest_turn(connection: Connection, battle_id: str) -> int:
    return int(connection.scalars(select(func.max(TurnRow.ordinal)).where(TurnRow.battle == battle_id)).one())


def _latest_attempts(connection: Connection, battle_id: str) -> dict[Side, Row[Side, int, ReplyStatus]]:
    """Per side the last attempt at the latest turn."""
    statement = (
        select(ReplyRow.side, ReplyRow.attempt, ReplyRow.status)
        .where(ReplyRow.battle == battle_id, ReplyRow.turn == _latest_turn(connection, battle_id))
        .order_by(ReplyRow.attempt)
    )
    return {row.side: row for row in connection.execute(statement)}


def _ending(reply: Reply) -> dict[str, Any]:
    figures = reply.figures
    return {
        "status": reply.status,
        "text": reply.text,
        "fault": reply.fault,
        "finish_reason": reply.finish_reason,
        "tokens_in": figures.tokens_in,
        "tokens_out": figures.tokens_out,
        "first_token_ms": figures.first_token_ms,
        "duration_ms": figures.duration_ms,
        "cost_usd": figures.cost_usd,
        "model_seen": reply.model_seen,
        "lease_until": None,
    }


def _settle(connection: Connection, battle_id: str) -> BattleState:
    """Derive the state of an unvoted battle from its replies and store it; a ready one also gets its stratum."""
    statuses = {row.status for row in _latest_attempts(connection, battle_id).values()}
    if ReplyStatus.STREAMING in statuses:
        state = BattleState.STREAMING
    elif statuses == {ReplyStatus.OK}:
        state = BattleState.READY
    else:
        state = BattleState.STUCK
    values: dict[str, Any] = {"state": state}
    if state is BattleState.READY:
        values |= stratum_columns(_stratum(connection, battle_id))
    connection.execute(update(BattleRow).where(BattleRow.id == battle_id).values(values))
    return state


def _stratum(connection: Connection, battle_id: str) -> Stratum:
    prompts = connection.scalars(select(TurnRow.prompt).where(TurnRow.battle == battle_id))
    finished = (ReplyRow.battle == battle_id, ReplyRow.status == ReplyStatus.OK)
    answers = connection.scalars(select(ReplyRow.text).where(*finished))
    return classify(prompts.all(), answers.all())
