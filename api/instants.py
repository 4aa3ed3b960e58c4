"""Instants as answers show them: RFC 3339 in UTC. It knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _of_microseconds(at: Any) -> Any:
    return _BEGINNING + timedelta(microseconds=at) if isinstance(at, int) else at


Moment = Annotated[datetime, BeforeValidator(_of_microseconds)]
"""A field of an answer that is made of microseconds and shown as `2026-03-01T12:30:00Z`."""


def microseconds(moment: datetime) -> int:
    """An instant with its zone in whole microseconds since 1970."""
    return (moment - _BEGINNING) // timedelta(microseconds=1)
