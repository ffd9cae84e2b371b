"""What must hold between rows, besides what is recomputed from the votes."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, exists, func, or_, select, type_coerce

from arena.domain import BattleKind, BattleState, LeftOut, ReplyStatus
from arena.errors import StoreCorrupt
from arena.store.schema import BattleRow, EventKind, ReplyRow, TurnRow, VoteEventRow, VoteRow

Rule = Select[*tuple[Any, ...]]
# What a vote can be left out for when it is cast; whatever comes later is an event with its reason.
AT_CASTING = (LeftOut.AA, LeftOut.NAMED, LeftOut.LEAKED, LeftOut.SUSPICIOUS)


def check_invariants(connection: Connection) -> None:
    """Look for the first row that breaks one of them.

    Raises:
        StoreCorrupt: names it.
    """
    for statement, wrong in _rules():
        for row in connection.execute(statement.limit(1)):
            raise StoreCorrupt(wrong.format(*row) + " Restore a backup, or ask who changed the database.")


def _rules() -> Iterator[tuple[Rule, str]]:
    """What selects the rows that must not be, and what to say of one; `{0}`, `{1}` are its columns."""
    votes = select(VoteRow.seq, VoteRow.battle).join(BattleRow, BattleRow.id == VoteRow.battle)
    yield _twice(), "Battle {0!r} has {1} votes: one is all it can have."
    yield _mismatched(), "Battle {0!r} and its vote ({1}) do not belong together."
    yield _unanswered(), "Vote {0} is about battle {1!r}, which has not two fine answers in its last turn."
    yield (
        votes.where(VoteRow.voter.is_distinct_from(BattleRow.owner)),
        "Vote {0} is not of the voter who opened battle {1!r}.",
    )
    yield (
        votes.where(_wrongly_counted()),
        "Vote {0} on battle {1!r} is counted or left out against its kind.",
    )
    yield (
        select(VoteEventRow.vote).where(VoteEventRow.kind == EventKind.EXCLUDED, func.trim(VoteEventRow.reason) == ""),
        "Vote {0} was left out without a reason.",
    )
    yield _not_removed(), "Battle {0!r} still has texts, although they were removed at {1}."


def _twice() -> Rule:
    return select(VoteRow.battle, func.count()).group_by(VoteRow.battle).having(func.count() > 1)


def _mismatched() -> Rule:
    """Each vote has its battle in state `voted`, with the same seats, and each such battle its vote."""
    return (
        select(BattleRow.id, VoteRow.seq)
        .outerjoin(VoteRow, VoteRow.battle == BattleRow.id)
        .where(
            or_(
                and_(BattleRow.state == BattleState.VOTED, VoteRow.seq.is_(None)),
                and_(BattleRow.state != BattleState.VOTED, VoteRow.seq.is_not(None)),
                BattleRow.seat_a != VoteRow.seat_a,
                BattleRow.seat_b != VoteRow.seat_b,
            )
        )
    )


def _unanswered() -> Rule:
    turn = select(TurnRow.battle, func.max(TurnRow.ordinal).label("ordinal")).group_by(TurnRow.battle).subquery()
    attempt = (
        select(ReplyRow.battle, ReplyRow.turn, ReplyRow.side, func.max(ReplyRow.attempt).label("attempt"))
        .group_by(ReplyRow.battle, ReplyRow.turn, ReplyRow.side)
        .subquery()
    )
    same = (attempt.c[name] == getattr(ReplyRow, name) for name in ("battle", "turn", "side", "attempt"))
    fine = (
        select(ReplyRow.battle, func.count().label("n"))
        .join(turn, and_(turn.c.battle == ReplyRow.battle, turn.c.ordinal == ReplyRow.turn))
        .join(attempt, and_(*same))
        .where(ReplyRow.status == ReplyStatus.OK)
        .group_by(ReplyRow.battle)
        .subquery()
    )
    return (
        select(VoteRow.seq, VoteRow.battle)
        .outerjoin(fine, fine.c.battle == VoteRow.battle)
        .where(func.coalesce(fine.c.n, 0) != 2)  # noqa: PLR2004 - both sides
    )


def _wrongly_counted() -> Any:  # noqa: ANN401 - a condition
    ranked = BattleRow.kind == BattleKind.RANKED
    leaked = type_coerce(BattleRow.leaked, Integer) == 1
    return or_(
        and_(~ranked, func.coalesce(VoteRow.left_out, "") != BattleRow.kind),
        and_(ranked, leaked, func.coalesce(VoteRow.left_out, "") != LeftOut.LEAKED.value),
        and_(VoteRow.left_out == LeftOut.LEAKED.value, ~leaked),
        and_(VoteRow.left_out.is_not(None), VoteRow.left_out.not_in([reason.value for reason in AT_CASTING])),
    )


def _not_removed() -> Rule:
    prompts = exists().where(TurnRow.battle == BattleRow.id, TurnRow.prompt != "")
    said = or_(ReplyRow.text != "", ReplyRow.packed.is_not(None))
    answers = exists().where(ReplyRow.battle == BattleRow.id, said)
    return select(BattleRow.id, BattleRow.texts_removed_at).where(
        BattleRow.texts_removed_at.is_not(None), or_(prompts, answers)
    )
