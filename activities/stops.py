"""A stop: open the step, send what is claimed, mark what came of it. Two commits, or one when there is nothing to send (D1, D2).

It runs first as a local activity, which has 1.2 s, then as an ordinary one with the provider's whole bound: the same function. A provider
that is slow is not tried on the fast path at all (activities/breaker.py), so that it holds up nobody whom it does not concern.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities import metrics, reviewing
from activities.breaker import Breaker, Pass
from activities.on_their_way import OnTheirWay
from activities.sending import Sending
from journey import calls, ids
from journey.contract import EntrantStart, Happened, Proposal, Record, Removal
from journey.errors import NotFound, RenderError, Unavailable
from store import messages
from store.admission import Start
from store.claims import Busy, pause
from store.closing import Mark, mark
from store.database import Database
from store.removal import tell
from store.steps import Opened, open_step
from store.work import Decided, Work
from workflows.ports import Stopping

FAST_SECONDS = 1.2
PATIENCE = 0.5
"""Seconds that the fast path waits for a place with a provider that has as many calls as it may: a healthy one is through by then."""
MOST_ORDINARY = 64
"""Stops on the durable path with one provider at a time; the worker's other activities must not wait for them."""
LONGEST_ORDINARY_WAIT = 30.0

_log = logging.getLogger("sojourn.stops")


class Telling(Protocol):
    """How others hear of what a stop has decided for them (workflows/client.py). Signals never raise, a start raises Unavailable: what
    could not be told is told later."""

    async def happened(self, entrant: str, signal: Happened) -> None: ...

    async def leave(self, entrant: str, reason: str) -> None: ...

    async def start_entrant(self, start: EntrantStart, version_hash: str) -> None: ...


class Stops(Stopping):
    """Answers to the entrant's workflow. One object serves a worker process; `drain` it before the process ends. Without `telling` those
    whom a stop moves beside its own are told by the sweep."""

    def __init__(
        self, database: Database, sending: Sending, *, consent_explicit: bool = False, telling: Telling | None = None
    ) -> None:  # fmt: skip
        self._telling = telling
        self._database = database
        self._sending = sending
        self._policy = sending.policy(consent_explicit=consent_explicit)
        self._on_their_way = OnTheirWay()
        self.breakers = {channel: Breaker() for channel in sending.providers}
        self.ordinary = Counter[str]()
        self._channels: dict[str, tuple[str, ...]] = {}  # of each message, as it was last seen
        self._priorities: dict[str, int] = {}  # of each journey, likewise

    @activity.defn(name="stop")
    async def stop(self, proposal: Proposal) -> Record:
        channels = await self._channels_of(proposal)
        if not activity.info().is_local:
            self._take_places(proposal, channels)
            return await self._on_their_way.attempt(self._in_its_place(proposal, channels), activity.heartbeat)
        good: dict[str, bool] = {}
        passes = await self._enter(proposal, channels)
        try:
            return await self._stop(proposal, good)
        finally:
            self._leave(passes, good)

    async def _tell(self, aside: list[object]) -> None:
        """What a step has written into a profile has moved another entrant of its person, or has let them in elsewhere."""
        assert self._telling is not None
        for one in aside:
            match one:
                case Decided(ends=""):
                    await self._telling.happened(one.entrant, Happened(one.n, one.node, one.source, one.event))
                case Decided():
                    await self._telling.leave(one.entrant, one.ends)
                case Start():
                    with contextlib.suppress(Unavailable):  # then the sweep does
                        await self._telling.start_entrant(one.entrant, one.hash)

    async def _in_its_place(self, proposal: Proposal, channels: tuple[str, ...]) -> Record:
        try:
            return await self._stop(proposal, {})
        finally:
            self.ordinary.subtract(channels)

    async def _stop(self, proposal: Proposal, good: dict[str, bool]) -> Record:
        """The stop itself. `good` learns of each channel that was tried on the fast path whether its provider is well."""
        rank = self._priorities.get(ids.journey_of(proposal.entrant), 0)
        aside: list[object] = []

        def unit(work: Work) -> Record | Opened | Busy:
            done = open_step(work, proposal, self._policy)
            aside[:] = work.aside  # of the last time, when it is run again
            return done

        reviewed = reviewing.Reviewed(self._database, self._sending)
        opened = await reviewed.open(proposal, lambda: self._policy.rates.write(self._database, unit, rank))
        if aside and self._telling is not None:
            self._on_their_way.beside(self._tell(aside))
        if isinstance(opened, Record):
            return opened
        if isinstance(opened, Busy) and opened.held:
            return _held(proposal, opened.held, opened.seconds)
        if isinstance(opened, Busy):
            raise again(f"{proposal.entrant} is being served, or waits for its turn at a provider", opened.seconds)
        self._priorities[opened.journey] = opened.priority
        if proposal.message:
            self._channels[proposal.message] = opened.document.channels
        return await self._send(proposal, opened, good)

    @activity.defn(name="remove")
    async def remove(self, removal: Removal) -> None:
        await self._database.write(lambda work: tell(work, removal.entrant, removal.reason))

    async def drain(self) -> None:
        """Wait for what is still on its way to a provider, so that its answer is marked."""
        await self._on_their_way.drain()

    async def _channels_of(self, proposal: Proposal) -> tuple[str, ...]:
        """The channels that the stop may send on. A message is looked up once a process; each opening tells how it is now.

        A webhook's call goes to the account of its host, which has a breaker and places of its own: one that is slow holds up no other.
        What is only tested takes nobody's place, and says nothing about a provider.
        """
        if ids.is_test(proposal.entrant):
            return ()
        if proposal.host and calls.CHANNEL in self._sending.providers:
            name = calls.account(proposal.host)
            self.breakers.setdefault(name, Breaker())
            return (name,)
        if not proposal.message:
            return ()
        known = self._channels.get(proposal.message)
        if known is None:
            try:
                known = (await self._database.read(lambda connection: messages.get(connection, proposal.message))).channels
            except NotFound:
                return ()  # taken away; the step may have been opened before
            self._channels[proposal.message] = known
        return tuple(channel for channel in known if channel in self.breakers and (not proposal.channels or channel in proposal.channels))

    def _take_places(self, proposal: Proposal, channels: tuple[str, ...]) -> None:
        """A place on the durable path with each provider; else come again later, less and less often, as nobody was asked."""
        if any(self.ordinary[channel] >= MOST_ORDINARY for channel in channels):
            wait = min(2.0 ** min(activity.info().attempt, 10), LONGEST_ORDINARY_WAIT)
            raise again(f"{proposal.entrant} waits for a place with a provider that is slow", wait)
        self.ordinary.update(channels)

    async def _enter(self, proposal: Proposal, channels: tuple[str, ...]) -> dict[str, Pass]:
        """A pass for each provider, or at once to the durable path: nothing is opened, and no try is counted."""
        passes: dict[str, Pass] = {}
        patient_until = time.monotonic() + PATIENCE
        for channel in channels:
            breaker = self.breakers[channel]
            given = breaker.enter(time.monotonic())
            while given is None and not breaker.is_open and time.monotonic() < patient_until:
                await asyncio.sleep(0.01)
                given = breaker.enter(time.monotonic())
            if given is None:
                self._leave(passes, {})
                raise again(f"{proposal.entrant} goes by the durable path: the provider of {channel} is slow", 0)
            passes[channel] = given
        return passes

    def _leave(self, passes: dict[str, Pass], good: dict[str, bool]) -> None:
        for channel, given in passes.items():
            self.breakers[channel].leave(given, time.monotonic(), good.get(channel))
            metrics.rests(channel, self.breakers[channel].is_open)

    async def _send(self, proposal: Proposal, opened: Opened, good: dict[str, bool]) -> Record:
        sent = [asyncio.create_task(self._sending.carry(claim, opened)) for claim in opened.claims]
        try:
            done, late = await asyncio.wait(sent, timeout=FAST_SECONDS if activity.info().is_local else None)
        except asyncio.CancelledError:
            self._mark_later(proposal, set(sent))
            raise
        self._mark_later(proposal, late)
        good.update((_account(proposal, claim.channel), False) for claim, call in zip(opened.claims, sent, strict=True) if call in late)
        marks = [call.result() for call in done if call.exception() is None]
        well = {_account(proposal, mark.channel): mark.status in ("sent", "failed") for mark in marks if mark.reason != RenderError.code}
        good.update(well)
        record = await self._mark(proposal, marks) if marks else None
        if record is not None:
            return record
        broken = [call.exception() for call in done if call.exception() is not None]
        if broken and not late:
            raise broken[0]  # type: ignore[misc]  # filtered above
        if opened.held and opened.look is not None and not late and all(mark.status != "claimed" for mark in marks):
            return _held(proposal, opened.held, opened.look)
        raise again(f"{proposal.entrant} has a delivery that is not finished", _next_look(opened, marks))

    async def _mark(self, proposal: Proposal, marks: list[Mark]) -> Record | None:
        return await self._on_their_way.write(partial(self._write, proposal, marks), proposal.entrant)

    async def _write(self, proposal: Proposal, marks: list[Mark]) -> Record | None:
        return await self._database.write(lambda work: mark(work, proposal, marks))

    def _mark_later(self, proposal: Proposal, calls: set[asyncio.Task[Mark]]) -> None:
        """A call that was begun is finished and marked, whoever waits for it or no longer does."""
        for call in calls:
            self._on_their_way.beside(self._finish(proposal, call))

    async def _finish(self, proposal: Proposal, call: asyncio.Task[Mark]) -> None:
        try:
            answer = await call
        except Exception:
            _log.exception("the provider of a delivery of %s broke; its lease decides", proposal.entrant)
            return
        await self._on_their_way.write_at_last(partial(self._write, proposal, [answer]), proposal.entrant)


def _account(proposal: Proposal, channel: str) -> str:
    """By which name breaker and places know whom a delivery goes to."""
    return calls.account(proposal.host) if proposal.host else channel


def _held(proposal: Proposal, said: str, seconds: float) -> Record:
    """The policies hold back what is left of the step, perhaps for days: the workflow sleeps, and nothing of ours waits."""
    return Record(proposal.n - 1, said=said, again=seconds)


def _next_look(opened: Opened, marks: list[Mark]) -> float:
    """The shortest pause that the store has written down after transient answers, or the next turn at a provider; else soon, since a
    call is still out."""
    tries = {claim.channel: claim.tries for claim in opened.claims}
    pauses = [max(pause(tries[mark.channel] + 1), mark.retry_after or 0) for mark in marks if mark.status == "claimed"]
    return min(pauses + ([opened.look] if opened.look is not None else []), default=1.0)


def again(why: str, seconds: float) -> ApplicationError:
    """Raise it to be tried again after so many seconds. Not a fault: the server's log need not show it."""
    delay = timedelta(seconds=max(seconds, 0.05))
    return ApplicationError(why, type="Again", next_retry_delay=delay, category=ApplicationErrorCategory.BENIGN)
