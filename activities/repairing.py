"""Store and server are brought together again: people who should have gone on, and a comparison of all (D11).

What the store says counts. Somebody whose workflow runs and has nothing to do is told; whose workflow is not there is started again from
the last closed step, and so is whose workflow walks a version that the store does not have them in; whose workflow was ended from outside
ends. A workflow at work, or waiting for a worker, is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from temporalio import activity

from activities import scheduling
from journey import gate, ids
from journey.contract import EntrantStart, Happened, LeftAlone, Reconciled, ReconcilePage, Repaired, SweepStart
from journey.events import Instant
from store import adoption, dates, forgetting, idempotency, overdue, pausing, runs, sessions, settling, succeeding
from store.adoption import Running
from store.database import Database
from store.overdue import Owed
from store.terminating import end_terminated
from workflows.ports import Repairing
from workflows.standing import Beginning, Standing

T = TypeVar("T")
PAGE = 200
RETENTION_DAYS = 400
_PAGES_FORGOTTEN = 20
"""So many pages of each kind are forgotten by one sweep: 4,000 people in 30 s, which is more than enter."""
_AT_ONCE = 16
"""People who are asked about at the server at the same time."""
_SKEW = 60 * gate.MICROSECONDS
"""By so much may the clocks of store and server differ."""
_log = logging.getLogger("sojourn.repair")


class Workflows(Protocol):
    """The way to the workflows (workflows/client.py). `happened` and `leave` never raise."""

    async def start_again(self, start: EntrantStart, version_hash: str, *, instead: bool = False) -> None: ...

    async def start_run(self, run: str) -> None: ...

    async def wind_down(self, version: str, reason: str) -> None: ...

    async def release(self, version: str) -> None: ...

    async def wake(self, version: str) -> None: ...

    async def keep_schedule(self, journey: str, instants: Sequence[Instant]) -> None: ...

    async def scheduled(self) -> list[str]: ...

    async def happened(self, entrant: str, signal: Happened) -> None: ...

    async def leave(self, entrant: str, reason: str) -> None: ...


class Server(Protocol):
    """How workflows stand at the server (workflows/standing.py). Raises Unavailable when it cannot be reached."""

    async def standing(self, workflow: str) -> Standing: ...

    async def beginning(self, workflow: str) -> Beginning | None: ...

    async def broken_since(self, since: datetime) -> list[str]: ...

    async def running_page(self, token: str, most: int) -> tuple[list[str], str]: ...


class Repairs(Repairing):
    """Answers to the sweep and to the reconciliation."""

    def __init__(self, database: Database, workflows: Workflows, server: Server, *, retention_days: int = RETENTION_DAYS) -> None:
        self._database = database
        self._retention_days = retention_days
        self._workflows = workflows
        self._server = server

    # ---- the sweep -------------------------------------------------------------------------------------------------------------

    @activity.defn(name="sweep")
    async def sweep(self, start: SweepStart) -> Repaired:
        await self._serve_runs_and_versions()
        total = Repaired()
        patience = int(start.patience * gate.MICROSECONDS)
        while (most := min(PAGE, start.most - total.checked)) > 0:
            taken = await self._database.write(partial(overdue.take, patience=patience, most=most))
            total = total.plus(await self._all(taken, self._look_after))
            if len(taken) < most:
                break
        broken = await self._server.broken_since(datetime.now(UTC) - timedelta(seconds=start.back))
        for some in _parts(broken):
            owed = await self._database.read(partial(overdue.among, ids=some))
            total = total.plus(await self._all(owed, self._end_or_start))
        if start.patience >= 0:  # one on the schedule: at the start of a process there is more urgent work
            await self._forget()
        if total.told or total.started or total.ended:
            _log.info("Swept: %s", total.said())
        return total

    async def _serve_runs_and_versions(self) -> None:
        """What the clock brings to versions; then whatever should be under way. What is under way already is left as it is."""
        now = self._database.clock.now()
        for unit in await self._database.read(lambda connection: dates.due(connection, now)):
            await self._database.write(unit)
            activity.heartbeat()
        for run in await self._database.read(runs.reading):
            await self._workflows.start_run(run)
            activity.heartbeat()
        while await self._database.write(partial(settling.expire, most=PAGE)) == PAGE:
            activity.heartbeat()
        if await self._database.read(sessions.any_to_expire):
            await self._database.write(sessions.expire)
        for version, reason in await self._database.read(lambda connection: overdue.to_wind_down(connection, now)):
            await self._workflows.wind_down(version, "test_ended" if ids.is_test_version(version) else reason)
            activity.heartbeat()
        for version in await self._database.read(pausing.held_back):
            await self._workflows.release(version)
            activity.heartbeat()
        for version in await self._database.read(lambda connection: succeeding.to_wake(connection, now)):
            await self._workflows.wake(version)
            activity.heartbeat()
        await scheduling.serve_all(self._database, self._workflows, activity.heartbeat)

    async def _forget(self) -> None:
        """What is older than everything that anybody asks for, page by page and no more than some pages: the next sweep goes on."""
        while await self._database.write(partial(idempotency.forget, most=PAGE), rank=-1) == PAGE:
            activity.heartbeat()
        now = self._database.clock.now()
        before = await self._database.read(lambda connection: forgetting.horizon(connection, now, self._retention_days))
        for forget in forgetting.EACH:
            for _ in range(_PAGES_FORGOTTEN):
                gone = await self._database.write(partial(forget, before=before, most=PAGE), rank=-1)
                activity.heartbeat()
                if gone < PAGE:
                    break

    # ---- the comparison --------------------------------------------------------------------------------------------------------

    @activity.defn(name="reconcile_page")
    async def reconcile_page(self, page: ReconcilePage) -> Reconciled:
        if page.side == "store":
            if not page.after:
                await self._serve_runs_and_versions()
            owed = await self._database.read(lambda connection: overdue.page(connection, page.after, PAGE))
            repaired = await self._all(owed, self._wake if page.wake else self._end_or_start)
            if len(owed) == PAGE:
                return Reconciled(repaired, ReconcilePage("store", owed[-1].entrant, page.wake))
            return Reconciled(repaired, ReconcilePage("server", "", page.wake))
        listed, following = await self._server.running_page(page.after, PAGE)
        states = await self._database.read(lambda connection: overdue.states(connection, listed))
        over = [entrant for entrant in listed if states.get(entrant, "open") != "open"]
        repaired = await self._all(over, self._tell_that_it_is_over)
        repaired = repaired.plus(await self._adopt_all([entrant for entrant in listed if entrant not in states]))
        return Reconciled(repaired, ReconcilePage("server" if following else "", following, page.wake))

    async def _adopt_all(self, unknown: list[str]) -> Repaired:
        """Visibility lags: each is looked at before it counts as running."""
        found: list[Running] = []
        total = Repaired(checked=len(unknown))
        for entrant in unknown:
            activity.heartbeat()
            if (await self._server.standing(entrant)).state not in ("waiting", "busy"):
                continue
            began = await self._server.beginning(entrant)
            if began is None:
                why = "What it was started with cannot be read: terminate it in the Temporal UI."
                total = total.plus(Repaired(left_alone=1, left=[LeftAlone(entrant, "not_an_entrant", why)]))
            else:
                found.append(Running(began.entrant, began.version, began.hash, began.started_at))
        hidden = await self._database.read(lambda connection: adoption.hidden_keys(connection, found))
        return total.plus(await self._all(found, lambda running: self._adopt(running, hidden)))

    async def _adopt(self, running: Running, hidden: dict[str, str]) -> Repaired:
        refused = await self._database.write(lambda work: adoption.adopt(work, running, hidden))
        if refused is not None:
            return Repaired(left_alone=1, left=[refused])
        await self._workflows.leave(running.entrant, "")  # it asks the store, and goes on from what that says
        return Repaired(adopted=1)

    async def _tell_that_it_is_over(self, entrant: str) -> Repaired:
        """The store has its end, its workflow runs: an older server was restored, or the end did not reach it."""
        if (await self._server.standing(entrant)).state != "waiting":
            return Repaired(checked=1)
        await self._workflows.leave(entrant, "")
        return Repaired(checked=1, told=1)

    # ---- one person ------------------------------------------------------------------------------------------------------------

    async def _look_after(self, owed: Owed) -> Repaired:
        """Somebody overdue: told when the workflow runs. Told for the second time means that the workflow is to ask the store."""
        stands = await self._standing(owed)
        if stands.state != "waiting":
            return await self._by_standing(owed, stands)
        if owed.happened is not None and not owed.ending and not owed.again:
            await self._workflows.happened(owed.entrant, owed.happened)
        else:
            await self._workflows.leave(owed.entrant, owed.ending)
        return Repaired(checked=1, told=1)

    async def _wake(self, owed: Owed) -> Repaired:
        """Whatever the workflow thinks, it is to ask the store."""
        stands = await self._standing(owed)
        if stands.state != "waiting":
            return await self._by_standing(owed, stands)
        await self._workflows.leave(owed.entrant, owed.ending)
        return Repaired(checked=1, told=1)

    async def _end_or_start(self, owed: Owed) -> Repaired:
        """Somebody who may be as they should: only a workflow that does not run is seen to."""
        return await self._by_standing(owed, await self._standing(owed))

    async def _standing(self, owed: Owed) -> Standing:
        """How their workflow stands. It is astray when it walks a later version than the store has them in: an older database was restored,
        and what it knows is of steps that are not there; perhaps its version is not either, and then it cannot even ask."""
        stands = await self._server.standing(owed.entrant)
        if stands.state not in ("waiting", "busy") or not ids.is_later_version(stands.version, owed.version):
            return stands
        # Read again: a workflow goes on in another version after the commit that moved its person, so the store is never behind it.
        restart = await self._database.read(lambda connection: overdue.restart(connection, owed.entrant))
        if restart is None or not ids.is_later_version(stands.version, restart.start.version):
            return stands
        return replace(stands, state="astray")

    async def _by_standing(self, owed: Owed, stands: Standing) -> Repaired:
        if stands.state in ("busy", "waiting"):
            return Repaired(checked=1, busy=int(stands.state == "busy"))
        # Read again: a workflow's end comes after the commit of it, so whoever is still open now has really lost theirs.
        restart = await self._database.read(lambda connection: overdue.restart(connection, owed.entrant))
        if restart is None:
            return Repaired(checked=1)
        if stands.state == "broken" and stands.closed_at >= restart.entered_at - _SKEW:  # else it is that of an earlier entrance
            ended = await self._database.write(lambda work: end_terminated(work, owed.entrant))
            return Repaired(checked=1, ended=int(ended))
        if stands.state == "astray":
            _log.warning("%s walked %s and is in %s: started again there", owed.entrant, stands.version, restart.start.version)
        await self._workflows.start_again(restart.start, restart.hash, instead=stands.state == "astray")
        return Repaired(checked=1, started=1)

    async def _all(self, people: Iterable[T], serve: Callable[[T], Coroutine[Any, Any, Repaired]]) -> Repaired:
        """Serve them, a few at a time."""
        waiting = iter(people)
        total = Repaired()

        async def one_after_the_other() -> None:
            nonlocal total
            for person in waiting:
                served = await serve(person)
                total = total.plus(served)
                activity.heartbeat()

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(one_after_the_other())
        return total


def _parts(items: list[str]) -> list[list[str]]:
    return [items[at : at + PAGE] for at in range(0, len(items), PAGE)]
