"""Runs on a schedule: which occurrence a run belongs to, who stayed, who was ended first; and what is due next of each journey."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ON_SCHEDULE = sa.text("occurrence <> ''")


def upgrade() -> None:
    for name in ("reason", "occurrence"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("runs", sa.Column("due_at", sa.BigInteger(), nullable=True))
    for name in ("stayed", "reentered"):
        op.add_column("runs", sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_index(
        "runs_occurrence", "runs", ["journey", "occurrence"], unique=True, sqlite_where=ON_SCHEDULE, postgresql_where=ON_SCHEDULE
    )
    op.add_column("run_members", sa.Column("stayed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "schedules",
        sa.Column("journey", sa.Text(), primary_key=True, nullable=False),
        sa.Column("version", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("next_local", sa.Text(), nullable=False, server_default=sa.text("''")),
    )
    op.create_index("schedules_next", "schedules", ["next_at"])


def downgrade() -> None:
    op.drop_table("schedules")
    op.drop_column("run_members", "stayed")
    op.drop_index("runs_occurrence", "runs")
    for name in ("reentered", "stayed", "due_at", "occurrence", "reason"):
        op.drop_column("runs", name)
