"""The index of a person's entrants holds those that have ended too: their timeline is read by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.drop_index("entrants_profile", "entrants")
    op.create_index("entrants_profile", "entrants", ["profile"])


def downgrade() -> None:
    op.drop_index("entrants_profile", "entrants")
    op.create_index("entrants_profile", "entrants", ["profile"], sqlite_where=_OPEN, postgresql_where=_OPEN)
