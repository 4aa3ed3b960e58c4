"""What an e-mail that comes back is known by, and soft bounces in a row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

IS_MAIL = sa.text("mail <> ''")
HAS_PROVIDER_ID = sa.text("provider_id <> ''")


def upgrade() -> None:
    for name in ("mail", "sent_to"):
        op.add_column("deliveries", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("deliveries_mail", "deliveries", ["mail"], sqlite_where=IS_MAIL, postgresql_where=IS_MAIL)
    op.create_index("deliveries_provider", "deliveries", ["provider_id"], sqlite_where=HAS_PROVIDER_ID, postgresql_where=HAS_PROVIDER_ID)
    op.create_table(
        "soft_bounces",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("address", sa.Text(), primary_key=True),
        sa.Column("bounce", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("soft_bounces")
    op.drop_index("deliveries_provider", "deliveries")
    op.drop_index("deliveries_mail", "deliveries")
    for name in ("sent_to", "mail"):
        op.drop_column("deliveries", name)
