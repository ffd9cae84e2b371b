"""The tables of imported votes; they share nothing with those of the live board but the tallies."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from arena.store.columns import BIG, Choice, Flag, Instant, Names
from arena.store.schema import Base, _args, _one_of
from leaderboard.verdicts import Verdict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
US_PER_DAY = 86_400_000_000
UNKNOWN_DAY = ""  # in the tallies of votes whose file has no time


@lru_cache(maxsize=10_000)
def day_text(day: int | None) -> str:
    """The day of a tally: the number of UTC days since 1970 as ISO text, `UNKNOWN_DAY` for None."""
    return UNKNOWN_DAY if day is None else (EPOCH + timedelta(days=day)).date().isoformat()


def _of_foreign_vote() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["source", "position"], ["foreign_vote.source", "foreign_vote.position"])


class SourceState(StrEnum):
    """An imported file is invisible (`loading`) until it is whole, and again once it is to be removed.

    What is found invisible when nobody loads it was broken off, and is removed.
    """

    LOADING = "loading"
    LIVE = "live"


class SourceRow(Base):
    """A file of votes that was imported; `tallies_only` when it held counts, so that there are no votes of it.

    `classifier` is what its texts were sorted and counted by; null while that is still to be done.
    """

    __tablename__ = "source"
    __table_args__ = _args(
        _one_of("state", SourceState),
        CheckConstraint("name <> 'arena'", name="not_the_arena"),
        CheckConstraint("votes >= 0", name="votes"),
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    format: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[SourceState] = mapped_column(Choice(SourceState))
    imported_at: Mapped[datetime] = mapped_column(Instant)
    votes: Mapped[int] = mapped_column(BIG)
    tallies_only: Mapped[bool] = mapped_column(Flag)
    classifier: Mapped[str | None] = mapped_column(Text)


class ForeignModelRow(Base):
    """A model's name in imported files, whether the arena has such a model or not; votes carry its number."""

    __tablename__ = "foreign_model"
    __table_args__ = _args()

    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(Text, unique=True)


class ForeignVoteRow(Base):
    """An imported vote. There are millions: `position` in the file is the key, and the row lies in the key's tree.

    `cast_at_us` is microseconds since 1970 UTC; order is by it, then by position. `external_id` is the file's own.
    """

    __tablename__ = "foreign_vote"
    __table_args__ = (
        _one_of("verdict", Verdict),
        CheckConstraint("model_a <> model_b", name="two_models"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    source: Mapped[int] = mapped_column(ForeignKey("source.id"), type_=BIG, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    model_a: Mapped[int] = mapped_column(ForeignKey("foreign_model.id"), type_=BIG)
    model_b: Mapped[int] = mapped_column(ForeignKey("foreign_model.id"), type_=BIG)
    verdict: Mapped[Verdict] = mapped_column(Choice(Verdict))
    cast_at_us: Mapped[int | None] = mapped_column(BIG)
    voter: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    left_out: Mapped[str | None] = mapped_column(Text)
    multi_turn: Mapped[bool] = mapped_column(Flag)
    long_prompt: Mapped[bool] = mapped_column(Flag)
    code: Mapped[bool] = mapped_column(Flag)
    maths: Mapped[bool] = mapped_column(Flag)
    language: Mapped[str] = mapped_column(Text)


class ForeignTextRow(Base):
    """What was said before an imported vote, when the file tells: JSON lists, one text per turn."""

    __tablename__ = "foreign_text"
    __table_args__ = _args(_of_foreign_vote())

    source: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    prompts: Mapped[tuple[str, ...]] = mapped_column(Names)
    answers_a: Mapped[tuple[str, ...]] = mapped_column(Names)
    answers_b: Mapped[tuple[str, ...]] = mapped_column(Names)


class ForeignStyleRow(Base):
    """What a file itself counted in the answers before an imported vote; null for what it did not count."""

    __tablename__ = "foreign_style"
    __table_args__ = _args(_of_foreign_vote())

    source: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    tokens_a: Mapped[int | None] = mapped_column(BIG)
    headings_a: Mapped[int | None] = mapped_column(BIG)
    lists_a: Mapped[int | None] = mapped_column(BIG)
    bold_a: Mapped[int | None] = mapped_column(BIG)
    tokens_b: Mapped[int | None] = mapped_column(BIG)
    headings_b: Mapped[int | None] = mapped_column(BIG)
    lists_b: Mapped[int | None] = mapped_column(BIG)
    bold_b: Mapped[int | None] = mapped_column(BIG)
