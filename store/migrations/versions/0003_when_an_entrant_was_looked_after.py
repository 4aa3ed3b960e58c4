"""When the sweep last looked after an entrant: whoever stays overdue is looked after less and less often."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entrants", sa.Column("looked_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("entrants", "looked_at")
