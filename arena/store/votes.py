"""Casting votes: many in one transaction, each counted once, in one total order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from arena.domain import BattleKind, BattleState, EloChange, LeftOut, Side, Vote
from arena.errors import AlreadyVoted, ArenaError, NotVotable, UnknownBattle
from arena.store.battles import texts_removed
from arena.store.board import (
    CHECKPOINT_EVERY,
    STRATUM,
    BoardState,
    add_tallies,
    bump_board,
    lock_board,
    store_checkpoint,
    store_ratings,
    tally_key,
    utc_day,
)
from arena.store.rows import PLAIN_CASTING, Casting
from arena.store.schema import BattleRow, RatingRow, VoteRow, table_of
from leaderboard.ratings import EloSettings, elo_change
from leaderboard.verdicts import Verdict, score_a

BATTLE = table_of(BattleRow)
LOOK = (
    select(BATTLE.c.id, BATTLE.c.owner, BATTLE.c.state, BATTLE.c.texts_removed_at)
    .where(BATTLE.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)
CLAIM = (
    update(BATTLE)
    .where(BATTLE.c.id.in_(bindparam("ids", expanding=True)), BATTLE.c.state == BattleState.READY)
    .values(state=BattleState.VOTED)
    .returning(*BATTLE.c)
)
INSERT_VOTE = insert(table_of(VoteRow))
RATINGS = select(*table_of(RatingRow).c)
VOTE_FIELDS = ("battle", "seq", "verdict", "elo_a", "elo_b", "change", "left_out", "cast_at")


@dataclass(frozen=True, slots=True)
class Ballot:
    """One voter's wish to end one battle."""

    battle_id: str
    owner: str
    verdict: Verdict
    casting: Casting = PLAIN_CASTING


def cast_votes(connection: Connection, ballots: Sequence[Ballot], *, now: datetime) -> list[Vote | ArenaError]:
    """Store what can be stored of these ballots, in their order: per ballot its vote, or why there is none."""
    board = lock_board(connection)
    refusals = _refusals(connection, ballots)
    accepted = [ballot for ballot, refusal in zip(ballots, refusals, strict=True) if refusal is None]
    battles = _claim(connection, accepted)
    claimed = [(ballot, battles[ballot.battle_id]) for ballot in accepted if ballot.battle_id in battles]
    votes = _store(connection, board, claimed, now=now) if claimed else {}
    return [
        refusal or votes.get(ballot.battle_id) or _already_voted()
        for ballot, refusal in zip(ballots, refusals, strict=True)
    ]


def as_vote(
    *,
    battle: str,
    seq: int,
    verdict: Verdict,
    elo_a: float | None,
    elo_b: float | None,
    change: float | None,
    left_out: str | None,
    cast_at: datetime,
) -> Vote:
    """The vote of a row; the sums are those of the fold, so that they are its ratings to the last bit."""
    elo = None
    if elo_a is not None and elo_b is not None and change is not None:
        elo = MappingProxyType(
            {
                Side.A: EloChange(before=elo_a, after=elo_a + change),
                Side.B: EloChange(before=elo_b, after=elo_b - change),
            }
        )
    return Vote(battle_id=battle, seq=seq, verdict=verdict, elo=elo, cast_at=cast_at, left_out=left_out)


def _refusals(connection: Connection, ballots: Sequence[Ballot]) -> list[ArenaError | None]:
    """Why each ballot cannot count; None for the first on a battle of its own voter that is ready."""
    ids = sorted({ballot.battle_id for ballot in ballots})
    battles = {row.id: row for row in connection.execute(LOOK, {"ids": ids})}
    taken: set[str] = set()
    refusals: list[ArenaError | None] = []
    for ballot in ballots:
        refusal = _refusal(ballot, battles.get(ballot.battle_id), taken)
        refusals.append(refusal)
        if refusal is None:
            taken.add(ballot.battle_id)
    return refusals


def _refusal(ballot: Ballot, battle: Row[Any, Any, Any, Any] | None, taken: set[str]) -> ArenaError | None:
    if battle is None or battle.owner != ballot.owner:
        return UnknownBattle("This battle does not exist.")
    if battle.state is BattleState.VOTED or ballot.battle_id in taken:
        return _already_voted()
    if battle.texts_removed_at is not None:
        return texts_removed()
    if battle.state is not BattleState.READY:
        return NotVotable("An answer is missing or failed: wait for both answers, or retry the failed one, to vote.")
    return None


# The claim decides, not the look before it: two transactions cannot both move a battle from ready to voted.
def _claim(connection: Connection, accepted: Sequence[Ballot]) -> dict[str, Row[Any]]:
    if not accepted:
        return {}
    ids = [ballot.battle_id for ballot in accepted]
    return {row.id: row for row in connection.execute(CLAIM, {"ids": ids})}


def _store(
    connection: Connection, board: BoardState, claimed: Sequence[tuple[Ballot, Row[Any]]], *, now: datetime
) -> dict[str, Vote]:
    """Number and fold the claimed battles in order; store votes, ratings, tallies and checkpoints."""
    bump_board(connection, board, votes=len(claimed), last_vote_at=now)
    before = {row.model: row.elo for row in connection.execute(RATINGS)}
    if board.last_vote_at is not None and utc_day(board.last_vote_at) != utc_day(now):
        store_checkpoint(connection, board.last_seq, before, at=board.last_vote_at)
    ratings = dict(before)
    rows: list[dict[str, Any]] = []
    for seq, (ballot, battle) in enumerate(claimed, start=board.last_seq + 1):
        rows.append(_row(ballot, battle, ratings, settings=board.elo) | {"seq": seq, "cast_at": now})
        if seq % CHECKPOINT_EVERY == 0:
            store_checkpoint(connection, seq, ratings, at=now)
    connection.execute(INSERT_VOTE, rows)
    store_ratings(connection, {name: elo for name, elo in ratings.items() if elo != before[name]})
    add_tallies(connection, Counter(tally_key(row, left_out=row["left_out"]) for row in rows))
    return {row["battle"]: as_vote(**{name: row[name] for name in VOTE_FIELDS}) for row in rows}


def _row(ballot: Ballot, battle: Row[Any], ratings: dict[str, float], *, settings: EloSettings) -> dict[str, Any]:
    """The vote as a row, but for its number and time; when it counts, `ratings` move."""
    left_out = _left_out(ballot, battle)
    elo_a = elo_b = change = None
    if left_out is None:
        elo_a, elo_b = ratings[battle.seat_a], ratings[battle.seat_b]
        change = elo_change(elo_a, elo_b, score_a(ballot.verdict), settings=settings)
        ratings[battle.seat_a] = elo_a + change
        ratings[battle.seat_b] = elo_b - change
    return {
        "battle": ballot.battle_id,
        "voter": ballot.owner,
        "verdict": ballot.verdict,
        "elo_a": elo_a,
        "elo_b": elo_b,
        "change": change,
        "left_out": left_out,
        "decide_ms": ballot.casting.decide_ms,
        "risk": ballot.casting.risk,
        "risk_reasons": ballot.casting.signs or None,
        **{name: getattr(battle, name) for name in ("seat_a", "seat_b", "network", *STRATUM)},
    }


def _left_out(ballot: Ballot, battle: Row[Any]) -> str | None:
    """Why the vote does not count; what can never be mended comes first."""
    if battle.kind is not BattleKind.RANKED:
        return str(battle.kind.value)
    if battle.leaked:
        return LeftOut.LEAKED.value
    return LeftOut.SUSPICIOUS.value if ballot.casting.held else None


def _already_voted() -> AlreadyVoted:
    return AlreadyVoted("This battle has its vote: start a new round.")
