"""What stands in for the world in tests: a clock set by hand, a way to the workflows that only writes down what was asked, and what the
workflows ask for, held up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from temporalio import activity

from journey.contract import EntrantStart, Happened, Reconciled, ReconcilePage, Repaired, ResendStart, SweepStart
from journey.errors import Unavailable
from workflows.ports import Repairing
from workflows.standing import Beginning, Standing


class SettableClock:
    """A clock that stands still until a test moves it; microseconds."""

    def __init__(self, instant: int = 1_000_000) -> None:
        self.instant = instant

    def now(self) -> int:
        return self.instant


class ShiftedClock:
    """A clock that goes as the machine's does, and so far ahead of it as a test has moved it; microseconds."""

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> int:
        return time.time_ns() // 1000 + self.ahead

    def move_to(self, instant: int) -> None:
        self.ahead += instant - self.now()


@dataclass
class FakeWorkflows:
    """Records what the workflows were asked for. `up` False is a Temporal server that cannot be reached.

    `lost` is one that goes away between the question whether it is there and the call.
    """

    up: bool = True
    lost: bool = False
    runs: list[str] = field(default_factory=list)
    started: list[tuple[EntrantStart, str]] = field(default_factory=list)
    signals: list[tuple[str, Happened]] = field(default_factory=list)
    leaving: list[tuple[str, str]] = field(default_factory=list)
    winding_down: list[tuple[str, str]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    instead: list[str] = field(default_factory=list)
    """Those who were started though their workflow ran."""
    resends: list[tuple[ResendStart, str]] = field(default_factory=list)
    comparisons: list[bool] = field(default_factory=list)
    schedules: dict[str, tuple[int, ...]] = field(default_factory=dict)
    repaired: Repaired = field(default_factory=Repaired)

    async def start_run(self, run: str) -> None:
        self._need_the_server()
        self.runs.append(run)

    async def start_entrant(self, start: EntrantStart, version_hash: str) -> None:
        self._need_the_server()
        self.started.append((start, version_hash))

    async def start_again(self, start: EntrantStart, version_hash: str, *, instead: bool = False) -> None:
        await self.start_entrant(start, version_hash)
        self.instead += [start.entrant] * instead

    async def happened(self, entrant: str, signal: Happened) -> None:
        if self.up:
            self.signals.append((entrant, signal))

    async def leave(self, entrant: str, reason: str) -> None:
        if self.up:
            self.leaving.append((entrant, reason))

    async def wind_down(self, version: str, reason: str) -> None:
        self._need_the_server()
        self.winding_down.append((version, reason))

    async def wake(self, version: str) -> None:
        self._need_the_server()
        self.woken.append(version)

    async def release(self, version: str) -> None:
        self._need_the_server()
        self.released.append(version)

    async def resend(self, start: ResendStart, version: str) -> None:
        self._need_the_server()
        self.resends.append((start, version))

    async def keep_schedule(self, journey: str, instants: Sequence[int]) -> None:
        self._need_the_server()
        self.schedules.pop(journey, None)
        if instants:
            self.schedules[journey] = tuple(instants)

    async def scheduled(self) -> list[str]:
        self._need_the_server()
        return list(self.schedules)

    async def reconcile(self, *, wake: bool) -> None:
        self._need_the_server()
        self.comparisons.append(wake)

    async def reconciled(self) -> tuple[bool, Repaired] | None:
        self._need_the_server()
        return (True, self.repaired) if self.comparisons else None

    async def reachable(self) -> bool:
        return self.up

    def _need_the_server(self) -> None:
        if not self.up or self.lost:
            raise Unavailable("The Temporal server cannot be reached; try again in a moment.")


@dataclass
class FakeServer:
    """A Temporal server on which every workflow stands at its timer, and none was ended from outside. All of them walk this version."""

    version: str = ""

    async def standing(self, workflow: str) -> Standing:
        return Standing("waiting", version=self.version)

    async def beginning(self, workflow: str) -> Beginning | None:
        return None

    async def broken_since(self, since: datetime) -> list[str]:
        return []

    async def running_page(self, token: str, most: int) -> tuple[list[str], str]:
        return [], ""


class HeldRepairs(Repairing):
    """Sweeps that begin, and are over when a test lets them go on."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()

    @activity.defn(name="sweep")
    async def sweep(self, start: SweepStart) -> Repaired:
        self.begun += 1
        await self.go_on.wait()
        return Repaired(checked=1)

    @activity.defn(name="reconcile_page")
    async def reconcile_page(self, page: ReconcilePage) -> Reconciled:
        return Reconciled(Repaired(), page)
