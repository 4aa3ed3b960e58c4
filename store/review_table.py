"""The table of messages held for review, as they were made out for their persons. A row goes when its delivery is over."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, Table

from store.columns import instant_column, metadata, text_column

reviews = Table(
    "reviews", metadata,
    text_column("entrant", key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    text_column("channel", key=True),
    *(text_column(name) for name in ("journey", "version", "node", "message", "profile")),
    Column("revision", Integer, nullable=False),  # of the message
    Column("content", JSON(none_as_null=True)),  # null when it is not made out yet, cannot be, or its person was deleted
    text_column("error"),  # why it cannot be
    instant_column("since"),
    instant_column("rendered_at"),  # null when it is to be made out, for the first time or anew
    instant_column("approved_at"),
    Index("reviews_journey", "journey", "node"), Index("reviews_version", "version"), Index("reviews_profile", "profile"),
)  # fmt: skip
