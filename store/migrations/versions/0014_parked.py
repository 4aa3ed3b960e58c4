"""Where an entrant is parked since something failed, and the code of that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PARKED = sa.text("state = 'open' AND parked <> ''")


def upgrade() -> None:
    for name in ("parked", "parked_why"):
        op.add_column("entrants", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("entrants_parked", "entrants", ["journey", "parked"], sqlite_where=PARKED, postgresql_where=PARKED)


def downgrade() -> None:
    op.drop_index("entrants_parked", "entrants")
    for name in ("parked_why", "parked"):
        op.drop_column("entrants", name)
