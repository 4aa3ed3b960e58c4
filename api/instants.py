"""Instants as answers show them: RFC 3339 in UTC. It knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _of_microseconds(at: Any) -> Any:
    return _BEGINNING + timedelta(microseconds=at) if isinstance(at, int) else at


Moment = Annotated[datetime, BeforeValidator(_of_microseconds)]
"""A field of an answer that is made of microseconds and shown as `2026-03-01T12:30:00Z`."""


def _as_text(at: Any) -> Any:
    if isinstance(at, int | float):
        raise ValueError("Write an instant as in 2026-03-01T12:30:00Z.")
    return at


Written = Annotated[AwareDatetime, BeforeValidator(_as_text)]
"""A field of a request that is an instant. A number would be seconds to one and milliseconds to another."""


def microseconds(moment: datetime) -> int:
    """An instant with its zone in whole microseconds since 1970."""
    return (moment - _BEGINNING) // timedelta(microseconds=1)
