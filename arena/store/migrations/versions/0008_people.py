"""What administration needs: sessions, tries to sign in, decisions about models, Elo settings of before.

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLOAT: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create the tables, empty."""
    _create_session()
    _create_sign_in()
    _create_model_setting()
    _create_past_elo()


def _create_session() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sqlite_strict=True,
    )


def _create_sign_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("tried_at", INSTANT, nullable=False),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_sign_in_tries")),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_sign_in")),
        sqlite_strict=True,
    )


def _create_model_setting() -> None:
    op.create_table(
        "model_setting",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("weight", FLOAT, nullable=True),
        sa.CheckConstraint("state IN ('enabled', 'disabled', 'retired')", name=op.f("ck_model_setting_state")),
        sa.CheckConstraint("weight >= 0 AND weight < 1000000", name=op.f("ck_model_setting_weight")),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name=op.f("fk_model_setting_model_model")),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_model_setting")),
        sqlite_strict=True,
    )


def _create_past_elo() -> None:
    op.create_table(
        "past_elo",
        sa.Column("until_seq", BIG, nullable=False),
        sa.Column("k", FLOAT, nullable=False),
        sa.Column("start", FLOAT, nullable=False),
        sa.Column("scale", FLOAT, nullable=False),
        sa.PrimaryKeyConstraint("until_seq", name=op.f("pk_past_elo")),
        sqlite_strict=True,
    )
