"""Pauses, start and end dates of versions, the record of their moves, and where a pause holds an entrant. An event finds paused versions
too, which do not let its person in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

HELD = sa.text("state = 'open' AND held <> ''")
LIVE = sa.text("state = 'live'")
ENTERED = sa.text("state IN ('live', 'paused')")
TEXTS = ("version", "act", "before", "after", "detail")
INSTANTS = ("starts_at", "ends_at", "paused_at", "pause_until")


def upgrade() -> None:
    for name in INSTANTS:
        op.add_column("versions", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("pause", "resumes"):
        op.add_column("versions", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("versions", sa.Column("release_rate", sa.Integer(), nullable=True))
    op.add_column("entrants", sa.Column("held", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("entrants_held", "entrants", ["version", "held"], sqlite_where=HELD, postgresql_where=HELD)
    _index_entries(ENTERED)
    op.create_table(
        "moves",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")) for name in TEXTS),
        sa.Column("at", sa.BigInteger(), nullable=True),
    )
    op.create_index("moves_version", "moves", ["version"])


def downgrade() -> None:
    op.drop_table("moves")
    _index_entries(LIVE)
    op.drop_index("entrants_held", "entrants")
    op.drop_column("entrants", "held")
    for name in (*INSTANTS, "pause", "resumes", "release_rate"):
        op.drop_column("versions", name)


def _index_entries(condition: sa.TextClause) -> None:
    op.drop_index("versions_entry", "versions")
    op.create_index("versions_entry", "versions", ["entry_kind", "entry_on"], sqlite_where=condition, postgresql_where=condition)
