"""The latest instant that a SQLite database knows: no clock of a process begins before it. It reads two rows, whatever the size."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from journey.events import Instant

_LAST = (
    "SELECT max(coalesce((SELECT at FROM facts ORDER BY rowid DESC LIMIT 1), 0),"
    " coalesce((SELECT accepted_at FROM events ORDER BY rowid DESC LIMIT 1), 0))"
)
"""Rows get their numbers in the order of their commits: the last one has the last instant, or one as good as it."""


def instant(engine: Engine) -> Instant:
    """In microseconds; 0 of a database that has nothing yet, or cannot be read: whoever uses it next is told why."""
    with suppress(OperationalError), engine.connect() as connection:
        connection.detach()  # closed behind us: the pool begins with those who work
        return int(connection.exec_driver_sql(_LAST).scalar_one())
    return 0
