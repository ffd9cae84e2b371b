"""How an answer is written, and which classifier told a battle's or a file's language.

Revision 0003, after 0002. What was stored before stays uncounted (null) and untold ('').
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add four counts to each reply, and the classifier to battles and sources."""
    for figure in ("length", "headings", "lists", "bold"):
        op.add_column("reply", sa.Column(figure, BIG, nullable=True))
    op.create_index(
        "ix_reply_style",
        "reply",
        ["battle", "side", "length", "headings", "lists", "bold"],
        unique=False,
        sqlite_where=sa.text("status = 'ok'"),
        postgresql_where=sa.text("status = 'ok'"),
    )
    op.add_column("battle", sa.Column("classifier", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("source", sa.Column("classifier", sa.Text(), nullable=True))
