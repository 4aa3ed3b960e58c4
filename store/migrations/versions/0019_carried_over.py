"""Which version succeeds another and how its people go on, and which steps carried somebody over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXTS = (("versions", "successor"), ("steps", "from_version"), ("steps", "to_version"))


def upgrade() -> None:
    for table, name in TEXTS:
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("versions", sa.Column("succession", sa.JSON(none_as_null=True)))
    op.add_column("entrants", sa.Column("carried", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("entrants", "carried")
    op.drop_column("versions", "succession")
    for table, name in TEXTS:
        op.drop_column(table, name)
