"""What a worker asks of the server at its start: to do what an earlier process has left, and to see to it from now on.

It decides nothing itself: the sweep does (activities/repairing.py), and the schedules are the store's (activities/scheduling.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from temporalio.client import Client

from activities import scheduling
from journey.contract import SweepStart
from journey.errors import Unavailable
from journey.gate import MICROSECONDS
from store.database import Database
from store.entrants import DECIDED_DUE
from workflows.client import TemporalWorkflows
from workflows.standing import EVERY, Standings

_log = logging.getLogger("sojourn.worker")
_REMEMBERED = timedelta(days=7)
"""A process that starts looks so far back for workflows that were ended from outside: as long as the server keeps them."""
PAUSE = 5.0


class TakingUp:
    """Each of its questions may be repeated, and raises Unavailable when the server does not answer."""

    def __init__(self, database: Database, client: Client, workflows: TemporalWorkflows, *, pause: float = PAUSE) -> None:
        """`pause`: seconds until a server that did not answer is asked again."""
        self._database, self._standings, self._workflows, self._pause = database, Standings(client), workflows, pause

    async def catch_up(self) -> None:
        """Ask for a sweep at once, which does what a crash left undone, whether or not it is a minute past its due (D11)."""
        await self._standings.sweep_now(SweepStart(patience=-DECIDED_DUE / MICROSECONDS, back=_REMEMBERED.total_seconds()))

    async def sweep_regularly(self, start: SweepStart | None = None, every: timedelta = EVERY) -> None:
        """Have the server start a sweep again and again; done by every worker at its start, it is there once."""
        await self._standings.sweep_regularly(start or SweepStart(), every)

    async def keep_schedules(self) -> None:
        """Have the server keep a schedule for each journey that is on one, and no other; done by every worker at its start."""
        await scheduling.tell_server_all(self._database, self._workflows)

    async def all_of_it(self) -> None:
        await self.catch_up()
        await self.sweep_regularly()
        await self.keep_schedules()

    @asynccontextmanager
    async def seen_to(self) -> AsyncIterator[None]:
        """All of it is asked before the block. A server that is slow or away just then is asked again beside the block: a worker that
        could serve is not to end over it."""
        again: asyncio.Task[None] | None = None
        try:
            await self.all_of_it()
        except Unavailable as error:
            _log.warning("What a start takes up waits for the Temporal server: %s", error)
            again = asyncio.create_task(self._ask_again())
        try:
            yield
        finally:
            if again is not None:
                again.cancel()
                with suppress(asyncio.CancelledError):
                    await again

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            with suppress(Unavailable):
                return await self.all_of_it()
