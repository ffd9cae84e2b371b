"""The tables behind administration: who is signed in, what was decided about models, which Elo settings held before,
and which secret signs cookies.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from arena.domain import ModelState
from arena.store.columns import BIG, FLOAT, Choice, Instant
from arena.store.schema import Base, _args, _one_of


class SessionRow(Base):
    """One login of one browser, for as long as it may be used; `id` is a digest of what the browser shows.

    `credential` is a digest of the password's hash with which it began, '' for a login elsewhere.
    """

    __tablename__ = "session"
    __table_args__ = _args()

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    person: Mapped[str] = mapped_column(Text)
    credential: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class SignInRow(Base):
    """How many passwords were tried from a scope (an address' hash, or everywhere), and when the last one was."""

    __tablename__ = "sign_in"
    __table_args__ = _args(CheckConstraint("tries >= 0", name="tries"))

    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    tries: Mapped[int] = mapped_column(BIG)
    tried_at: Mapped[datetime] = mapped_column(Instant)


class ModelSettingRow(Base):
    """What an administrator decided about a model; null leaves it to the settings file."""

    __tablename__ = "model_setting"
    __table_args__ = _args(
        _one_of("state", ModelState), CheckConstraint("weight >= 0 AND weight < 1000000", name="weight")
    )

    model: Mapped[str] = mapped_column(ForeignKey("model.name"), type_=Text, primary_key=True)
    state: Mapped[ModelState | None] = mapped_column(Choice(ModelState))
    weight: Mapped[float | None] = mapped_column(FLOAT)


class PastEloRow(Base):
    """The Elo settings with which the votes up to number `until_seq` were cast, from the row before on."""

    __tablename__ = "past_elo"
    __table_args__ = _args()

    until_seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    k: Mapped[float] = mapped_column(FLOAT)
    start: Mapped[float] = mapped_column(FLOAT)
    scale: Mapped[float] = mapped_column(FLOAT)


class CookieSecretRow(Base):
    """The fingerprint of the secret that signs this arena's cookies, and since when it is the one; never the secret."""

    __tablename__ = "cookie_secret"
    __table_args__ = _args(CheckConstraint("id = 1", name="one_row"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Instant)
