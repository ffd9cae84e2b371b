"""Reading what was imported, and the arena's own votes in the same values."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, SQLColumnExpression, and_, func, select
from sqlalchemy.orm import aliased

from arena.domain import ReplyStatus, Side
from arena.errors import UnknownSource
from arena.foreign import Conversation, ForeignVote, StyleFigures
from arena.language import UNDETERMINED
from arena.store.board import COUNTED, SOURCE, STRATUM, votes_now
from arena.store.engine import DayOf
from arena.store.foreign_schema import (
    EPOCH,
    MICROSECOND,
    UNKNOWN_DAY,
    US_PER_DAY,
    ForeignModelRow,
    ForeignStyleRow,
    ForeignTextRow,
    ForeignVoteRow,
)
from arena.store.ordered import ordered_votes
from arena.store.packing import unpack
from arena.store.rows import Source
from arena.store.schema import BattleRow, ReplyRow, TallyRow, TurnRow, VoteRow, table_of
from arena.store.sources import live
from leaderboard.games import Games, PairCounts, Tally

AT_ONCE = 1_000


class TallyDifference(NamedTuple):
    """A tally by the values of its key, as it is stored and as the votes give it."""

    key: tuple[object, ...]
    stored: int
    given: int


def require_known(connection: Connection, names: Collection[str]) -> None:
    """Check that each of these is the arena itself or a live source.

    Raises:
        UnknownSource: names the first that is not, and those there are.
    """
    known = [SOURCE, *(source.name for source in live(connection))]
    for name in names:
        if name not in known:
            raise UnknownSource(f"There is no source {name!r}; known are {', '.join(known)}.")


def counts(connection: Connection, names: Collection[str]) -> PairCounts:
    """The counted votes of these sources together, by pair; models by name."""
    require_known(connection, names)
    key = (TallyRow.seat_a, TallyRow.seat_b, TallyRow.verdict)
    statement = (
        select(*key, func.sum(TallyRow.n).label("n"))
        .where(TallyRow.source.in_(names), TallyRow.left_out == COUNTED)
        .group_by(*key)
    )
    tallies = [Tally(row.seat_a, row.seat_b, row.verdict, int(row.n)) for row in connection.execute(statement)]
    models = sorted({name for tally in tallies for name in (tally.model_a, tally.model_b)})
    return PairCounts.from_tallies(models, tallies)


def games(connection: Connection, names: Sequence[str]) -> Games:
    """The counted votes of these sources together, by time, then by the order of the sources, then by their own."""
    require_known(connection, names)
    ordered = ordered_votes(connection, names)
    if ordered is None:
        only_counts = next(source.name for source in live(connection) if source.tallies_only and source.name in names)
        raise UnknownSource(f"The source {only_counts!r} holds counts, not votes: choose an order-free method.")
    return ordered.games


def first_difference(connection: Connection, source: Source) -> TallyDifference | None:
    """The first tally of an imported source that its votes do not give; None when all are right.

    The engine counts and compares: with millions of votes there may be as many tallies, and no room for both. A tally
    that no vote gives is found by the sum of all.
    """
    day = ForeignVoteRow.cast_at_us.op("/")(US_PER_DAY)
    shared = [getattr(ForeignVoteRow, name) for name in (*STRATUM, "left_out", "model_a", "model_b", "verdict")]
    votes = select(day.label("day"), *shared, func.count().label("n")).where(ForeignVoteRow.source == source.id)
    given = votes.group_by("day", *shared).subquery().c
    model_a, model_b = aliased(ForeignModelRow), aliased(ForeignModelRow)
    key: dict[str, SQLColumnExpression[Any]] = {
        "day": func.coalesce(DayOf(given.day * US_PER_DAY), UNKNOWN_DAY),
        **{name: given[name] for name in STRATUM},
        "left_out": func.coalesce(given.left_out, COUNTED),
        "seat_a": model_a.name,
        "seat_b": model_b.name,
        "verdict": given.verdict,
    }
    same = [getattr(TallyRow, name) == value for name, value in key.items()]
    statement: Select[*tuple[Any, ...]] = (
        select(*(value.label(name) for name, value in key.items()), TallyRow.n.label("stored"), given.n.label("given"))
        .outerjoin(model_a, model_a.id == given.model_a)
        .outerjoin(model_b, model_b.id == given.model_b)
        .outerjoin(TallyRow, and_(TallyRow.source == source.name, *same))
        .where(TallyRow.n.is_distinct_from(given.n))
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else TallyDifference(tuple(row)[: len(key)], row.stored or 0, row.given)


def foreign_votes(connection: Connection, name: str) -> Iterator[ForeignVote]:
    """The votes of an imported source in file order, those that are left out too; `line` is the place, from 1."""
    names = _model_names(connection)
    style = [column for column in table_of(ForeignStyleRow).c if column.name not in {"source", "position"}]
    texts = (ForeignTextRow.prompts, ForeignTextRow.answers_a, ForeignTextRow.answers_b)
    same_text = (ForeignTextRow.source == ForeignVoteRow.source) & (ForeignTextRow.position == ForeignVoteRow.position)
    same_style = (ForeignStyleRow.source == ForeignVoteRow.source) & (
        ForeignStyleRow.position == ForeignVoteRow.position
    )
    statement = (
        select(*table_of(ForeignVoteRow).c, *texts, *style)
        .outerjoin(ForeignTextRow, same_text)
        .outerjoin(ForeignStyleRow, same_style)
        .where(ForeignVoteRow.source == _source_id(connection, name))
        .order_by(ForeignVoteRow.position)
    )
    for row in connection.execute(statement, execution_options={"yield_per": AT_ONCE}):
        yield _foreign_vote(row, names)


def own_votes(connection: Connection) -> Iterator[ForeignVote]:
    """The arena's counted votes in their one order, with what was said.

    Voters appear as "voter-1", "voter-2" …, in the order of their first vote. Times never step back, as a clock may:
    whoever orders by time gets the order of the votes.
    """
    voters: dict[str, str] = {}
    after, latest = 0, EPOCH
    while True:
        rows = connection.execute(votes_now().where(VoteRow.seq > after).limit(AT_ONCE)).all()
        if not rows:
            return
        said = _conversations(connection, [row.battle for row in rows])
        for row in rows:
            latest = max(latest, row.cast_at)
            if row.left_out is None:
                voter = row.voter and voters.setdefault(row.voter, f"voter-{len(voters) + 1}")
                yield _own_vote(row, said.get(row.battle), voter=voter, cast_at=latest)
        after = rows[-1].seq


def _source_id(connection: Connection, name: str) -> int:
    require_known(connection, [name])
    return next(source.id for source in live(connection) if source.name == name)


def _model_names(connection: Connection) -> dict[int, str]:
    rows = connection.execute(select(ForeignModelRow.id, ForeignModelRow.name))
    return {row.id: row.name for row in rows}


def _foreign_vote(row: Any, names: dict[int, str]) -> ForeignVote:  # noqa: ANN401 - a row of 25 columns
    conversation = None if row.prompts is None else Conversation(row.prompts, row.answers_a, row.answers_b)
    return ForeignVote(
        line=row.position + 1,
        model_a=names[row.model_a],
        model_b=names[row.model_b],
        verdict=row.verdict,
        cast_at=None if row.cast_at_us is None else EPOCH + row.cast_at_us * MICROSECOND,
        voter=row.voter,
        id=row.external_id,
        language=None if row.language == UNDETERMINED else row.language,
        left_out=row.left_out,
        turns=len(conversation.prompts) if conversation else 2 if row.multi_turn else None,
        conversation=conversation,
        style_a=StyleFigures(row.tokens_a, row.headings_a, row.lists_a, row.bold_a),
        style_b=StyleFigures(row.tokens_b, row.headings_b, row.lists_b, row.bold_b),
    )


def _own_vote(row: Row[Any], said: Conversation | None, *, voter: str | None, cast_at: datetime) -> ForeignVote:
    return ForeignVote(
        line=row.seq,
        model_a=row.seat_a,
        model_b=row.seat_b,
        verdict=row.verdict,
        cast_at=cast_at,
        voter=voter,
        id=str(row.seq),
        language=None if row.language == UNDETERMINED else row.language,
        turns=len(said.prompts) if said else 2 if row.multi_turn else None,
        conversation=said,
    )


def _conversations(connection: Connection, battles: Sequence[str]) -> dict[str, Conversation]:
    """Per battle that has its texts, its prompts and, per side, the latest finished answer of each turn."""
    prompts: dict[str, dict[int, str]] = {}
    asked = (
        select(TurnRow.battle, TurnRow.ordinal, TurnRow.prompt)
        .join(BattleRow, BattleRow.id == TurnRow.battle)
        .where(TurnRow.battle.in_(battles), BattleRow.texts_removed_at.is_(None))
    )
    for turn in connection.execute(asked.order_by(TurnRow.battle, TurnRow.ordinal)):
        prompts.setdefault(turn.battle, {})[turn.ordinal] = turn.prompt
    answers: dict[tuple[str, int, Side], str] = {}
    columns = (ReplyRow.battle, ReplyRow.turn, ReplyRow.side, ReplyRow.text, ReplyRow.packed)
    finished = select(*columns).where(ReplyRow.battle.in_(battles), ReplyRow.status == ReplyStatus.OK)
    for reply in connection.execute(finished.order_by(ReplyRow.attempt)):
        answers[reply.battle, reply.turn, reply.side] = unpack(reply.text, reply.packed)
    return {
        battle: Conversation(
            tuple(turns.values()),
            *(tuple(answers.get((battle, turn, side), "") for turn in turns) for side in (Side.A, Side.B)),
        )
        for battle, turns in prompts.items()
    }
