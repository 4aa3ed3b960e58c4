"""What would come of a unit of work: it is run in full and taken back. Nothing of it stays, and it is never part of a group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from store import engines
from store.database import Database
from store.work import Work

T = TypeVar("T")


async def rehearse(database: Database, unit: Callable[[Work], T]) -> T:
    """Run a unit of work on a connection of its own, take it back, and give what it gave. Its locks last as long as it runs."""
    return await asyncio.to_thread(_rehearse, database, unit)


def _rehearse(database: Database, unit: Callable[[Work], T]) -> T:
    """A connection that is closed without a commit takes everything back."""
    try:
        with database.engine.connect().execution_options(
            writes=True
        ) as connection:  # a connection that is closed uncommitted takes all back
            work = Work(connection, database.clock)
            done = unit(work)
            work.send()
            return done
    except Exception as error:
        raise engines.as_told(error) from error
