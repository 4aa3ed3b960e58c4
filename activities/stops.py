"""A stop: open the step, send what is claimed, mark what came of it. Two commits, or one when there is nothing to send (D1, D2).

It runs first as a local activity, which has 1.2 s, then as an ordinary one with the provider's whole bound: the same function.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.sending import Sending
from journey.contract import Proposal, Record, Removal
from journey.errors import Unavailable
from store.claims import Busy, pause
from store.closing import Mark, mark
from store.database import Database
from store.removal import tell
from store.steps import Opened, open_step
from workflows.ports import Stopping

FAST_SECONDS = 1.2
MARK_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0)
"""Seconds between attempts to write an answer down: about as long as a lease lasts, after which the next attempt decides without it."""

_log = logging.getLogger("sojourn.stops")


class Stops(Stopping):
    """Answers to the entrant's workflow. One object serves a worker process; `drain` it before the process ends."""

    def __init__(self, database: Database, sending: Sending, *, consent_explicit: bool = False) -> None:
        self._database = database
        self._sending = sending
        self._policy = sending.policy(consent_explicit=consent_explicit)
        self._on_their_way: set[asyncio.Task[None]] = set()

    @activity.defn(name="stop")
    async def stop(self, proposal: Proposal) -> Record:
        opened = await self._policy.rates.write(self._database, lambda work: open_step(work, proposal, self._policy))
        if isinstance(opened, Record):
            return opened
        if isinstance(opened, Busy):
            raise again(f"{proposal.entrant} is being served, or waits for its turn at a provider", opened.seconds)
        return await self._send(proposal, opened)

    @activity.defn(name="remove")
    async def remove(self, removal: Removal) -> None:
        await self._database.write(lambda work: tell(work, removal.entrant, removal.reason))

    async def drain(self) -> None:
        """Wait for what is still on its way to a provider, so that its answer is marked."""
        while self._on_their_way:
            await asyncio.wait(self._on_their_way)

    async def _send(self, proposal: Proposal, opened: Opened) -> Record:
        calls = [asyncio.create_task(self._sending.carry(claim, opened)) for claim in opened.claims]
        try:
            done, late = await asyncio.wait(calls, timeout=FAST_SECONDS if activity.info().is_local else None)
        except asyncio.CancelledError:
            self._mark_later(proposal, set(calls))
            raise
        self._mark_later(proposal, late)
        marks = [call.result() for call in done if call.exception() is None]
        record = await self._mark(proposal, marks) if marks else None
        if record is not None:
            return record
        broken = [call.exception() for call in done if call.exception() is not None]
        if broken and not late:
            raise broken[0]  # type: ignore[misc]  # filtered above
        raise again(f"{proposal.entrant} has a delivery that is not finished", _next_look(opened, marks))

    async def _mark(self, proposal: Proposal, marks: list[Mark]) -> Record | None:
        """Write answers down. When the database cannot just now, that is tried again: an answer is not lost."""
        try:
            return await self._database.write(lambda work: mark(work, proposal, marks))
        except Exception:
            self._beside(self._mark_at_last(proposal, marks))
            raise

    def _mark_later(self, proposal: Proposal, calls: set[asyncio.Task[Mark]]) -> None:
        """A call that was begun is finished and marked, whoever waits for it or no longer does."""
        for call in calls:
            self._beside(self._finish(proposal, call))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._on_their_way.add(task)
        task.add_done_callback(self._on_their_way.discard)

    async def _finish(self, proposal: Proposal, call: asyncio.Task[Mark]) -> None:
        try:
            answer = await call
        except Exception:
            _log.exception("the provider of a delivery of %s broke; its lease decides", proposal.entrant)
            return
        await self._mark_at_last(proposal, [answer])

    async def _mark_at_last(self, proposal: Proposal, marks: list[Mark]) -> None:
        for seconds in (*MARK_PAUSES, None):
            try:
                await self._database.write(lambda work: mark(work, proposal, marks))
            except Exception as error:
                if seconds is None or isinstance(error, Unavailable):
                    _log.exception("what became of a delivery of %s could not be written down; its lease decides", proposal.entrant)
                    return
                await asyncio.sleep(seconds)
            else:
                return


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
