"""Messages that are held for review, as they were made out for their persons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def text(name: str) -> sa.Column[str]:
        return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''"))

    op.create_table(
        "reviews",
        sa.Column("entrant", sa.Text(), primary_key=True, nullable=False),
        sa.Column("n", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Text(), primary_key=True, nullable=False),
        *(text(name) for name in ("journey", "version", "node", "message", "profile")),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True)),
        text("error"),
        *(sa.Column(name, sa.BigInteger()) for name in ("since", "rendered_at", "approved_at")),
    )
    op.create_index("reviews_journey", "reviews", ["journey", "node"])
    op.create_index("reviews_version", "reviews", ["version"])
    op.create_index("reviews_profile", "reviews", ["profile"])


def downgrade() -> None:
    op.drop_table("reviews")
