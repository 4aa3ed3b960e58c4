"""By which name an event definition describes its events, so that an event need not look at all of them; and which discards stand once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ONCE = sa.text("once")
MATCH = {"sqlite": "json_extract(document, '$.match')", "postgresql": "document ->> 'match'"}


def upgrade() -> None:
    op.add_column("event_definitions", sa.Column("event_name", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute(f"UPDATE event_definitions SET event_name = COALESCE({MATCH[op.get_bind().dialect.name]}, '')")
    op.add_column("discards", sa.Column("once", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("discards_once", "discards", ["source", "event"], unique=True, sqlite_where=ONCE, postgresql_where=ONCE)


def downgrade() -> None:
    op.drop_index("discards_once", "discards")
    op.drop_column("discards", "once")
    op.drop_column("event_definitions", "event_name")
