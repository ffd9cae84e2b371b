"""Long answers compressed, in a column of their own; what was stored before stays as it is.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which moves no row; PostgreSQL need not try to compress it once more."""
    op.add_column("reply", sa.Column("packed", sa.LargeBinary(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE reply ALTER COLUMN packed SET STORAGE EXTERNAL")
