"""What is found in stored texts afterwards: the language of imported conversations, and how answers are written."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, literal, or_, select, tuple_, update

from arena.domain import ReplyStatus
from arena.foreign import Conversation, StyleFigures
from arena.language import UNDETERMINED
from arena.store.board import COUNTED, STRATUM, TALLY, TallyKey, add_tallies, bump_board, lock_board, take_tallies
from arena.store.foreign_schema import (
    US_PER_DAY,
    ForeignModelRow,
    ForeignStyleRow,
    ForeignTextRow,
    ForeignVoteRow,
    SourceRow,
    SourceState,
    day_text,
)
from arena.store.packing import unpack
from arena.store.rows import Finding, ReplyKey, ReplyStyle, UncountedReply, UnreadText
from arena.store.schema import ReplyRow, table_of

# A slice ends with the text that fills it, so that one slice of long texts takes no more memory than many short ones.
SLICE_CHARACTERS = 500_000

VOTE, TEXT, STYLE = table_of(ForeignVoteRow), table_of(ForeignTextRow), table_of(ForeignStyleRow)
MODEL, REPLY = table_of(ForeignModelRow), table_of(ReplyRow)
FIGURES = tuple(column for column in STYLE.c if column.name not in {"source", "position"})
REPLY_KEY = tuple(REPLY.c[name] for name in ReplyKey._fields)


def unread_texts(connection: Connection, source_id: int, *, after: int, limit: int) -> tuple[UnreadText, ...]:
    """The next conversations of a source, behind place `after`, whose language or style nobody has told."""
    same_vote = and_(VOTE.c.source == TEXT.c.source, VOTE.c.position == TEXT.c.position)
    same_style = and_(STYLE.c.source == TEXT.c.source, STYLE.c.position == TEXT.c.position)
    statement = (
        select(*TEXT.c, VOTE.c.language, *FIGURES)
        .join(VOTE, same_vote)
        .outerjoin(STYLE, same_style)
        .where(TEXT.c.source == source_id, TEXT.c.position > after)
        .where(or_(VOTE.c.language == UNDETERMINED, *(figure.is_(None) for figure in FIGURES)))
        .order_by(TEXT.c.position)
        .limit(limit)
    )
    found: list[UnreadText] = []
    characters = 0
    with connection.execute(statement, execution_options={"yield_per": 4}) as rows:
        for row in rows:
            found.append(_unread_text(row))
            characters += sum(map(len, (text for texts in found[-1].said for text in texts)))
            if characters > SLICE_CHARACTERS:
                break
    return tuple(found)


def store_findings(connection: Connection, source_id: int, findings: Sequence[Finding], *, show: bool) -> bool:
    """Store what was found in texts of a source and move its tallies; whether the source is still there.

    A language that is known already stays. `show` gives the board its next version.
    """
    board = lock_board(connection)
    wanted = (SourceRow.id == source_id, SourceRow.state == SourceState.LIVE)
    name = connection.scalar(select(SourceRow.name).where(*wanted))
    if name is None:
        return False
    _store_languages(connection, source_id, name, findings)
    _store_styles(connection, source_id, findings)
    if show:
        bump_board(connection, board)
    return True


def finish_source(connection: Connection, source_id: int, *, classifier: str) -> None:
    """Note that all texts of a source have been read, and by what."""
    board = lock_board(connection)
    connection.execute(update(SourceRow).where(SourceRow.id == source_id).values(classifier=classifier))
    bump_board(connection, board)


def uncounted_replies(connection: Connection, *, after: ReplyKey | None, limit: int) -> tuple[UncountedReply, ...]:
    """The next finished replies of the arena, behind `after` in the order of their keys, that nobody has counted."""
    columns = (*REPLY_KEY, REPLY.c.text, REPLY.c.packed)
    statement = select(*columns).where(REPLY.c.status == ReplyStatus.OK, REPLY.c.length.is_(None))
    if after is not None:
        values = (literal(value, column.type) for value, column in zip(after, REPLY_KEY, strict=True))
        statement = statement.where(tuple_(*REPLY_KEY) > tuple_(*values))
    rows = connection.execute(statement.order_by(*REPLY_KEY).limit(limit))
    return tuple(UncountedReply(ReplyKey(*row[:-2]), unpack(row.text, row.packed)) for row in rows)


def store_reply_styles(connection: Connection, styles: Sequence[ReplyStyle], *, show: bool) -> None:
    """Store how replies are written; `show` gives the board its next version."""
    board = lock_board(connection)
    statement = update(REPLY).where(*(column == bindparam(f"of_{column.name}") for column in REPLY_KEY))
    rows = [
        {f"of_{name}": value for name, value in style.key._asdict().items()} | style.style._asdict() for style in styles
    ]
    if rows:
        connection.execute(statement, rows)
    if show:
        bump_board(connection, board)


def _unread_text(row: Any) -> UnreadText:  # noqa: ANN401 - a row of 14 columns
    return UnreadText(
        position=row.position,
        language=None if row.language == UNDETERMINED else row.language,
        said=Conversation(row.prompts, row.answers_a, row.answers_b),
        style_a=StyleFigures(row.tokens_a, row.headings_a, row.lists_a, row.bold_a),
        style_b=StyleFigures(row.tokens_b, row.headings_b, row.lists_b, row.bold_b),
    )


def _store_languages(connection: Connection, source_id: int, name: str, findings: Sequence[Finding]) -> None:
    """Label the votes that have no language yet, and count each where it now belongs."""
    places: dict[str, list[int]] = {}
    for found in findings:
        if found.language is not None:
            places.setdefault(found.language, []).append(found.position)
    before: Counter[TallyKey] = Counter()
    after: Counter[TallyKey] = Counter()
    for language, positions in sorted(places.items()):
        moved = _label(connection, source_id, name, language, positions)
        before.update(moved)
        after.update({key._replace(language=language): n for key, n in moved.items()})
    take_tallies(connection, before)
    _drop_empty(connection, before)
    add_tallies(connection, after)


def _label(
    connection: Connection, source_id: int, name: str, language: str, positions: Sequence[int]
) -> Counter[TallyKey]:
    """Give these votes a language where they have none; the tallies in which they were counted until now."""
    unlabelled = (VOTE.c.source == source_id, VOTE.c.position.in_(positions), VOTE.c.language == UNDETERMINED)
    rows = connection.execute(update(VOTE).where(*unlabelled).values(language=language).returning(*VOTE.c)).all()
    models = _names(connection, {model for row in rows for model in (row.model_a, row.model_b)})
    return Counter(
        TallyKey(
            source=name,
            day=day_text(None if row.cast_at_us is None else row.cast_at_us // US_PER_DAY),
            **{category: getattr(row, category) for category in STRATUM} | {"language": UNDETERMINED},
            left_out=row.left_out or COUNTED,
            seat_a=models[row.model_a],
            seat_b=models[row.model_b],
            verdict=row.verdict,
        )
        for row in rows
    )


def _names(connection: Connection, keys: Collection[int]) -> dict[int, str]:
    rows = connection.execute(select(MODEL.c.id, MODEL.c.name).where(MODEL.c.id.in_(keys)))
    return {row.id: row.name for row in rows}


# Most tallies of a large file hold one vote: what stays behind when it moves would double the table.
def _drop_empty(connection: Connection, keys: Collection[TallyKey]) -> None:
    if keys:
        same = (column == bindparam(f"of_{column.name}") for column in TALLY.primary_key)
        rows = [{f"of_{name}": value for name, value in key._asdict().items()} for key in keys]
        connection.execute(delete(TALLY).where(*same, TALLY.c.n == 0), rows)


def _store_styles(connection: Connection, source_id: int, findings: Sequence[Finding]) -> None:
    figures = [figure.name for figure in FIGURES]
    rows = [
        {"source": source_id, "position": found.position}
        | dict(zip(figures, (*found.style_a, *found.style_b), strict=True))
        for found in findings
        if found.style_a is not None and found.style_b is not None
    ]
    if rows:
        places = [row["position"] for row in rows]
        connection.execute(delete(STYLE).where(STYLE.c.source == source_id, STYLE.c.position.in_(places)))
        connection.execute(insert(STYLE), rows)
