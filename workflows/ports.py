"""What the workflows may ask for. activities/ answers; the names on the wire are pinned, so that files can move."""

from __future__ import annotations

from abc import ABC, abstractmethod

from temporalio import activity

from journey.contract import EntrantStart, Happened, Landing, Leave, Pages, Proposal, Record, Removal, RunStart, WindDownStart

__all__ = [
    "EntrantStart", "Happened", "Landing", "Leave", "Pages", "Proposal", "Reading", "Record", "Removal", "RunStart",
    "Stopping", "WindDownStart", "WindingDown",
]  # fmt: skip


class Stopping(ABC):
    """One stop of an entrant; and a word to the store that the next one is to be its last."""

    @abstractmethod
    @activity.defn(name="stop")
    async def stop(self, proposal: Proposal) -> Record: ...

    @abstractmethod
    @activity.defn(name="remove")
    async def remove(self, removal: Removal) -> None: ...


class Reading(ABC):
    """A run reads its segment page by page; its progress is in the store."""

    @abstractmethod
    @activity.defn(name="read_pages")
    async def read_pages(self, start: RunStart) -> Pages: ...


class WindingDown(ABC):
    """Ends everybody inside a version, a page at a time; returns how many are still inside."""

    @abstractmethod
    @activity.defn(name="wind_down_page")
    async def wind_down_page(self, start: WindDownStart) -> int: ...
