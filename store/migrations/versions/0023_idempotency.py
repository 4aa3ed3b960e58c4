"""Answers to calls that carry an Idempotency-Key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("key", sa.Text(), primary_key=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")) for name in ("call", "attempt")),
        *(sa.Column(name, sa.BigInteger()) for name in ("since", "until")),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", sa.JSON(none_as_null=True)),
        sa.Column("body", sa.LargeBinary()),
    )
    op.create_index("answers_until", "answers", ["until"])


def downgrade() -> None:
    op.drop_table("answers")
