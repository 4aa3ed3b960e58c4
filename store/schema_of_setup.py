"""The tables of what is put: people, and all that journeys are made of. What becomes of people is in schema.py, by which all are known."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, Table

from store.columns import instant_column as _instant
from store.columns import metadata
from store.columns import text_column as _text

attributes = Table("attributes", metadata, _text("name", key=True), _text("type"), _text("label"))

profiles = Table(
    "profiles", metadata,
    _text("id", key=True),
    Column("attributes", JSON, nullable=False),
    Column("consents", JSON, nullable=False),
    Column("push_tokens", JSON, nullable=False),  # [{"token": ..., "platform": ..., "timezone": ...}]
    Column("test", Boolean, nullable=False),
    _instant("created_at"),
    _instant("updated_at"),
)  # fmt: skip

identities = Table(
    "identities", metadata,
    _text("namespace", key=True), _text("value", key=True), _text("profile"),
    Index("identities_profile", "profile"),
)  # fmt: skip

suppressions = Table(
    "suppressions", metadata,
    _text("channel", key=True), _text("address", key=True), _text("reason"), _instant("at"),
)  # fmt: skip

soft_bounces = Table(
    "soft_bounces", metadata,
    _text("channel", key=True),
    _text("address", key=True),  # hashed
    _text("bounce", key=True),  # the delivery that came back, or the id of what said so
    _instant("at"),
)  # fmt: skip
"""Soft bounces in a row, of an address that nothing has shown to work since."""

policies = Table(
    "policies", metadata,
    _text("id", key=True),  # there is one row
    _text("hash"),  # empty when it holds nothing
    Column("document", JSON, nullable=False),
    _instant("at"),
)  # fmt: skip

segments = Table(
    "segments", metadata,
    _text("id", key=True),
    Column("document", JSON, nullable=False),  # as it was put
    Column("rule", JSON, nullable=False),  # the tree
    _text("hash"),
)  # fmt: skip

event_definitions = Table(
    "event_definitions", metadata,
    _text("id", key=True),
    Column("document", JSON, nullable=False),
    _text("event_name"),  # of the events that it describes; empty where a rule says which they are
)  # fmt: skip

messages = Table("messages", metadata, _text("id", key=True), Column("revision", Integer, nullable=False))

message_revisions = Table(
    "message_revisions", metadata,
    _text("message", key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("document", JSON, nullable=False),
    _instant("at"),
)  # fmt: skip

journeys = Table(
    "journeys", metadata,
    _text("id", key=True),
    Column("draft", JSON(none_as_null=True)),  # as it was put; null when there is none
    _text("etag"),
    _instant("updated_at"),
)  # fmt: skip

frozen = Table("frozen", metadata, _text("hash", key=True), _text("canonical"))

api_keys = Table(
    "api_keys", metadata,
    _text("id", key=True),
    _text("name"),
    _text("scope"),  # admin, ingest
    _text("namespace"),  # of the users' ids in Segment's calls; empty for an admin's
    _text("hash"),  # all that is kept of the secret
    _instant("created_at"),
    _instant("last_used_at"),  # the beginning of the hour in which it was used last
    Index("api_keys_hash", "hash", unique=True),
    Index("api_keys_created", "created_at", "id"),
)  # fmt: skip
