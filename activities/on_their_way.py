"""What was begun goes on to its end, whoever waits for it or no longer does: a call of a provider, and what it answered written down.

It knows no stop and no provider. `drain` it before the process ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from journey.errors import Unavailable

T = TypeVar("T")
MARK_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0)
"""Seconds between attempts to write an answer down: about as long as a lease lasts, after which the next attempt decides without it."""
BEAT = 3.0
"""Seconds between two signs of life on the durable path (workflows/retrying.py says how many may be missing)."""

_log = logging.getLogger("sojourn.stops")


class OnTheirWay:
    """The work of one process that nobody waits for any more."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside whoever asks."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def attempt(self, work: Coroutine[Any, Any, T], beat: Callable[[], object] = lambda: None) -> T:
        """What the work comes to, with a `beat` now and then while it lasts. When whoever waits is cancelled, since the worker goes down or
        the server takes the attempt for dead, the work goes on to its end: what was claimed is sent and marked."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=BEAT))[0]:
                beat()
        except asyncio.CancelledError:
            self.beside(_over(task))
            raise
        return task.result()

    async def write(self, write: Callable[[], Awaitable[T]], of: str) -> T:
        """Write an answer down. When the database cannot just now, it raises that, and it is tried again beside: an answer is not lost."""
        try:
            return await write()
        except Exception:
            self.beside(self.write_at_last(write, of))
            raise

    async def write_at_last(self, write: Callable[[], Awaitable[object]], of: str) -> None:
        """The same, for as long as it makes sense. `of` whom it is, for the log."""
        for seconds in (*MARK_PAUSES, None):
            try:
                await write()
            except Exception as error:
                if seconds is None or isinstance(error, Unavailable):
                    _log.exception("what became of a delivery of %s could not be written down; its lease decides", of)
                    return
                await asyncio.sleep(seconds)
            else:
                return

    async def drain(self) -> None:
        """Wait for what is still on its way to a provider, so that its answer is marked."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _over(task: asyncio.Task[Any]) -> None:
    """Wait for the end of work that nobody hears of any more; what it had to say is in the store."""
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
