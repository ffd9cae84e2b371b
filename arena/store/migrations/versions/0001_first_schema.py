"""The first schema: battles, votes, ratings, tallies.

Revision 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, not imported from the schema: a migration must stay what it was.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLOAT: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    _create_model()
    _create_conversation()
    _create_battle()
    _create_turn()
    _create_reply()
    _create_board_state()
    _create_rating()
    _create_vote()
    _create_vote_event()
    _create_tally()
    _create_elo_checkpoint()
    _create_audit()


def _create_model() -> None:
    op.create_table(
        "model",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("parameters", sa.Text(), nullable=True),
        sa.Column("context_tokens", BIG, nullable=True),
        sa.Column("knowledge_cutoff", sa.Text(), nullable=True),
        sa.Column("price_in", FLOAT, nullable=True),
        sa.Column("price_out", FLOAT, nullable=True),
        sa.Column("vision", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("retired_at", INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('enabled', 'disabled', 'retired')", name=op.f("ck_model_state")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_model")),
        sqlite_strict=True,
    )


def _create_conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_conversation_owner"), "conversation", ["owner"], unique=False)


def _create_battle() -> None:
    op.create_table(
        "battle",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seat_a", sa.Text(), nullable=False),
        sa.Column("seat_b", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("multi_turn", sa.Integer(), nullable=False),
        sa.Column("long_prompt", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("maths", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind <> 'ranked' OR seat_a <> seat_b", name=op.f("ck_battle_two_models")),
        sa.CheckConstraint("kind IN ('ranked', 'aa', 'named')", name=op.f("ck_battle_kind")),
        sa.CheckConstraint("state IN ('streaming', 'ready', 'stuck', 'voted')", name=op.f("ck_battle_state")),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversation.id"], name=op.f("fk_battle_conversation_conversation")
        ),
        sa.ForeignKeyConstraint(["seat_a"], ["model.name"], name=op.f("fk_battle_seat_a_model")),
        sa.ForeignKeyConstraint(["seat_b"], ["model.name"], name=op.f("fk_battle_seat_b_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_battle")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_battle_conversation_ordinal"), "battle", ["conversation", "ordinal"], unique=True)
    op.create_index(op.f("ix_battle_owner"), "battle", ["owner"], unique=False)


def _create_turn() -> None:
    op.create_table(
        "turn",
        sa.Column("battle", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["battle"], ["battle.id"], name=op.f("fk_turn_battle_battle"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("battle", "ordinal", name=op.f("pk_turn")),
        sqlite_strict=True,
    )


def _create_reply() -> None:
    op.create_table(
        "reply",
        sa.Column("battle", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("finish_reason", sa.Text(), nullable=True),
        sa.Column("tokens_in", BIG, nullable=True),
        sa.Column("tokens_out", BIG, nullable=True),
        sa.Column("first_token_ms", BIG, nullable=True),
        sa.Column("duration_ms", BIG, nullable=True),
        sa.Column("cost_usd", FLOAT, nullable=True),
        sa.Column("model_seen", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.CheckConstraint("finish_reason IN ('stop', 'length')", name=op.f("ck_reply_finish_reason")),
        sa.CheckConstraint("side IN ('a', 'b')", name=op.f("ck_reply_side")),
        sa.CheckConstraint("status <> 'streaming' OR lease_until IS NOT NULL", name=op.f("ck_reply_leased")),
        sa.CheckConstraint(
            "status IN ('streaming', 'ok', 'failed', 'stopped', 'interrupted')", name=op.f("ck_reply_status")
        ),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_reply_attempt")),
        sa.ForeignKeyConstraint(
            ["battle", "turn"],
            ["turn.battle", "turn.ordinal"],
            name=op.f("fk_reply_battle_turn_turn"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("battle", "turn", "side", "attempt", name=op.f("pk_reply")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_reply_lease_until"), "reply", ["lease_until"], unique=False)


def _create_board_state() -> None:
    op.create_table(
        "board_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("last_seq", BIG, nullable=False),
        sa.Column("last_vote_at", INSTANT, nullable=True),
        sa.Column("k", FLOAT, nullable=False),
        sa.Column("start", FLOAT, nullable=False),
        sa.Column("scale", FLOAT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_board_state_one_row")),
        sa.CheckConstraint("k > 0 AND k < 1000", name=op.f("ck_board_state_k")),
        sa.CheckConstraint("scale > 0 AND scale < 100000", name=op.f("ck_board_state_scale")),
        sa.CheckConstraint("start > -100000 AND start < 100000", name=op.f("ck_board_state_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_state")),
        sqlite_strict=True,
    )


def _create_rating() -> None:
    op.create_table(
        "rating",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("elo", FLOAT, nullable=False),
        sa.CheckConstraint("elo > -100000 AND elo < 100000", name=op.f("ck_rating_elo")),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name=op.f("fk_rating_model_model")),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_rating")),
        sqlite_strict=True,
    )


def _create_vote() -> None:
    op.create_table(
        "vote",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("battle", sa.Text(), nullable=False),
        sa.Column("voter", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("seat_a", sa.Text(), nullable=False),
        sa.Column("seat_b", sa.Text(), nullable=False),
        sa.Column("elo_a", FLOAT, nullable=True),
        sa.Column("elo_b", FLOAT, nullable=True),
        sa.Column("change", FLOAT, nullable=True),
        sa.Column("left_out", sa.Text(), nullable=True),
        sa.Column("multi_turn", sa.Integer(), nullable=False),
        sa.Column("long_prompt", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("maths", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("cast_at", INSTANT, nullable=False),
        sa.CheckConstraint("verdict IN ('a', 'b', 'tie', 'both_bad')", name=op.f("ck_vote_verdict")),
        sa.CheckConstraint(
            "(elo_a IS NULL AND elo_b IS NULL AND change IS NULL AND left_out IS NOT NULL)"
            " OR (elo_a IS NOT NULL AND elo_b IS NOT NULL AND change IS NOT NULL AND left_out IS NULL)",
            name=op.f("ck_vote_rated_or_left_out"),
        ),
        sa.CheckConstraint("change > -100000 AND change < 100000", name=op.f("ck_vote_change")),
        sa.CheckConstraint("elo_a > -100000 AND elo_a < 100000", name=op.f("ck_vote_elo_a")),
        sa.CheckConstraint("elo_b > -100000 AND elo_b < 100000", name=op.f("ck_vote_elo_b")),
        sa.ForeignKeyConstraint(["battle"], ["battle.id"], name=op.f("fk_vote_battle_battle")),
        sa.ForeignKeyConstraint(["seat_a"], ["model.name"], name=op.f("fk_vote_seat_a_model")),
        sa.ForeignKeyConstraint(["seat_b"], ["model.name"], name=op.f("fk_vote_seat_b_model")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_vote")),
        sa.UniqueConstraint("battle", name=op.f("uq_vote_battle")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_vote_cast_at"), "vote", ["cast_at"], unique=False)
    op.create_index(op.f("ix_vote_voter"), "vote", ["voter"], unique=False)


def _create_vote_event() -> None:
    op.create_table(
        "vote_event",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("vote", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("after_seq", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('excluded', 'restored')", name=op.f("ck_vote_event_kind")),
        sa.ForeignKeyConstraint(["vote"], ["vote.seq"], name=op.f("fk_vote_event_vote_vote")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_event")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_vote_event_vote"), "vote_event", ["vote"], unique=False)


def _create_tally() -> None:
    op.create_table(
        "tally",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("multi_turn", sa.Integer(), nullable=False),
        sa.Column("long_prompt", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("maths", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.Column("seat_a", sa.Text(), nullable=False),
        sa.Column("seat_b", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.CheckConstraint("verdict IN ('a', 'b', 'tie', 'both_bad')", name=op.f("ck_tally_verdict")),
        sa.CheckConstraint("n >= 0", name=op.f("ck_tally_n")),
        sa.PrimaryKeyConstraint(
            "source",
            "day",
            "multi_turn",
            "long_prompt",
            "code",
            "maths",
            "language",
            "left_out",
            "seat_a",
            "seat_b",
            "verdict",
            name=op.f("pk_tally"),
        ),
        sqlite_strict=True,
    )


def _create_elo_checkpoint() -> None:
    op.create_table(
        "elo_checkpoint",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("elo", FLOAT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("elo > -100000 AND elo < 100000", name=op.f("ck_elo_checkpoint_elo")),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name=op.f("fk_elo_checkpoint_model_model")),
        sa.PrimaryKeyConstraint("seq", "model", name=op.f("pk_elo_checkpoint")),
        sqlite_strict=True,
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_strict=True,
    )
