"""A page of people of a version is told that the store has something new for them: written down by the store, then told (D10).

Who cannot be told, or was not before a crash, is looked after by the sweep. Who they are, and what is new, is the store's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from temporalio import activity

from journey.contract import ReleaseStart, Told, WakeStart, WindDownStart
from store import pausing, succeeding
from store.database import Database
from store.removal import tell_page
from workflows.ports import Telling

_PAGE = 200
_AT_ONCE = 16
"""Signals under way at the server at the same time."""


class Workflows(Protocol):
    """The way to the entrants' workflows; what cannot be told is served later."""

    async def leave(self, entrant: str, reason: str) -> None: ...


class Tellings(Telling):
    """Answers to the workflows that wind down a version, end a pause, and wake those whose version was succeeded."""

    def __init__(self, database: Database, workflows: Workflows) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="wind_down_page")
    async def wind_down_page(self, start: WindDownStart) -> int:
        people = await self._database.write(lambda work: tell_page(work, start.version, start.reason, _PAGE))
        await self._tell(people, start.reason)
        return len(people)

    @activity.defn(name="release_page")
    async def release_page(self, start: ReleaseStart) -> Told:
        return await self._told(await self._database.write(lambda work: pausing.release(work, start.version)))

    @activity.defn(name="wake_page")
    async def wake_page(self, start: WakeStart) -> Told:
        return await self._told(await self._database.write(lambda work: succeeding.wake(work, start.version)))

    async def _told(self, page: pausing.Page | succeeding.Page) -> Told:
        await self._tell(page.people)
        return Told(len(page.people), len(page.people) / page.rate, page.done)

    async def _tell(self, people: Iterable[str], reason: str = "") -> None:
        """Tell these entrants to leave for a reason, some at a time; without one their workflows ask the store what is so."""
        waiting = iter(people)

        async def one_after_the_other() -> None:
            for entrant in waiting:
                await self._workflows.leave(entrant, reason)
                activity.heartbeat()

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(one_after_the_other())
