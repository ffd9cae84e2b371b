"""Reading what was imported, and the arena's own votes in the same values."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, Select, SQLColumnExpression, and_, case, func, select
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
from arena.store.rows import Source
from arena.store.schema import ReplyRow, TallyRow, TurnRow, VoteRow, table_of
from arena.store.sources import live
from leaderboard.games import VERDICTS, Games, PairCounts, Tally

AT_ONCE = 1_000
# Votes without a time come before all others.
NO_TIME = -1


class TallyDifference(NamedTuple):
    """A tally by the values of its key, as it is stored and as the votes give it."""

    key: tuple[object, ...]
    stored: int
    given: int


class _Column(NamedTuple):
    """The votes of one source as rows (model A, model B, verdict, microseconds), and what the numbers stand for."""

    votes: NDArray[np.int64]
    names: dict[int, str]


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
    only_counts = [source.name for source in live(connection) if source.tallies_only and source.name in names]
    if only_counts:
        raise UnknownSource(f"The source {only_counts[0]!r} holds counts, not votes: choose an order-free method.")
    columns = [_own(connection) if name == SOURCE else _foreign(connection, name) for name in names]
    models = sorted({name for column in columns for name in column.names.values()})
    index = {name: i for i, name in enumerate(models)}
    parts = [_renumbered(column, index) for column in columns]
    votes = np.concatenate(parts) if parts else np.empty((0, 4), np.int64)
    votes = votes[np.argsort(votes[:, 3], kind="stable")]
    return Games(
        names=tuple(models),
        seat_a=votes[:, 0].astype(np.int32),
        seat_b=votes[:, 1].astype(np.int32),
        verdicts=votes[:, 2].astype(np.int8),
    )


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


def _own(connection: Connection) -> _Column:
    keys: dict[str, int] = {}
    votes = []
    for row in connection.execute(votes_now()):
        if row.left_out is None:
            a, b = (keys.setdefault(name, len(keys)) for name in (row.seat_a, row.seat_b))
            votes.append((a, b, VERDICTS.index(row.verdict), (row.cast_at - EPOCH) // MICROSECOND))
    table = np.array(votes, np.int64).reshape(-1, 4)
    table[:, 3] = np.maximum.accumulate(table[:, 3])  # the sequence decides, not a clock that stepped back
    return _Column(table, {key: name for name, key in keys.items()})


def _foreign(connection: Connection, name: str) -> _Column:
    verdict: ColumnElement[int] = case({verdict: i for i, verdict in enumerate(VERDICTS)}, value=ForeignVoteRow.verdict)
    cast_at_us = func.coalesce(ForeignVoteRow.cast_at_us, NO_TIME)
    statement = (
        select(ForeignVoteRow.model_a, ForeignVoteRow.model_b, verdict, cast_at_us)
        .where(ForeignVoteRow.source == _source_id(connection, name), ForeignVoteRow.left_out.is_(None))
        .order_by(ForeignVoteRow.position)
    )
    table = np.array([tuple(row) for row in connection.execute(statement)], np.int64).reshape(-1, 4)
    used = set(np.unique(table[:, :2]).tolist())
    return _Column(table, {key: model for key, model in _model_names(connection).items() if key in used})


def _renumbered(column: _Column, index: dict[str, int]) -> NDArray[np.int64]:
    numbers = np.zeros(max(column.names, default=0) + 1, np.int64)
    for key, name in column.names.items():
        numbers[key] = index[name]
    votes = column.votes.copy()
    votes[:, :2] = numbers[votes[:, :2]]
    return votes


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
    """Per battle its prompts and, per side, the latest finished answer of each turn."""
    prompts: dict[str, dict[int, str]] = {}
    asked = select(TurnRow.battle, TurnRow.ordinal, TurnRow.prompt).where(TurnRow.battle.in_(battles))
    for turn in connection.execute(asked.order_by(TurnRow.battle, TurnRow.ordinal)):
        prompts.setdefault(turn.battle, {})[turn.ordinal] = turn.prompt
    answers: dict[tuple[str, int, Side], str] = {}
    finished = select(ReplyRow.battle, ReplyRow.turn, ReplyRow.side, ReplyRow.text).where(
        ReplyRow.battle.in_(battles), ReplyRow.status == ReplyStatus.OK
    )
    for reply in connection.execute(finished.order_by(ReplyRow.attempt)):
        answers[reply.battle, reply.turn, reply.side] = reply.text
    return {
        battle: Conversation(
            tuple(turns.values()),
            *(tuple(answers.get((battle, turn, side), "") for turn in turns) for side in (Side.A, Side.B)),
        )
        for battle, turns in prompts.items()
    }
