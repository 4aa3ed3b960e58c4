"""The first tables: everything that a journey needs to run once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPEN = sa.text("state = 'open'")
_SETTING_OFF = sa.text("state = 'open' AND n <= 1")


def upgrade() -> None:
    op.create_table(
        "attributes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("label", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "counters",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", "mode", "node", "kind", "channel", "slot"),
    )
    op.create_table(
        "deliveries",
        sa.Column("entrant", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("mode", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("node", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("message", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("profile", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("token", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("lease", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("provider_id", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("marked_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("entrant", "n", "channel"),
    )
    op.create_index("deliveries_version", "deliveries", ["version", "status"], unique=False)
    op.create_table(
        "discards",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("event", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("profile", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("entrant", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("version", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("run", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("code", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("detail", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("discards_code", "discards", ["code"], unique=False)
    op.create_index("discards_event", "discards", ["source", "event"], unique=False)
    op.create_index("discards_profile", "discards", ["profile"], unique=False)
    op.create_index("discards_version", "discards", ["version"], unique=False)
    op.create_table(
        "entrants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("version", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("mode", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("key", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("run", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("won_node", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("won_source", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("won_event", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("keeps", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("due", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("ending", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("end_reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "entrants_due",
        "entrants",
        ["due"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("entrants_number", "entrants", ["journey", "mode", "key", "number"], unique=True)
    op.create_index(
        "entrants_one_open",
        "entrants",
        ["journey", "mode", "key"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "entrants_place",
        "entrants",
        ["version", "place"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "entrants_profile",
        "entrants",
        ["profile"],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("entrants_setting_off", "entrants", ["run"], unique=False, sqlite_where=_SETTING_OFF, postgresql_where=_SETTING_OFF)
    op.create_table(
        "event_definitions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", "id"),
    )
    op.create_index("events_profile", "events", ["profile", "accepted_at"], unique=False)
    op.create_table(
        "facts",
        sa.Column("entrant", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("entrant", "n", "node", "kind", "channel"),
    )
    op.create_table(
        "frozen",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "identities",
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "value"),
    )
    op.create_index("identities_profile", "identities", ["profile"], unique=False)
    op.create_table(
        "journeys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("draft", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("etag", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "kept",
        sa.Column("entrant", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entrant", "accepted_at", "source", "event"),
    )
    op.create_index("kept_event", "kept", ["source", "event"], unique=False)
    op.create_table(
        "message_revisions",
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("message", "revision"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("consents", sa.JSON(), nullable=False),
        sa.Column("push_tokens", sa.JSON(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("updated_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "run_members",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("entrant", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("run", "profile"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("segment", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("segment_hash", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("profiles", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("cutoff", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("cursor", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("read", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("admitted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("discarded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("runs_journey", "runs", ["journey", "number"], unique=True)
    op.create_table(
        "segments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("hash", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "steps",
        sa.Column("entrant", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("left", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("left_exit", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("by_source", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("by_event", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("node", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("closed_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("outcome", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("place", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("said", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("entrant", "n"),
    )
    op.create_table(
        "suppressions",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("channel", "address"),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("published_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("versions_journey", "versions", ["journey", "number"], unique=True)


def downgrade() -> None:
    op.drop_table("versions")
    op.drop_table("suppressions")
    op.drop_table("steps")
    op.drop_table("segments")
    op.drop_table("runs")
    op.drop_table("run_members")
    op.drop_table("profiles")
    op.drop_table("messages")
    op.drop_table("message_revisions")
    op.drop_table("kept")
    op.drop_table("journeys")
    op.drop_table("identities")
    op.drop_table("frozen")
    op.drop_table("facts")
    op.drop_table("events")
    op.drop_table("event_definitions")
    op.drop_table("entrants")
    op.drop_table("discards")
    op.drop_table("deliveries")
    op.drop_table("counters")
    op.drop_table("attributes")
