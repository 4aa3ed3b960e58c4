"""Events by which people enter, and whose filter may come true when the profile is written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settling",
        *(sa.Column(name, sa.Text(), primary_key=True, nullable=False) for name in ("source", "event", "version")),
        sa.Column("profile", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("until", sa.BigInteger()),
    )
    op.create_index("settling_profile", "settling", ["profile"])
    op.create_index("settling_until", "settling", ["until"])


def downgrade() -> None:
    op.drop_table("settling")
