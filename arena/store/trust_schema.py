"""The tables behind trust in the votes: who votes, what was spent, what the guards did, which models are in doubt."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from arena.store.columns import BIG, FLOAT, CleanText, Flag, Instant
from arena.store.schema import Base


class VoterRow(Base):
    """Whoever has opened a battle; an administrator says who is trusted. `logged_in_at` is the first login."""

    __tablename__ = "voter"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    first_seen_at: Mapped[datetime] = mapped_column(Instant)
    trusted: Mapped[bool] = mapped_column(Flag)
    logged_in_at: Mapped[datetime | None] = mapped_column(Instant)


class BudgetRow(Base):
    """What a scope ("all", or "voter:" and an id) has spent and reserved on a UTC day."""

    __tablename__ = "budget"
    __table_args__ = (
        CheckConstraint("tokens >= 0", name="tokens"),
        CheckConstraint("usd >= 0", name="usd"),
        {"sqlite_strict": True},
    )

    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[str] = mapped_column(Text, primary_key=True)
    tokens: Mapped[int] = mapped_column(BIG)
    usd: Mapped[float] = mapped_column(FLOAT)


class CounterRow(Base):
    """How often a guard did something on a UTC day; `model` is '' where no model is meant."""

    __tablename__ = "counter"
    __table_args__ = (CheckConstraint("n >= 0", name="n"), {"sqlite_strict": True})

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[str] = mapped_column(Text, primary_key=True)
    n: Mapped[int] = mapped_column(BIG)


class AlarmRow(Base):
    """A model on which new voters and trusted ones disagree, since when, and a sentence with the figures."""

    __tablename__ = "alarm"
    __table_args__ = ({"sqlite_strict": True},)

    model: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text, primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(CleanText)


class LeaseRow(Base):
    """A chore that one process does for all, who has it, and until when."""

    __tablename__ = "lease"
    __table_args__ = ({"sqlite_strict": True},)

    chore: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(Instant)
