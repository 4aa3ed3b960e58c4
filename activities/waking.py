"""A page of people whose version was succeeded is to ask where they go on: written down by the store, then told."""

from __future__ import annotations

import asyncio
from typing import Protocol

from temporalio import activity

from journey.contract import WakeStart, Woken
from store import succeeding
from store.database import Database
from workflows.ports import Waking

_AT_ONCE = 16
"""Signals under way at the server at the same time."""


class Telling(Protocol):
    """The way to the entrants' workflows; what cannot be told is served later."""

    async def leave(self, entrant: str, reason: str) -> None: ...


class Wakings(Waking):
    """Answers to the workflow that wakes people. Whoever is not told before a crash is looked after by the sweep."""

    def __init__(self, database: Database, workflows: Telling) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="wake_page")
    async def wake_page(self, start: WakeStart) -> Woken:
        page = await self._database.write(lambda work: succeeding.wake(work, start.version))
        waiting = iter(page.people)

        async def one_after_the_other() -> None:
            for entrant in waiting:
                await self._workflows.leave(entrant, "")
                activity.heartbeat()

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(one_after_the_other())
        return Woken(len(page.people), len(page.people) / page.rate, page.done)
