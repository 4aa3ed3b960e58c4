"""What the workflows may ask for. activities/ answers; the names on the wire are pinned, so that files can move."""

from __future__ import annotations

from abc import ABC, abstractmethod

from temporalio import activity

from journey.contract import (
    EntrantStart,
    Happened,
    Landing,
    Leave,
    Occurred,
    Pages,
    Proposal,
    Reconciled,
    ReconcilePage,
    Record,
    ReleaseStart,
    Removal,
    Repaired,
    ResendStart,
    RunStart,
    ScheduleStart,
    SweepStart,
    Told,
    WakeStart,
    WindDownStart,
)

__all__ = [
    "EntrantStart", "Happened", "Landing", "Leave", "Occurred", "Pages", "Proposal", "Reading", "ReconcilePage", "Reconciled", "Record",
    "ReleaseStart", "Removal", "Repaired", "Repairing", "ResendStart", "Resending", "RunStart", "ScheduleStart",
    "Scheduling", "Stopping", "SweepStart", "Telling", "Told", "WakeStart", "WindDownStart",
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


class Scheduling(ABC):
    """A journey's schedule has fired: what is due is begun, or on record as missed."""

    @abstractmethod
    @activity.defn(name="serve_occurrence")
    async def serve_occurrence(self, start: ScheduleStart) -> Occurred: ...


class Resending(ABC):
    """Sends an uncertain delivery once more, because somebody asked for it; returns how it then stands."""

    @abstractmethod
    @activity.defn(name="resend")
    async def resend(self, start: ResendStart) -> str: ...


class Telling(ABC):
    """Tells people of a version that the store has something new for them, a page at a time."""

    @abstractmethod
    @activity.defn(name="wind_down_page")
    async def wind_down_page(self, start: WindDownStart) -> int:
        """Everybody inside ends; returns how many were told."""

    @abstractmethod
    @activity.defn(name="release_page")
    async def release_page(self, start: ReleaseStart) -> Told:
        """Those go on whom a pause has held."""

    @abstractmethod
    @activity.defn(name="wake_page")
    async def wake_page(self, start: WakeStart) -> Told:
        """Those whose version was succeeded, and who wait for something else now, ask where they go on."""


class Repairing(ABC):
    """Brings store and server together again: people who are overdue, and a comparison of all, page by page."""

    @abstractmethod
    @activity.defn(name="sweep")
    async def sweep(self, start: SweepStart) -> Repaired: ...

    @abstractmethod
    @activity.defn(name="reconcile_page")
    async def reconcile_page(self, page: ReconcilePage) -> Reconciled: ...
