"""What a process asks for when the answer to a COMMIT was lost.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create the table of marks."""
    op.create_table(
        "writer_mark",
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("batch", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("writer", name=op.f("pk_writer_mark")),
        sqlite_strict=True,
    )
