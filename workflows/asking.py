"""How the server is asked: a call that comes to nothing is one error, Unavailable, with what the server said. It asks nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio.client import Schedule, ScheduleUpdate, ScheduleUpdateInput
from temporalio.service import RPCError

from journey.errors import Unavailable

T = TypeVar("T")
RPC = timedelta(seconds=10)
"""So long the server may take for an answer."""
AWAY = (RPCError, RuntimeError)
"""How the SDK says that a call came to nothing: an answer of the server's, or a connection that a lazy client could not make."""


async def asked(call: Callable[[], Awaitable[T]]) -> T:
    """What the call gives. Raises Unavailable when it came to nothing."""
    try:
        return await call()
    except AWAY as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> Unavailable:
    """The error as callers know it."""
    why = error.message if isinstance(error, RPCError) and error.message else "it cannot be reached"
    return Unavailable(f"The Temporal server did not answer a question about workflows: {why}.")


def as_wanted(wanted: Schedule) -> Callable[[ScheduleUpdateInput], ScheduleUpdate]:
    """An update of a schedule to this one; whether somebody has paused it stays as it is."""

    def updated(found: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = found.description.schedule.state
        return ScheduleUpdate(wanted)

    return updated
