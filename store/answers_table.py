"""The table of answers to calls that carry an `Idempotency-Key`. A row is written before its call runs, so it is also the lock."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, Table

from store.columns import instant_column, metadata, text_column

answers = Table(
    "answers", metadata,
    text_column("key", key=True),  # a hash of who calls and of the key
    text_column("call"),  # a hash of all that makes the call what it is
    text_column("attempt"),  # whoever runs it; another one may have taken over from who died
    instant_column("since"),  # it runs
    instant_column("until"),  # the lock holds, or the answer is kept; from then on the row is as good as gone
    Column("status", Integer),  # null while it runs
    Column("headers", JSON(none_as_null=True)),
    Column("body", LargeBinary),
    Index("answers_until", "until"),
)  # fmt: skip
