"""Messages a second: whose turn it is at a provider's account, and which turn a delivery has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "send_slots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("account"),
    )
    op.add_column("deliveries", sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "slot")
    op.drop_table("send_slots")
