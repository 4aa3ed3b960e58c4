"""A page of people whose version was succeeded is to ask where they go on: written down by the store, then told."""

from __future__ import annotations

from temporalio import activity

from activities.telling import Telling, tell
from journey.contract import WakeStart, Woken
from store import succeeding
from store.database import Database
from workflows.ports import Waking


class Wakings(Waking):
    """Answers to the workflow that wakes people. Whoever is not told before a crash is looked after by the sweep."""

    def __init__(self, database: Database, workflows: Telling) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="wake_page")
    async def wake_page(self, start: WakeStart) -> Woken:
        page = await self._database.write(lambda work: succeeding.wake(work, start.version))
        await tell(self._workflows, page.people)
        return Woken(len(page.people), len(page.people) / page.rate, page.done)
