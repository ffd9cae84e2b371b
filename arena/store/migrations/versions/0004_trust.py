"""What trust in the votes needs: leaks, pace, risk, voters, budgets, counters, alarms.

Revision 0004, after 0003. Battles of before were shown as they came; whether their answers leaked is not known.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLOAT: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add columns to battles, replies and votes; create the tables; every owner of a conversation becomes a voter."""
    _widen_battle()
    _widen_reply()
    _widen_vote()
    _create_voter()
    _create_budget()
    _create_counter()
    _create_alarm()
    _create_lease()


def _widen_battle() -> None:
    # In SQL, because Alembic adds no column with a CHECK on SQLite, which can.
    op.execute(
        "ALTER TABLE battle ADD COLUMN pace TEXT DEFAULT 'live' NOT NULL"
        " CONSTRAINT ck_battle_pace CHECK (pace IN ('live', 'together', 'replay'))"
    )
    op.add_column("battle", sa.Column("leaked", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("battle", sa.Column("network", sa.Text(), nullable=True))
    op.add_column("battle", sa.Column("prompt_key", BIG, nullable=True))
    op.add_column("battle", sa.Column("ready_at", INSTANT, nullable=True))


def _widen_reply() -> None:
    op.add_column("reply", sa.Column("leaked", sa.Text(), nullable=True))
    op.add_column("reply", sa.Column("reserved_tokens", BIG, nullable=True))
    op.add_column("reply", sa.Column("reserved_usd", FLOAT, nullable=True))


def _widen_vote() -> None:
    op.add_column("vote", sa.Column("decide_ms", BIG, nullable=True))
    op.add_column("vote", sa.Column("network", sa.Text(), nullable=True))
    real = "REAL" if op.get_bind().dialect.name == "sqlite" else "DOUBLE PRECISION"
    op.execute(f"ALTER TABLE vote ADD COLUMN risk {real} CONSTRAINT ck_vote_risk CHECK (risk BETWEEN 0 AND 1)")
    op.add_column("vote", sa.Column("risk_reasons", sa.Text(), nullable=True))


def _create_voter() -> None:
    op.create_table(
        "voter",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("trusted", sa.Integer(), nullable=False),
        sa.Column("logged_in_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voter")),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO voter (id, first_seen_at, trusted) SELECT owner, min(created_at), 0 FROM conversation"
        " WHERE owner IS NOT NULL GROUP BY owner"
    )


def _create_budget() -> None:
    op.create_table(
        "budget",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("tokens", BIG, nullable=False),
        sa.Column("usd", FLOAT, nullable=False),
        sa.CheckConstraint("tokens >= 0", name=op.f("ck_budget_tokens")),
        sa.CheckConstraint("usd >= 0", name=op.f("ck_budget_usd")),
        sa.PrimaryKeyConstraint("scope", "day", name=op.f("pk_budget")),
        sqlite_strict=True,
    )


def _create_counter() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.CheckConstraint("n >= 0", name=op.f("ck_counter_n")),
        sa.PrimaryKeyConstraint("name", "model", "day", name=op.f("pk_counter")),
        sqlite_strict=True,
    )


def _create_alarm() -> None:
    op.create_table(
        "alarm",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name=op.f("fk_alarm_model_model")),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_alarm")),
        sqlite_strict=True,
    )


def _create_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("chore", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("chore", name=op.f("pk_lease")),
        sqlite_strict=True,
    )
