"""Pages of a run: read and let in by the store, and a workflow started for each who may enter (D7)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from sqlalchemy import Connection
from temporalio import activity

from journey.contract import EntrantStart, Pages, RunStart
from journey.graph import ReadSegment
from store import runs, versions
from store.admission import PAGE, Admitted, Start, admit_page, not_started
from store.database import Database
from store.work import Work
from workflows.ports import Reading

_AT_ONCE = 16
"""Starts under way at the server at the same time."""
_CROWDED_PAUSE = 0.05


class Starting(Protocol):
    """The way to the entrants' workflows. Raises Unavailable when the server cannot be reached."""

    async def start_entrant(self, start: EntrantStart, version_hash: str) -> None: ...


class Readings(Reading):
    """Answers to the run's workflow. Closed-loop: it lets in no more than the workers take up."""

    def __init__(self, database: Database, workflows: Starting) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="read_pages")
    async def read_pages(self, start: RunStart) -> Pages:
        rate = await self._database.read(lambda connection: _rate(connection, start.run))
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
                total.read + admitted.read, total.admitted + len(admitted.starts), total.discarded + admitted.discarded, admitted.done
            )
            activity.heartbeat(total.read)
            if admitted.crowded:
                await asyncio.sleep(_CROWDED_PAUSE)
            elif rate and not admitted.done:
                await asyncio.sleep(max(0.0, admitted.read / rate - (time.monotonic() - let_in)))
        return total


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


def _rate(connection: Connection, run_id: str) -> int | None:
    run = runs.get(connection, run_id)
    journey = versions.frozen_version(connection, versions.row(connection, run.version).hash).journey
    return next((node.rate for node in journey.nodes if isinstance(node, ReadSegment)), None)
