"""Test sessions: which one of a journey is on, and when it was last used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

RUNNING = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "test_sessions",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("etag", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_index(
        "test_sessions_running", "test_sessions", ["journey"], unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("test_sessions_running", "test_sessions")
    op.drop_table("test_sessions")
