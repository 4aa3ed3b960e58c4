"""When each wait of a gate is over that hangs on a date, a field or a clock; and why a condition was left as it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entrants", sa.Column("ends", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("steps", sa.Column("why", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("steps", "why")
    op.drop_column("entrants", "ends")
