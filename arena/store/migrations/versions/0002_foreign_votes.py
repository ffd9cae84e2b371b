"""Votes of other arenas: sources, their models, votes, texts and style figures.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create the tables of imported votes."""
    _create_source()
    _create_foreign_model()
    _create_foreign_vote()
    _create_foreign_text()
    _create_foreign_style()


def _create_source() -> None:
    op.create_table(
        "source",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.Column("votes", BIG, nullable=False),
        sa.Column("tallies_only", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('loading', 'live')", name=op.f("ck_source_state")),
        sa.CheckConstraint("name <> 'arena'", name=op.f("ck_source_not_the_arena")),
        sa.CheckConstraint("votes >= 0", name=op.f("ck_source_votes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("name", name=op.f("uq_source_name")),
        sa.UniqueConstraint("sha256", name=op.f("uq_source_sha256")),
        sqlite_strict=True,
    )


def _create_foreign_model() -> None:
    op.create_table(
        "foreign_model",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_model")),
        sa.UniqueConstraint("name", name=op.f("uq_foreign_model_name")),
        sqlite_strict=True,
    )


def _create_foreign_vote() -> None:
    op.create_table(
        "foreign_vote",
        sa.Column("source", BIG, autoincrement=False, nullable=False),
        sa.Column("position", BIG, autoincrement=False, nullable=False),
        sa.Column("model_a", BIG, nullable=False),
        sa.Column("model_b", BIG, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("cast_at_us", BIG, nullable=True),
        sa.Column("voter", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("left_out", sa.Text(), nullable=True),
        sa.Column("multi_turn", sa.Integer(), nullable=False),
        sa.Column("long_prompt", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("maths", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.CheckConstraint("verdict IN ('a', 'b', 'tie', 'both_bad')", name=op.f("ck_foreign_vote_verdict")),
        sa.CheckConstraint("model_a <> model_b", name=op.f("ck_foreign_vote_two_models")),
        sa.ForeignKeyConstraint(["source"], ["source.id"], name=op.f("fk_foreign_vote_source_source")),
        sa.ForeignKeyConstraint(["model_a"], ["foreign_model.id"], name=op.f("fk_foreign_vote_model_a_foreign_model")),
        sa.ForeignKeyConstraint(["model_b"], ["foreign_model.id"], name=op.f("fk_foreign_vote_model_b_foreign_model")),
        sa.PrimaryKeyConstraint("source", "position", name=op.f("pk_foreign_vote")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _create_foreign_text() -> None:
    op.create_table(
        "foreign_text",
        *_key(),
        sa.Column("prompts", sa.Text(), nullable=False),
        sa.Column("answers_a", sa.Text(), nullable=False),
        sa.Column("answers_b", sa.Text(), nullable=False),
        *_constraints("foreign_text"),
        sqlite_strict=True,
    )


def _create_foreign_style() -> None:
    figures = [f"{figure}_{side}" for side in "ab" for figure in ("tokens", "headings", "lists", "bold")]
    op.create_table(
        "foreign_style",
        *_key(),
        *(sa.Column(figure, BIG, nullable=True) for figure in figures),
        *_constraints("foreign_style"),
        sqlite_strict=True,
    )


def _key() -> list[sa.Column[int]]:
    return [sa.Column(name, BIG, autoincrement=False, nullable=False) for name in ("source", "position")]


def _constraints(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["source", "position"],
            ["foreign_vote.source", "foreign_vote.position"],
            name=op.f(f"fk_{table}_source_position_foreign_vote"),
        ),
        sa.PrimaryKeyConstraint("source", "position", name=op.f(f"pk_{table}")),
    ]
