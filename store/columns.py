"""What every table is made of: texts that are never null, and instants. It knows no table."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, Text, text

metadata = MetaData()


def text_column(name: str, *, key: bool = False) -> Column[str]:
    """A text, empty unless it is part of the key."""
    return Column(name, Text, primary_key=key, nullable=False, server_default=None if key else text("''"))


def instant_column(name: str, *, key: bool = False) -> Column[int]:
    """An instant: whole microseconds since 1970 in UTC, by the store's clock. It may be null unless it is part of the key."""
    return Column(name, BigInteger, primary_key=key, nullable=not key, autoincrement=False)
