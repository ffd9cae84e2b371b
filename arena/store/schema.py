"""The tables. Reasons for the rows stand in the design; what must never be is a constraint here."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from arena.domain import BattleKind, BattleState, Fault, FinishReason, ModelState, Pace, ReplyStatus, Side
from arena.store.columns import BIG, FLOAT, Choice, CleanText, Flag, Instant, Names
from leaderboard.style import STYLE_FEATURES
from leaderboard.verdicts import Verdict

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


ANSWERED = text("status = 'ok'")
STUCK = text("state = 'stuck'")


class EventKind(StrEnum):
    """What an administrator, or a rule, did to a vote after it was cast."""

    EXCLUDED = "excluded"
    RESTORED = "restored"


class Base(DeclarativeBase):
    """The schema's metadata."""

    metadata = MetaData(naming_convention=NAMING)


def table_of(row: type[Base]) -> Table:
    """The table of a row class: statements on tables are put together without the object mapper, at half the cost."""
    return cast("Table", row.__table__)


def _one_of(column: str, choices: Iterable[StrEnum]) -> CheckConstraint:
    values = ", ".join(f"'{choice.value}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({values})", name=column)


# A rating out of these bounds is a fault; a range also keeps out NaN, which is equal to itself on PostgreSQL.
def _rating(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} > -100000 AND {column} < 100000", name=column)


def _args(*constraints: CheckConstraint | ForeignKeyConstraint | Index) -> tuple[Any, ...]:
    return (*constraints, {"sqlite_strict": True})


class ModelRow(Base):
    """A contestant, kept for ever: readers of the board need its metadata after it left the catalogue."""

    __tablename__ = "model"
    __table_args__ = _args(_one_of("state", ModelState))

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    display_name: Mapped[str] = mapped_column(CleanText)
    state: Mapped[ModelState] = mapped_column(Choice(ModelState))
    fingerprint: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    organisation: Mapped[str | None] = mapped_column(CleanText)
    licence: Mapped[str | None] = mapped_column(CleanText)
    link: Mapped[str | None] = mapped_column(CleanText)
    parameters: Mapped[str | None] = mapped_column(CleanText)
    context_tokens: Mapped[int | None] = mapped_column(BIG)
    knowledge_cutoff: Mapped[str | None] = mapped_column(CleanText)
    price_in: Mapped[float | None] = mapped_column(FLOAT)
    price_out: Mapped[float | None] = mapped_column(FLOAT)
    vision: Mapped[bool] = mapped_column(Flag)
    aliases: Mapped[tuple[str, ...]] = mapped_column(Names)
    created_at: Mapped[datetime] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class ConversationRow(Base):
    """What one voter asked in one go: several battles may belong to it."""

    __tablename__ = "conversation"
    __table_args__ = _args()

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    owner: Mapped[str | None] = mapped_column(Text, index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)


class BattleRow(Base):
    """A battle and, once both answers are fine, what kind of battle it is (its stratum).

    `classifier` is what told its language; '' while nothing has. `leaked` says that an answer gave its model away.
    `network` is a keyed hash of where the voter came from, `prompt_key` a digest of the first prompt. `ready_at`
    is when both latest answers had become fine. Prompts and answers are empty since `texts_removed_at`.
    """

    __tablename__ = "battle"
    __table_args__ = _args(
        _one_of("kind", BattleKind),
        _one_of("state", BattleState),
        _one_of("pace", Pace),
        CheckConstraint("kind <> 'ranked' OR seat_a <> seat_b", name="two_models"),
        Index(None, "conversation", "ordinal", unique=True),
        # What failed answers would come to is read from few battles among many.
        Index("ix_battle_stuck", "created_at", sqlite_where=STUCK, postgresql_where=STUCK),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    conversation: Mapped[str] = mapped_column(ForeignKey("conversation.id"), type_=Text)
    ordinal: Mapped[int]
    kind: Mapped[BattleKind] = mapped_column(Choice(BattleKind))
    seat_a: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text)
    seat_b: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text)
    state: Mapped[BattleState] = mapped_column(Choice(BattleState))
    owner: Mapped[str | None] = mapped_column(Text, index=True)
    multi_turn: Mapped[bool] = mapped_column(Flag)
    long_prompt: Mapped[bool] = mapped_column(Flag)
    code: Mapped[bool] = mapped_column(Flag)
    maths: Mapped[bool] = mapped_column(Flag)
    language: Mapped[str] = mapped_column(Text)
    classifier: Mapped[str] = mapped_column(Text, server_default=text("''"))
    pace: Mapped[Pace] = mapped_column(Choice(Pace), server_default=text("'live'"))
    leaked: Mapped[bool] = mapped_column(Flag, server_default=text("0"))
    network: Mapped[str | None] = mapped_column(Text)
    prompt_key: Mapped[int | None] = mapped_column(BIG)
    created_at: Mapped[datetime] = mapped_column(Instant)
    ready_at: Mapped[datetime | None] = mapped_column(Instant)
    texts_removed_at: Mapped[datetime | None] = mapped_column(Instant)


class TurnRow(Base):
    """One prompt of a battle."""

    __tablename__ = "turn"
    __table_args__ = _args()

    battle: Mapped[str] = mapped_column(ForeignKey("battle.id", ondelete="CASCADE"), type_=Text, primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    prompt: Mapped[str] = mapped_column(CleanText)
    created_at: Mapped[datetime] = mapped_column(Instant)


class ReplyRow(Base):
    """One attempt of one side at one turn; while it streams, whoever streams it renews `lease_until`.

    The list of faults will grow, and a new one must not make an answer unstorable: it is the one enum without a CHECK.
    `length`, `headings`, `lists` and `bold` are the answer's `leaderboard.style.Style`; null where nobody counted.
    `leaked` holds the words that give the model away. What was reserved from the budgets is null once it is settled.
    A long answer is in `packed` while `text` is '' (see `arena.store.packing`).
    """

    __tablename__ = "reply"
    __table_args__ = _args(
        ForeignKeyConstraint(["battle", "turn"], ["turn.battle", "turn.ordinal"], ondelete="CASCADE"),
        _one_of("side", Side),
        _one_of("status", ReplyStatus),
        _one_of("finish_reason", FinishReason),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("status <> 'streaming' OR lease_until IS NOT NULL", name="leased"),
        # Style control reads the counts of every answer: here they lie together, not each behind its text.
        Index("ix_reply_style", "battle", "side", *STYLE_FEATURES, sqlite_where=ANSWERED, postgresql_where=ANSWERED),
    )

    battle: Mapped[str] = mapped_column(Text, primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    side: Mapped[Side] = mapped_column(Choice(Side), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[ReplyStatus] = mapped_column(Choice(ReplyStatus))
    text: Mapped[str] = mapped_column(CleanText)
    fault: Mapped[Fault | None] = mapped_column(Choice(Fault))
    finish_reason: Mapped[FinishReason | None] = mapped_column(Choice(FinishReason))
    tokens_in: Mapped[int | None] = mapped_column(BIG)
    tokens_out: Mapped[int | None] = mapped_column(BIG)
    first_token_ms: Mapped[int | None] = mapped_column(BIG)
    duration_ms: Mapped[int | None] = mapped_column(BIG)
    cost_usd: Mapped[float | None] = mapped_column(FLOAT)
    length: Mapped[int | None] = mapped_column(BIG)
    headings: Mapped[int | None] = mapped_column(BIG)
    lists: Mapped[int | None] = mapped_column(BIG)
    bold: Mapped[int | None] = mapped_column(BIG)
    leaked: Mapped[tuple[str, ...] | None] = mapped_column(Names)
    reserved_tokens: Mapped[int | None] = mapped_column(BIG)
    reserved_usd: Mapped[float | None] = mapped_column(FLOAT)
    model_seen: Mapped[str | None] = mapped_column(CleanText)
    fingerprint: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Instant)
    # Streaming replies are few among many: the index answers "whose lease is over" without reading the finished ones.
    lease_until: Mapped[datetime | None] = mapped_column(Instant, index=True)
    packed: Mapped[bytes | None] = mapped_column(LargeBinary)


class VoteRow(Base):
    """One verdict, never changed.

    The ratings and the change (A's; B's is its negative) are those of the moment of casting, null when the vote was
    left out at once. The stratum is the battle's, so that it outlives the texts. `decide_ms` is from the last answer's
    end to the click; `risk` (0 to 1) and its reasons are what the rules said at the casting, null when none was asked.
    """

    __tablename__ = "vote"
    __table_args__ = _args(
        _one_of("verdict", Verdict),
        CheckConstraint("risk BETWEEN 0 AND 1", name="risk"),
        _rating("elo_a"),
        _rating("elo_b"),
        _rating("change"),
        CheckConstraint(
            "(elo_a IS NULL AND elo_b IS NULL AND change IS NULL AND left_out IS NOT NULL)"
            " OR (elo_a IS NOT NULL AND elo_b IS NOT NULL AND change IS NOT NULL AND left_out IS NULL)",
            name="rated_or_left_out",
        ),
    )

    seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    battle: Mapped[str] = mapped_column(ForeignKey("battle.id"), type_=Text, unique=True)
    voter: Mapped[str | None] = mapped_column(Text, index=True)
    verdict: Mapped[Verdict] = mapped_column(Choice(Verdict))
    seat_a: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text)
    seat_b: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text)
    elo_a: Mapped[float | None] = mapped_column(FLOAT)
    elo_b: Mapped[float | None] = mapped_column(FLOAT)
    change: Mapped[float | None] = mapped_column(FLOAT)
    left_out: Mapped[str | None] = mapped_column(Text)
    multi_turn: Mapped[bool] = mapped_column(Flag)
    long_prompt: Mapped[bool] = mapped_column(Flag)
    code: Mapped[bool] = mapped_column(Flag)
    maths: Mapped[bool] = mapped_column(Flag)
    language: Mapped[str] = mapped_column(Text)
    decide_ms: Mapped[int | None] = mapped_column(BIG)
    network: Mapped[str | None] = mapped_column(Text)
    risk: Mapped[float | None] = mapped_column(FLOAT)
    risk_reasons: Mapped[tuple[str, ...] | None] = mapped_column(Names)
    cast_at: Mapped[datetime] = mapped_column(Instant, index=True)


class VoteEventRow(Base):
    """Something that happened to a vote after it was cast; `after_seq` is the last vote there was at that moment.

    The reason of an exclusion is what the board counts it under. `note` says more in sentences, one a line; `risk`
    (0 to 1) and `signs` are what a sweep saw, null for what a person decided.
    """

    __tablename__ = "vote_event"
    __table_args__ = _args(_one_of("kind", EventKind), CheckConstraint("risk BETWEEN 0 AND 1", name="risk"))

    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    vote: Mapped[int] = mapped_column(ForeignKey("vote.seq"), type_=BIG, index=True)
    kind: Mapped[EventKind] = mapped_column(Choice(EventKind))
    reason: Mapped[str] = mapped_column(CleanText)
    actor: Mapped[str] = mapped_column(CleanText)
    after_seq: Mapped[int] = mapped_column(BIG)
    at: Mapped[datetime] = mapped_column(Instant)
    risk: Mapped[float | None] = mapped_column(FLOAT)
    signs: Mapped[tuple[str, ...] | None] = mapped_column(Names)
    note: Mapped[str | None] = mapped_column(CleanText)


class RatingRow(Base):
    """A model's Elo now; apart from `model`, so that edits of metadata never wait for a vote."""

    __tablename__ = "rating"
    __table_args__ = _args(_rating("elo"))

    model: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text, primary_key=True)
    elo: Mapped[float] = mapped_column(FLOAT)


class TallyRow(Base):
    """How many votes share all of the key; `day` is the UTC day in ISO form, `left_out` is '' for votes that count."""

    __tablename__ = "tally"
    __table_args__ = _args(_one_of("verdict", Verdict), CheckConstraint("n >= 0", name="n"))

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[str] = mapped_column(Text, primary_key=True)
    multi_turn: Mapped[bool] = mapped_column(Flag, primary_key=True)
    long_prompt: Mapped[bool] = mapped_column(Flag, primary_key=True)
    code: Mapped[bool] = mapped_column(Flag, primary_key=True)
    maths: Mapped[bool] = mapped_column(Flag, primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    left_out: Mapped[str] = mapped_column(CleanText, primary_key=True)
    seat_a: Mapped[str] = mapped_column(Text, primary_key=True)
    seat_b: Mapped[str] = mapped_column(Text, primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(Choice(Verdict), primary_key=True)
    n: Mapped[int] = mapped_column(BIG)


class CheckpointRow(Base):
    """A model's Elo after all votes up to `seq`, the last of which was cast at `at`: folds may start here."""

    __tablename__ = "elo_checkpoint"
    __table_args__ = _args(_rating("elo"))

    seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    model: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text, primary_key=True)
    elo: Mapped[float] = mapped_column(FLOAT)
    at: Mapped[datetime] = mapped_column(Instant)


class BoardRow(Base):
    """The one row that whoever changes the board locks first; `last_seq` is the last vote's number, without gaps."""

    __tablename__ = "board_state"
    __table_args__ = _args(
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("k > 0 AND k < 1000", name="k"),
        CheckConstraint("scale > 0 AND scale < 100000", name="scale"),
        _rating("start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BIG)
    last_seq: Mapped[int] = mapped_column(BIG)
    last_vote_at: Mapped[datetime | None] = mapped_column(Instant)
    k: Mapped[float] = mapped_column(FLOAT)
    start: Mapped[float] = mapped_column(FLOAT)
    scale: Mapped[float] = mapped_column(FLOAT)


class AuditRow(Base):
    """What was done to the board from outside, append-only; each `digest` covers the row and the digest before it."""

    __tablename__ = "audit"
    __table_args__ = _args()

    seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(CleanText)
    action: Mapped[str] = mapped_column(CleanText)
    target: Mapped[str] = mapped_column(CleanText)
    before: Mapped[str | None] = mapped_column(CleanText)
    after: Mapped[str | None] = mapped_column(CleanText)
    reason: Mapped[str | None] = mapped_column(CleanText)
    digest: Mapped[str] = mapped_column(Text)


class WriterMarkRow(Base):
    """The last batch that a writing process committed: what it asks when the answer to a COMMIT was lost on its way."""

    __tablename__ = "writer_mark"
    __table_args__ = _args()

    writer: Mapped[str] = mapped_column(Text, primary_key=True)
    batch: Mapped[int] = mapped_column(BIG)
    at: Mapped[datetime] = mapped_column(Instant)
