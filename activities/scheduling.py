"""What is due is begun: asked for by the server's schedules, by the sweep, and by a process that starts. The store decides what is due.

After each answer the server is told the next instants, so that its schedules never run out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from temporalio import activity

from journey import gate
from journey.contract import Occurred, ScheduleStart
from journey.errors import BadInput
from journey.events import Instant
from store import due_runs, schedules
from store.database import Database
from store.due_runs import Served
from workflows.ports import Scheduling

_EARLY = 60 * gate.MICROSECONDS
"""By so much may the server's clock be ahead of the store's: then what is due is waited for."""
_log = logging.getLogger("sojourn.schedules")


class Keeping(Protocol):
    """The way to the server's schedules (workflows/client.py). Raises Unavailable when the server cannot be reached."""

    async def keep_schedule(self, journey: str, instants: Sequence[Instant]) -> None: ...


class Workflows(Keeping, Protocol):
    """The way to the workflows too, as it is there."""

    async def start_run(self, run: str) -> None: ...

    async def scheduled(self) -> list[str]: ...


class Occurrences(Scheduling):
    """Answers to a schedule that has fired."""

    def __init__(self, database: Database, workflows: Workflows) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="serve_occurrence")
    async def serve_occurrence(self, start: ScheduleStart) -> Occurred:
        there = await self._database.read(lambda connection: schedules.find(connection, start.journey))
        if there is not None and there.occurrence is not None:
            early = there.occurrence.at - self._database.clock.now()
            if 0 < early <= _EARLY:
                await asyncio.sleep(early / gate.MICROSECONDS)
        return await serve(self._database, self._workflows, start.journey)


async def serve(database: Database, workflows: Workflows, journey: str) -> Occurred:
    """Begin what is due of one journey, and tell the server what is due next. Asked again it does nothing twice."""
    run, missed, more = "", 0, True
    while more:
        served: Served = await database.write(partial(due_runs.serve, journey_id=journey))
        run, missed, more = served.run or run, missed + served.missed, served.more
    if run:
        await workflows.start_run(run)
    await tell_server(database, workflows, journey)
    if missed:
        _log.warning("%s: %d occurrences of its schedule were missed; its runs say why", journey, missed)
    said = (f"began {run}" if run else "nothing was due") + (f", {missed} missed" if missed else "")
    return Occurred(run, missed, said)


async def serve_all(database: Database, workflows: Workflows, alive: Callable[[], object] = lambda: None) -> None:
    """Begin what is due of every journey: what no schedule of the server's has brought. `alive` is called after each."""
    for journey in await database.read(lambda connection: schedules.due(connection, database.clock.now())):
        try:
            await serve(database, workflows, journey)
        except BadInput as fault:  # a time zone that this machine does not know any more: the others are not to wait for it
            _log.error("%s: its schedule cannot be read here: %s", journey, fault.sentence)
        alive()


async def tell_server(database: Database, workflows: Keeping, journey: str) -> None:
    """Have the journey's schedule at the server fire when something is due next; a journey without a schedule has none there."""
    upcoming = await database.read(lambda connection: schedules.upcoming(connection, journey))
    await workflows.keep_schedule(journey, [one.at for one in upcoming])


async def tell_server_all(database: Database, workflows: Workflows) -> None:
    """The same for every journey; a schedule at the server that no journey has any more goes. Done by every worker at its start."""
    there = await workflows.scheduled()  # first: one that is published meanwhile is in the store by then
    for journey in sorted({*there, *await database.read(schedules.journeys_on_schedule)}):
        try:
            await tell_server(database, workflows, journey)
        except BadInput as fault:
            _log.error("%s: its schedule cannot be read here: %s", journey, fault.sentence)
