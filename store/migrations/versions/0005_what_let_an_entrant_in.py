"""Which event let an entrant in, and how people enter a version: what a journey calls `entry` is read from the one, and an event that
arrives finds by the other what it may let its person into."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIVE = sa.text("state = 'live'")


def upgrade() -> None:
    for name in ("entry_source", "entry_event"):
        op.add_column("entrants", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    for name in ("entry_kind", "entry_on"):
        op.add_column("versions", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE versions SET entry_kind = 'read_segment'")
    op.create_index("versions_entry", "versions", ["entry_kind", "entry_on"], sqlite_where=LIVE, postgresql_where=LIVE)


def downgrade() -> None:
    op.drop_index("versions_entry", "versions")
    for name in ("entry_on", "entry_kind"):
        op.drop_column("versions", name)
    for name in ("entry_event", "entry_source"):
        op.drop_column("entrants", name)
