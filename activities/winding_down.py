"""A page of people inside a stopped version is told to end (D10)."""

from __future__ import annotations

from temporalio import activity

from activities.telling import Telling, tell
from journey.contract import WindDownStart
from store.database import Database
from store.removal import tell_page
from workflows.ports import WindingDown

_PAGE = 200


class WindDowns(WindingDown):
    """Answers to the winding-down workflow."""

    def __init__(self, database: Database, workflows: Telling) -> None:
        self._database = database
        self._workflows = workflows

    @activity.defn(name="wind_down_page")
    async def wind_down_page(self, start: WindDownStart) -> int:
        told = await self._database.write(lambda work: tell_page(work, start.version, start.reason, _PAGE))
        await tell(self._workflows, told, start.reason)
        return len(told)
