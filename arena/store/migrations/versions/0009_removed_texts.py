"""When the texts of a battle were removed; null while it has them.

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add the column; no battle has lost its texts so far."""
    op.add_column("battle", sa.Column("texts_removed_at", INSTANT, nullable=True))
