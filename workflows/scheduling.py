"""The schedules at the Temporal server, one for each journey that reads again and again. It knows no calendar: it is given the instants.

Each is told the next few instants, in UTC. The server's own calendars would leave out what clocks jump over, and do twice what they show
twice. What fires asks the store, so that one that fires too often, too late or never costs nothing but time (activities/scheduling.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.service import RPCError, RPCStatusCode

from journey import ids
from journey.contract import ScheduleStart
from journey.events import Instant
from workflows.asking import RPC, as_wanted, asked

_CATCH_UP = timedelta(hours=1)
"""A server that was down fires what it has missed by so much at the most; what is due the store knows."""


class Schedules:
    """The journeys' schedules. Each call raises Unavailable when the server cannot be reached."""

    def __init__(self, client: Client, task_queue: str = ids.TASK_QUEUE) -> None:
        self._client = client
        self._queue = task_queue

    async def keep(self, journey: str, instants: Sequence[Instant]) -> None:
        """Have the journey's schedule fire at these instants and no others; without any there is none. Safe to repeat. One that an
        engineer has paused stays paused."""
        if not instants:
            await self.drop(journey)
            return
        name = ids.schedule(journey)
        action = ScheduleActionStartWorkflow(
            "occurrence", ScheduleStart(journey), id=name, task_queue=self._queue, static_summary="what is due"
        )
        spec = ScheduleSpec(calendars=[_at(instant) for instant in instants], time_zone_name="UTC")
        policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=_CATCH_UP)
        wanted = Schedule(action, spec, policy)

        async def create() -> None:
            await self._client.create_schedule(name, wanted, rpc_timeout=RPC)

        async def update() -> None:
            await self._client.get_schedule_handle(name).update(as_wanted(wanted), rpc_timeout=RPC)

        try:
            await asked(create)
        except ScheduleAlreadyRunningError:
            await asked(update)

    async def drop(self, journey: str) -> None:
        """Take the journey's schedule away, if there is one."""

        async def delete() -> None:
            try:
                await self._client.get_schedule_handle(ids.schedule(journey)).delete(rpc_timeout=RPC)
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise

        await asked(delete)

    async def kept(self) -> list[str]:
        """The journeys that have a schedule at the server: its index, which lags by seconds."""

        async def listed() -> list[str]:
            names = [one.id async for one in await self._client.list_schedules(rpc_timeout=RPC)]
            return [journey for name in names if (journey := ids.journey_of_schedule(name)) is not None]

        return await asked(listed)


def _at(instant: Instant) -> ScheduleCalendarSpec:
    at = datetime.fromtimestamp(instant // 1_000_000, UTC)
    return ScheduleCalendarSpec(
        second=_only(at.second), minute=_only(at.minute), hour=_only(at.hour), day_of_month=_only(at.day), month=_only(at.month),
        year=_only(at.year),
    )  # fmt: skip


def _only(number: int) -> Sequence[ScheduleRange]:
    return [ScheduleRange(number)]
