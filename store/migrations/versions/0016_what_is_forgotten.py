"""Of whom only one row is kept any more, and how many discards of a version are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TO_FORGET = sa.text("state = 'ended' AND NOT forgotten")


def upgrade() -> None:
    op.add_column("entrants", sa.Column("forgotten", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("entrants_ended", "entrants", ["ended_at"], sqlite_where=TO_FORGET, postgresql_where=TO_FORGET)
    op.create_index("events_accepted", "events", ["accepted_at"])
    op.create_table(
        "old_discards",
        sa.Column("version", sa.Text(), nullable=False, primary_key=True),
        sa.Column("code", sa.Text(), nullable=False, primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("old_discards")
    op.drop_index("events_accepted", "events")
    op.drop_index("entrants_ended", "entrants")
    op.drop_column("entrants", "forgotten")
