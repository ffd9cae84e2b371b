"""An index of the battles in which a side has no answer, few among many.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    stuck = sa.text("state = 'stuck'")
    op.create_index("ix_battle_stuck", "battle", ["created_at"], sqlite_where=stuck, postgresql_where=stuck)
