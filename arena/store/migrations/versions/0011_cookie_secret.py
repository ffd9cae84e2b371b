"""Which secret signs cookies: what a replica that was given another one is told by.

Revision 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create the table, empty: the next start notes its secret."""
    op.create_table(
        "cookie_secret",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_cookie_secret_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cookie_secret")),
        sqlite_strict=True,
    )
