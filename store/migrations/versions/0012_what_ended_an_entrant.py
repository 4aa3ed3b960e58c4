"""What the ending of an entrant came of; versions are found by their state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entrants", sa.Column("ending_detail", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("versions_state", "versions", ["state", "id"])


def downgrade() -> None:
    op.drop_index("versions_state", "versions")
    op.drop_column("entrants", "ending_detail")
