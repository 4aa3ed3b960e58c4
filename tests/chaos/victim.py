"""Sojourn as a process that kills itself, with SIGKILL, at a named point of a stop. It is composed as every other, from the worker's root.

What it wraps is its own: the database, the providers and the activity it gives to the worker. Nothing in production code knows of it.
The environment says what is wanted (`wanted`); without it the process is an ordinary one whose providers have short bounds.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

from temporalio import activity

from activities.stops import Stops
from api_server import app_of, serving
from journey import ids
from journey.contract import Proposal, Record, SweepStart
from journey.messages import Rendered
from providers.port import Answer, Provider
from providers.push_http import HttpPushProvider
from providers.signing import derived
from providers.smtp import SmtpProvider
from providers.webhook import WebhookProvider
from settings import Settings, completed, load
from store import latest
from store.clock import SystemClock, wall
from store.database import Database, open_engine
from store.steps import Opened
from store.work import Work
from worker import Process, opened, taking_up, working

T = TypeVar("T")
POINTS = ("before_claim", "after_claim", "while_called", "after_accepted", "after_mark", "before_task_completes")
"""Where a stop can be struck, in its order. `while_called` is struck from outside, by whoever holds the provider's answer back."""
LONGEST_CALL = 4.0
"""Seconds: a lease is ten more, and a table of kills need not wait for the 30 of a real mail server."""
SWEEP = 3.0
"""Seconds, where a minute is usual: so that what only the sweep can mend is mended while a test waits. CHAOS_SWEEP=usual leaves it so."""


@dataclass
class Blade:
    """Holds everybody of `whose` who reaches `point`; when so many are there, the process is killed in the middle of them all.

    It waits until nobody else is in the middle of anything: each kill is to be seen on its own people alone.
    """

    point: str = ""
    whose: str = ""
    people: int = 1
    there: set[str] = field(default_factory=set)
    others: int = 0

    async def falls(self, point: str, entrant: str) -> None:
        if point != self.point or not self._means(entrant):
            return
        self.there.add(entrant)
        self._fall()
        await asyncio.Event().wait()

    @contextmanager
    def beside(self, entrant: str) -> Iterator[None]:
        """Somebody is in the middle of something while the block runs."""
        own = self._means(entrant)
        self.others += not own
        try:
            yield
        finally:
            self.others -= not own
            self._fall()

    def _means(self, entrant: str) -> bool:
        return bool(self.point) and f"~{self.whose}" in entrant

    def _fall(self) -> None:
        if self.point and len(self.there) >= self.people and not self.others:
            os.killpg(os.getpgrp(), signal.SIGKILL)


@dataclass
class _Stop:
    entrant: str
    opened: bool = False


_STOP: ContextVar[_Stop | None] = ContextVar("stop", default=None)


class StruckDatabase(Database):
    """The database of another, struck around the commits of a stop."""

    def __init__(self, real: Database, blade: Blade) -> None:
        self._real, self._blade = real, blade
        self.__dict__ |= {name: value for name, value in vars(real).items() if not name.startswith("_")}

    async def write(self, unit: Callable[[Work], T], rank: int = 0) -> T:
        stop = _STOP.get()
        if stop is None:
            return await self._real.write(unit, rank)
        if not stop.opened:
            await self._blade.falls("before_claim", stop.entrant)
        done = await self._real.write(unit, rank)
        if stop.opened:
            await self._blade.falls("after_mark", stop.entrant)
        elif isinstance(done, Opened):
            stop.opened = True
            await self._blade.falls("after_claim", stop.entrant)
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


class StruckProvider:
    """The provider of another, struck when it has an answer that nobody has written down."""

    def __init__(self, real: Provider, blade: Blade) -> None:
        self._real, self._blade = real, blade
        self.channel, self.name = real.channel, real.name
        self.idempotent, self.longest_call = real.idempotent, real.longest_call

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        entrant = ids.read_delivery(delivery).entrant
        with self._blade.beside(entrant):
            answer = await self._real.deliver(delivery, message)
            await self._blade.falls("after_accepted", entrant)
            return answer

    async def close(self) -> None:
        await self._real.close()


class StruckStops(Stops):
    """The activity, struck when it is done and Temporal does not know yet."""

    blade = Blade()

    @activity.defn(name="stop")
    async def stop(self, proposal: Proposal) -> Record:
        _STOP.set(_Stop(proposal.entrant))
        with self.blade.beside(proposal.entrant):
            record = await super().stop(proposal)
            await self.blade.falls("before_task_completes", proposal.entrant)
            return record


def moved(file: Path, settings: Settings) -> SystemClock:
    """The clock of a machine that somebody has set: as many seconds off as the file says at any moment."""
    engine = open_engine(settings.database)
    least = latest.instant(engine)
    engine.dispose()
    return SystemClock(wall=lambda: wall() + int(float(file.read_text()) * 1_000_000), least=least)


@dataclass(frozen=True)
class Wanted:
    """What the environment asks for: which parts (api, worker), where the blade falls, whose clock."""

    parts: tuple[str, ...]
    blade: Blade
    clock: Path | None


def wanted() -> Wanted:
    said = os.environ.get
    blade = Blade(said("CHAOS_POINT", ""), said("CHAOS_WHOSE", ""), int(said("CHAOS_PEOPLE", "1")))
    return Wanted(tuple(said("CHAOS_PARTS", "api,worker").split(",")), blade, Path(clock) if (clock := said("CHAOS_CLOCK")) else None)


@asynccontextmanager
async def struck(settings: Settings, want: Wanted) -> AsyncIterator[Process]:
    """A process that is open, with everything that a stop passes through in the blade's way."""
    providers: dict[str, Provider] = {
        "email": StruckProvider(SmtpProvider(settings.smtp_url, longest_call=LONGEST_CALL, connections=16), want.blade),
        "push": StruckProvider(HttpPushProvider(settings.push_url, longest_call=LONGEST_CALL), want.blade),
        "webhook": StruckProvider(
            WebhookProvider([derived(settings.secret)], private=[ip_network("127.0.0.1")], longest_call=LONGEST_CALL), want.blade
        ),
    }
    clock = moved(want.clock, settings) if want.clock else None
    async with opened(settings, providers=providers, clock=clock, lazy="worker" not in want.parts) as process:
        stops = StruckStops(StruckDatabase(process.database, want.blade), process.sending)
        stops.blade = want.blade
        try:
            yield replace(process, stops=stops)
        finally:
            await stops.drain()


async def run(settings: Settings, want: Wanted) -> None:
    """Serve until SIGTERM."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    async with AsyncExitStack() as there:
        process = await there.enter_async_context(struck(settings, want))
        if "api" in want.parts:
            await there.enter_async_context(serving(app_of(process), settings.api_host, settings.api_port))
        if "worker" in want.parts:
            await there.enter_async_context(working(process))
            if os.environ.get("CHAOS_SWEEP") != "usual":
                await taking_up(process).sweep_regularly(SweepStart(patience=SWEEP), timedelta(seconds=SWEEP))
        await asked.wait()


if __name__ == "__main__":
    asyncio.run(run(completed(load()), wanted()))
    os._exit(0)
