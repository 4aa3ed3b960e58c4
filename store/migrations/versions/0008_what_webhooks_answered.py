"""What webhooks answered, for the conditions and messages that come after them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "responses",
        sa.Column("entrant", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("left_out", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("entrant", "n"),
    )


def downgrade() -> None:
    op.drop_table("responses")
