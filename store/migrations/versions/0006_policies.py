"""Policies, and what frequency caps count: when a delivery went or is to go, since when it is wanted, and how important its journey is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTING = sa.text("counts_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "policies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("deliveries", sa.Column("asked_at", sa.BigInteger(), autoincrement=False, nullable=True))
    op.add_column("deliveries", sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("deliveries", sa.Column("counts_at", sa.BigInteger(), autoincrement=False, nullable=True))
    op.execute("UPDATE deliveries SET counts_at = marked_at WHERE status IN ('sent', 'uncertain') AND mode = 'live'")
    op.create_index("deliveries_counting", "deliveries", ["profile", "counts_at"], sqlite_where=_COUNTING, postgresql_where=_COUNTING)


def downgrade() -> None:
    op.drop_index("deliveries_counting", table_name="deliveries")
    op.drop_column("deliveries", "counts_at")
    op.drop_column("deliveries", "priority")
    op.drop_column("deliveries", "asked_at")
    op.drop_table("policies")
