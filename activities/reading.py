"""Pages of a run: read and let in by the store, and a workflow started for each who may enter (D7). A run that forces people to enter
anew first has everybody end who is inside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from sqlalchemy import Connection
from temporalio import activity

from activities import scheduling
from journey.contract import EntrantStart, Pages, RunStart
from journey.graph import reading
from store import joining, runs, schedules, versions
from store.admission import PAGE, Admitted, Start, admit_page, not_started
from store.clearing import clear_page
from store.database import Database
from store.work import Work
from workflows.ports import Reading

_AT_ONCE = 8
"""Starts under way at the server at the same time. With more, people are there before a place of this worker is free for them, and take the
way through the server's queue (workflows/client.py: start_entrant)."""
_CROWDED_PAUSE = 0.05
_CLEARED_AT_ONCE = 100
"""People a second who are told to end where the entry sets no rate."""
_PATIENCE = 300.0
"""Seconds in which whoever was told to end does; a message that is on its way is waited for."""


class Starting(Protocol):
    """The way to the entrants' workflows. Raises Unavailable when the server cannot be reached."""

    async def start_entrant(self, start: EntrantStart, version_hash: str) -> None: ...

    async def leave(self, entrant: str, reason: str) -> None: ...


class Workflows(Starting, scheduling.Workflows, Protocol):
    """The way to runs and schedules too."""


class Readings(Reading):
    """Answers to the run's workflow. Closed-loop: it lets in no more than the workers take up."""

    def __init__(self, database: Database, workflows: Workflows) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="read_pages")
    async def read_pages(self, start: RunStart) -> Pages:
        rate, journey = await self._database.read(lambda connection: _rate(connection, start.run))
        if not await self._clear(start.run, rate or _CLEARED_AT_ONCE):
            return Pages()
        while await self._database.write(partial(_forget, run=start.run)):
            activity.heartbeat()
        await start_all(
            self._workflows, await self._database.read(lambda connection: not_started(connection, start.run)), activity.heartbeat
        )
        total = Pages()
        while not total.done and not activity.is_worker_shutdown():  # the workflow asks again, and another worker reads on
            page = min(PAGE, rate) if rate else PAGE
            admitted = await self._database.write(partial(_admit, run=start.run, page=page))
            let_in = time.monotonic()  # not before: the page waits for the writer, and the next one perhaps does not
            await start_all(self._workflows, admitted.starts, activity.heartbeat)
            total = Pages(
                total.read + admitted.read, total.admitted + len(admitted.starts), total.discarded + admitted.discarded, admitted.done,
                total.stayed + admitted.stayed,
            )  # fmt: skip
            activity.heartbeat(total.read)
            if admitted.crowded:
                await asyncio.sleep(_CROWDED_PAUSE)
            elif rate and not admitted.done:
                looked_at = admitted.read - admitted.stayed
                await asyncio.sleep(max(0.0, looked_at / rate - (time.monotonic() - let_in)))
        if total.done and await self._database.read(lambda connection: schedules.find(connection, journey)) is not None:
            await scheduling.serve(self._database, self._workflows, journey)  # this was the last one, or another has waited for its end
        return total

    async def _clear(self, run: str, rate: int) -> bool:
        """Everybody inside ends, where the run asks for that; False when this process ends before."""
        told_at = time.monotonic()
        while not activity.is_worker_shutdown():
            patient = time.monotonic() - told_at < _PATIENCE
            page = partial(clear_page, run_id=run, most=min(PAGE, rate), patient=patient)
            cleared = await self._database.write(page)
            if cleared.done:
                return True
            began = time.monotonic()
            for entrant in cleared.told:
                await self._workflows.leave(entrant, "reentered")
                activity.heartbeat()
            if cleared.told:
                told_at = time.monotonic()
                await asyncio.sleep(max(0.0, len(cleared.told) / rate - (told_at - began)))
            else:
                await asyncio.sleep(_CROWDED_PAUSE)
            activity.heartbeat()
        return False


async def start_all(workflows: Starting, starts: Sequence[Start], alive: Callable[[], None] = lambda: None) -> None:
    """Start each entrant's workflow, a few at a time; one that runs already is done. `alive` is called after each."""
    waiting = iter(starts)

    async def one_after_the_other() -> None:
        for start in waiting:
            await workflows.start_entrant(start.entrant, start.hash)
            alive()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(_AT_ONCE, len(starts))):
            group.create_task(one_after_the_other())


def _admit(work: Work, run: str, page: int) -> Admitted:
    return admit_page(work, run, page=page)


def _forget(work: Work, run: str) -> int:
    return joining.forget(work, runs.get(work.connection, run))


def _rate(connection: Connection, run_id: str) -> tuple[int | None, str]:
    """The rate of a run's entry, and its journey."""
    run = runs.get(connection, run_id)
    journey = versions.frozen_version(connection, versions.row(connection, run.version).hash).journey
    entry = reading(journey)
    return None if entry is None else entry.rate, run.journey
