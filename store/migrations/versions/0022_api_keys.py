"""Keys that open the API, of which only hashes are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), primary_key=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")) for name in ("name", "scope", "namespace", "hash")),
        sa.Column("created_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
    )
    op.create_index("api_keys_hash", "api_keys", ["hash"], unique=True)
    op.create_index("api_keys_created", "api_keys", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("api_keys")
