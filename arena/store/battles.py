"""What happens to battles before the vote. Each function runs inside the writer's transaction and refuses, by an
`ArenaError`, only before its first change, so that one refusal leaves the other operations of a batch alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, bindparam, func, insert, select, update

from arena.domain import BattleState, Reply, ReplyStatus, Side
from arena.errors import AlreadyVoted, NotRetryable, NotVotable, StoreError, UnknownBattle, UnknownModel
from arena.language import CLASSIFIER
from arena.store.budgets import reserve, settle
from arena.store.packing import pack, unpack
from arena.store.rows import NO_BOUNDS, Bounds, NewBattle, Spending
from arena.store.schema import BattleRow, ConversationRow, ModelRow, ReplyRow, TurnRow, table_of
from arena.store.trust_schema import VoterRow
from arena.strata import NO_STRATUM, Stratum, classify
from leaderboard.style import estimated_tokens, style_of

BATTLE, TURN, REPLY = table_of(BattleRow), table_of(TurnRow), table_of(ReplyRow)
CONVERSATION, MODEL, VOTER = table_of(ConversationRow), table_of(ModelRow), table_of(VoterRow)

# Put together once: these run for every battle, and building a statement costs more than running it.
OF_BATTLE: BindParameter[str] = bindparam("of_battle")
LOCK = (
    select(BATTLE.c.state, BATTLE.c.owner, BATTLE.c.texts_removed_at).where(BATTLE.c.id == OF_BATTLE).with_for_update()
)
LATEST_TURN = select(func.max(TURN.c.ordinal)).where(TURN.c.battle == OF_BATTLE)
LATEST_ATTEMPTS = (
    select(REPLY.c.turn, REPLY.c.side, REPLY.c.attempt, REPLY.c.status)
    .where(REPLY.c.battle == OF_BATTLE, REPLY.c.turn == LATEST_TURN.scalar_subquery())
    .order_by(REPLY.c.attempt)
)
PROMPTS = select(TURN.c.prompt).where(TURN.c.battle == OF_BATTLE).order_by(TURN.c.ordinal)
ANSWERS = select(REPLY.c.text, REPLY.c.packed).where(REPLY.c.battle == OF_BATTLE, REPLY.c.status == ReplyStatus.OK)
LEAKED = (
    select(REPLY.c.battle)
    .where(REPLY.c.battle == OF_BATTLE, REPLY.c.status == ReplyStatus.OK, REPLY.c.leaked.is_not(None))
    .limit(1)
)
SETTLE = update(BATTLE).where(BATTLE.c.id == OF_BATTLE)
OF_ATTEMPT = (
    REPLY.c.battle == OF_BATTLE,
    REPLY.c.turn == bindparam("of_turn"),
    REPLY.c.side == bindparam("of_side"),
    REPLY.c.attempt == bindparam("of_attempt"),
)
END_ATTEMPT = update(REPLY).where(*OF_ATTEMPT, REPLY.c.status == ReplyStatus.STREAMING)
RESERVED = select(REPLY.c.reserved_tokens, REPLY.c.reserved_usd, REPLY.c.started_at).where(
    *OF_ATTEMPT, REPLY.c.status == ReplyStatus.STREAMING, REPLY.c.reserved_tokens.is_not(None)
)
KNOWN_VOTER = select(VOTER.c.id).where(VOTER.c.id == bindparam("of_voter"))
KNOWN_MODELS = select(MODEL.c.name).where(MODEL.c.name.in_(bindparam("seats", expanding=True)))
KNOWN_BATTLE = select(BATTLE.c.id).where(BATTLE.c.id == OF_BATTLE)
OWNER = select(CONVERSATION.c.owner).where(CONVERSATION.c.id == bindparam("of_conversation"))
NOTHING_RESERVED: Mapping[Side, Spending] = MappingProxyType({})
RETRYABLE = frozenset({ReplyStatus.FAILED, ReplyStatus.STOPPED, ReplyStatus.INTERRUPTED})


def open_battle(
    connection: Connection, new: NewBattle, *, now: datetime, lease_until: datetime, bounds: Bounds = NO_BOUNDS
) -> None:
    """Store the battle, its first prompt and two streaming replies, within the budgets."""
    is_new_conversation = _checked_conversation(connection, new)
    _reserve(connection, new.owner, new.reserved, bounds=bounds, now=now)
    if is_new_conversation:
        row = {"id": new.conversation_id, "owner": new.owner, "created_at": now}
        connection.execute(insert(CONVERSATION), row)
    if connection.scalar(KNOWN_VOTER, {"of_voter": new.owner}) is None:
        connection.execute(insert(VOTER), {"id": new.owner, "first_seen_at": now, "trusted": False})
    connection.execute(
        insert(BATTLE),
        {
            "id": new.id,
            "conversation": new.conversation_id,
            "ordinal": new.ordinal,
            "kind": new.kind,
            "seat_a": new.seats.a,
            "seat_b": new.seats.b,
            "state": BattleState.STREAMING,
            "owner": new.owner,
            "pace": new.pace,
            "network": new.network,
            "prompt_key": new.prompt_key,
            "created_at": now,
            **asdict(NO_STRATUM),
        },
    )
    asked = _Asked(new.fingerprints, new.reserved, now=now, lease_until=lease_until)
    _insert_turn(connection, new.id, 1, new.prompt, asked)


def add_turn(
    connection: Connection,
    battle_id: str,
    owner: str,
    prompt: str,
    *,
    fingerprints: Mapping[Side, str],
    now: datetime,
    lease_until: datetime,
    reserved: Mapping[Side, Spending] = NOTHING_RESERVED,
    bounds: Bounds = NO_BOUNDS,
) -> int:
    """Continue a ready battle, within the budgets; the ordinal of the new turn."""
    if _owned(connection, battle_id, owner) is not BattleState.READY:
        raise NotVotable("An answer is missing or failed: wait for both answers, or retry the failed one, to write on.")
    _reserve(connection, owner, reserved, bounds=bounds, now=now)
    ordinal = _latest_turn(connection, battle_id) + 1
    asked = _Asked(fingerprints, reserved, now=now, lease_until=lease_until)
    _insert_turn(connection, battle_id, ordinal, prompt, asked)
    _settle(connection, battle_id, now=now)
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
    reserved: Mapping[Side, Spending] = NOTHING_RESERVED,
    bounds: Bounds = NO_BOUNDS,
) -> int:
    """Ask one side of the latest turn again, within the budgets; the number of the new attempt."""
    _owned(connection, battle_id, owner)
    latest = _latest_attempts(connection, battle_id)[side]
    if latest.status not in RETRYABLE:
        raise NotRetryable(
            "This answer is still being written or is fine: only a failed or stopped one can be retried."
        )
    _reserve(connection, owner, reserved, bounds=bounds, now=now)
    turn, attempt = latest.turn, int(latest.attempt) + 1
    asked = _Asked({side: fingerprint}, reserved, now=now, lease_until=lease_until)
    _insert_replies(connection, battle_id, turn, asked, attempt=attempt)
    _settle(connection, battle_id, now=now)
    return attempt


def finish_reply(connection: Connection, battle_id: str, reply: Reply, *, now: datetime) -> BattleState:
    """Store how an attempt ended and what it came to, unless it has ended already; the battle's state afterwards."""
    battle = _locked(connection, battle_id)
    if battle is None:
        raise UnknownBattle(f"There is no battle {battle_id!r} whose answer could be stored.")
    if reply.status is ReplyStatus.STREAMING:
        raise StoreError("A reply that is still streaming cannot be finished: store it once it has ended.")
    attempt = {"of_battle": battle_id, "of_turn": reply.turn, "of_side": reply.side, "of_attempt": reply.attempt}
    reserved = connection.execute(RESERVED, attempt).one_or_none()
    if connection.execute(END_ATTEMPT, attempt | _ending(reply)).rowcount == 0:
        return BattleState(battle.state)
    if reserved is not None:
        expected = Spending(tokens=reserved.reserved_tokens, usd=reserved.reserved_usd)
        actual = _came_to(reply, expected)
        settle(connection, battle.owner, expected, actual, reserved_at=reserved.started_at)
    return _settle(connection, battle_id, now=now)


def renew_leases(connection: Connection, battle_ids: Sequence[str], *, lease_until: datetime) -> None:
    """Whatever still streams in these battles is alive until `lease_until`."""
    connection.execute(
        update(REPLY)
        .where(REPLY.c.battle.in_(battle_ids), REPLY.c.status == ReplyStatus.STREAMING)
        .values(lease_until=lease_until)
    )


def texts_removed() -> NotVotable:
    """Why a battle that was too old cannot go on."""
    return NotVotable("The answers of this battle were removed because of their age: start a new round.")


def spare_leases(connection: Connection, *, since: datetime, lease_until: datetime) -> None:
    """Renew the leases that have run out since a moment, when nobody could have renewed them."""
    lapsed = (REPLY.c.status == ReplyStatus.STREAMING, REPLY.c.lease_until >= since)
    connection.execute(update(REPLY).where(*lapsed).values(lease_until=lease_until))


def interrupt_expired(connection: Connection, *, now: datetime, lease: timedelta) -> int:
    """End every reply whose lease is over, as when its process died; how many there were.

    What was reserved for them stays spent: nobody knows what the upstream wrote. A lease that ends later than clocks
    explain (this one stepped back) ends after `lease` from now, unless it is renewed.
    """
    connection.execute(
        update(REPLY)
        .where(REPLY.c.lease_until > now + 2 * lease, REPLY.c.status == ReplyStatus.STREAMING)
        .values(lease_until=now + lease)
    )
    return _interrupt(connection, REPLY.c.lease_until < now, now=now)


def interrupt_voter(connection: Connection, voter: str, *, now: datetime) -> int:
    """The same for every reply that is being written for a voter: what comes of it is not stored any more."""
    return _interrupt(connection, REPLY.c.battle.in_(select(BATTLE.c.id).where(BATTLE.c.owner == voter)), now=now)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the new replies of a turn have in common."""

    fingerprints: Mapping[Side, str]
    reserved: Mapping[Side, Spending]
    _: KW_ONLY
    now: datetime
    lease_until: datetime


def _interrupt(connection: Connection, which: ColumnElement[bool], *, now: datetime) -> int:
    interrupted = connection.execute(
        update(REPLY)
        .where(which, REPLY.c.status == ReplyStatus.STREAMING)
        .values(status=ReplyStatus.INTERRUPTED, lease_until=None, reserved_tokens=None, reserved_usd=None)
        .returning(REPLY.c.battle)
    ).scalars()
    battles = list(interrupted)
    for battle_id in dict.fromkeys(battles):
        _settle(connection, battle_id, now=now)
    return len(battles)


def _checked_conversation(connection: Connection, new: NewBattle) -> bool:
    """Refuse what cannot be opened; whether the conversation begins with this battle."""
    seats = {new.seats.a, new.seats.b}
    known = set(connection.scalars(KNOWN_MODELS, {"seats": sorted(seats)}))
    if unknown := seats - known:
        raise UnknownModel(f"There is no model named {min(unknown)!r} in the database: add it to the catalogue first.")
    if connection.scalar(KNOWN_BATTLE, {"of_battle": new.id}) is not None:
        raise StoreError(f"There is a battle {new.id!r} already: every battle needs an id of its own.")
    owners = connection.scalars(OWNER, {"of_conversation": new.conversation_id}).all()
    if owners and owners != [new.owner]:
        raise UnknownBattle("This conversation does not exist.")
    return not owners


def _reserve(
    connection: Connection, owner: str, reserved: Mapping[Side, Spending], *, bounds: Bounds, now: datetime
) -> None:
    if reserved:
        wanted = reserved.values()
        total = Spending(tokens=sum(each.tokens for each in wanted), usd=sum(each.usd for each in wanted))
        reserve(connection, owner, total, bounds=bounds, now=now)


def _came_to(reply: Reply, reserved: Spending) -> Spending:
    """What an attempt cost, as the provider says, or else by what was written: a model that said nothing is free."""
    figures = reply.figures
    if figures.tokens_in is None or figures.tokens_out is None:
        written = estimated_tokens([reply.text])
        part = min(1.0, written / reserved.tokens) if reserved.tokens else 0.0
        return Spending(tokens=min(written, reserved.tokens), usd=reserved.usd * part)
    tokens = figures.tokens_in + figures.tokens_out
    return Spending(tokens=tokens, usd=figures.cost_usd or 0.0)


def _insert_turn(connection: Connection, battle_id: str, ordinal: int, prompt: str, asked: _Asked) -> None:
    row = {"battle": battle_id, "ordinal": ordinal, "prompt": prompt, "created_at": asked.now}
    connection.execute(insert(TURN), row)
    _insert_replies(connection, battle_id, ordinal, asked, attempt=1)


def _insert_replies(connection: Connection, battle_id: str, turn: int, asked: _Asked, *, attempt: int) -> None:
    common = {
        "battle": battle_id,
        "turn": turn,
        "attempt": attempt,
        "status": ReplyStatus.STREAMING,
        "text": "",
        "started_at": asked.now,
        "lease_until": asked.lease_until,
    }
    connection.execute(
        insert(REPLY),
        [
            common
            | {
                "side": side,
                "fingerprint": fingerprint,
                "reserved_tokens": asked.reserved[side].tokens if side in asked.reserved else None,
                "reserved_usd": asked.reserved[side].usd if side in asked.reserved else None,
            }
            for side, fingerprint in asked.fingerprints.items()
        ],
    )


# FOR UPDATE compiles to nothing on SQLite, whose transaction holds the only write lock from its beginning.
def _locked(connection: Connection, battle_id: str) -> Row[BattleState, str | None, datetime | None] | None:
    return connection.execute(LOCK, {"of_battle": battle_id}).one_or_none()


def _owned(connection: Connection, battle_id: str, owner: str) -> BattleState:
    """The state of a battle of this voter that has no vote yet."""
    battle = _locked(connection, battle_id)
    if battle is None or battle.owner != owner:
        raise UnknownBattle("This battle does not exist.")
    if battle.state is BattleState.VOTED:
        raise AlreadyVoted("This battle has its vote: start a new round.")
    if battle.texts_removed_at is not None:
        raise texts_removed()
    return BattleState(battle.state)


def _latest_turn(connection: Connection, battle_id: str) -> int:
    return int(connection.scalars(LATEST_TURN, {"of_battle": battle_id}).one())


def _latest_attempts(connection: Connection, battle_id: str) -> dict[Side, Row[int, Side, int, ReplyStatus]]:
    """Per side the last attempt at the latest turn."""
    return {row.side: row for row in connection.execute(LATEST_ATTEMPTS, {"of_battle": battle_id})}


def _ending(reply: Reply) -> dict[str, Any]:
    figures = reply.figures
    return {
        "status": reply.status,
        **pack(reply.text)._asdict(),
        "fault": reply.fault,
        "finish_reason": reply.finish_reason,
        "tokens_in": figures.tokens_in,
        "tokens_out": figures.tokens_out,
        "first_token_ms": figures.first_token_ms,
        "duration_ms": figures.duration_ms,
        "cost_usd": figures.cost_usd,
        **(style_of([reply.text])._asdict() if reply.status is ReplyStatus.OK else {}),
        "leaked": reply.leaked or None,
        "model_seen": reply.model_seen,
        "lease_until": None,
        "reserved_tokens": None,
        "reserved_usd": None,
    }


def _settle(connection: Connection, battle_id: str, *, now: datetime) -> BattleState:
    """Derive the state of an unvoted battle from its replies and store it; one that nobody writes any more gets its
    stratum, too.
    """
    statuses = {row.status for row in _latest_attempts(connection, battle_id).values()}
    if ReplyStatus.STREAMING in statuses:
        state = BattleState.STREAMING
    elif statuses == {ReplyStatus.OK}:
        state = BattleState.READY
    else:
        state = BattleState.STUCK
    values: dict[str, Any] = {"state": state}
    if state is not BattleState.STREAMING:
        values |= asdict(_stratum(connection, battle_id)) | {"classifier": CLASSIFIER}
    if state is BattleState.READY:
        values["ready_at"] = now
        values["leaked"] = connection.scalar(LEAKED, {"of_battle": battle_id}) is not None
    connection.execute(SETTLE, {"of_battle": battle_id} | values)
    return state


def _stratum(connection: Connection, battle_id: str) -> Stratum:
    prompts = connection.scalars(PROMPTS, {"of_battle": battle_id})
    answers = [unpack(row.text, row.packed) for row in connection.execute(ANSWERS, {"of_battle": battle_id})]
    return classify(prompts.all(), answers)
