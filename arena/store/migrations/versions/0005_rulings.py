"""Why votes were taken out or put back: what a sweep saw, and what a person said.

Revision 0005, after 0004. Of decisions from before only the reason is known that they were counted under.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; old rows have none of it."""
    real = "REAL" if op.get_bind().dialect.name == "sqlite" else "DOUBLE PRECISION"
    # In SQL, because Alembic adds no column with a CHECK on SQLite, which can.
    op.execute(
        f"ALTER TABLE vote_event ADD COLUMN risk {real} CONSTRAINT ck_vote_event_risk CHECK (risk BETWEEN 0 AND 1)"
    )
    op.add_column("vote_event", sa.Column("signs", sa.Text(), nullable=True))
    op.add_column("vote_event", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("reason", sa.Text(), nullable=True))
