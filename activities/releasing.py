"""A page of people whom a pause has held goes on: written down by the store, then told (D10)."""

from __future__ import annotations

from temporalio import activity

from activities.telling import Telling, tell
from journey.contract import Released, ReleaseStart
from store import pausing
from store.database import Database
from workflows.ports import Releasing


class Releases(Releasing):
    """Answers to the workflow that lets people go on. Whoever is not told before a crash is looked after by the sweep."""

    def __init__(self, database: Database, workflows: Telling) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="release_page")
    async def release_page(self, start: ReleaseStart) -> Released:
        page = await self._database.write(lambda work: pausing.release(work, start.version))
        await tell(self._workflows, page.people)
        return Released(len(page.people), len(page.people) / page.rate, page.done)
