"""How workflows stand at the server, and how one that is not there is started again. It knows no store: what is to be done is decided
by whoever asks (activities/repairing.py)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from journey import ids
from journey.contract import EntrantStart, ReconcilePage, ReconcileStart, Repaired, SweepStart
from journey.events import Instant
from workflows.asking import AWAY, RPC, as_wanted, asked, unavailable
from workflows.attributes import VERSION
from workflows.converter import ENCODING

State = Literal["unknown", "waiting", "busy", "astray", "completed", "broken"]
"""Of a workflow: `waiting` runs and has nothing to do; `busy` runs and has, or waits for a worker; `completed` came to its end; `broken`
was ended from outside, or failed. `astray` runs, in a version in which the store does not have its person: whoever asks both says that."""

EVERY = timedelta(seconds=30)
"""How often the sweep runs."""
_LATE = timedelta(seconds=30)
"""A sweep that could not begin by then is left out: the next one finds the same people."""
_ENTRANTS = "WorkflowType = 'entrant'"
_BROKEN = "ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut', 'Canceled')"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the last workflow of an id stands; `closed_at` in microseconds by the server's clock, 0 while it runs. `version` is the one that
    it walks, empty where none is noted."""

    state: State
    closed_at: Instant = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an entrant's workflow was started with, and when that was. `hash` is that of its version."""

    entrant: str
    version: str
    hash: str
    started_at: Instant


class Standings:
    """The server as repair sees it. Each call raises Unavailable when it cannot be reached."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def standing(self, workflow: str) -> Standing:
        """How the last workflow of this id stands."""
        try:
            found = await self._client.get_workflow_handle(workflow).describe(rpc_timeout=RPC)
        except AWAY as error:
            if isinstance(error, RPCError) and error.status == RPCStatusCode.NOT_FOUND:
                return Standing("unknown")
            raise unavailable(error) from error
        if found.status == WorkflowExecutionStatus.RUNNING:
            at_work = found.raw_description.HasField("pending_workflow_task") or found.raw_description.pending_activities
            return Standing("busy" if at_work else "waiting", version=found.typed_search_attributes.get(VERSION) or "")
        over = found.status in (WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CONTINUED_AS_NEW)
        return Standing("completed" if over else "broken", _instant(found.close_time))

    async def beginning(self, workflow: str) -> Beginning | None:
        """What the last workflow of this id was started with; None when there is none, or it is no entrant's that can be read."""
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow), maximum_page_size=1
        )
        try:
            answer = await self._client.workflow_service.get_workflow_execution_history(request, timeout=RPC)
        except AWAY as error:
            if isinstance(error, RPCError) and error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise unavailable(error) from error
        event = answer.history.events[0]
        return await self._read(
            workflow, event.workflow_execution_started_event_attributes.input.payloads, event.event_time.ToMicroseconds()
        )

    async def _read(self, workflow: str, raw: Sequence[Payload], at: Instant) -> Beginning | None:
        """An input of ours, as every codec of the client reads it; the version is left as its hash."""
        converter = self._client.data_converter
        payloads = await converter.payload_codec.decode(raw) if converter.payload_codec is not None else raw
        if len(payloads) != 2 or payloads[1].metadata.get("encoding") != ENCODING.encode():
            return None
        try:
            start = converter.payload_converter.from_payload(payloads[0], EntrantStart)
        except Exception:  # whatever a converter may raise over bytes that anybody may have sent
            return None
        return (
            Beginning(workflow, start.version, payloads[1].data.decode(errors="replace"), at) if isinstance(start, EntrantStart) else None
        )

    async def broken_since(self, since: datetime) -> list[str]:
        """The ids of entrants' workflows that were ended from outside, or failed, since then: the server's index, which lags by seconds."""
        query = f"{_ENTRANTS} AND {_BROKEN} AND CloseTime > '{since.isoformat()}'"
        return await asked(lambda: self._ids(query))

    async def running_page(self, token: str, most: int) -> tuple[list[str], str]:
        """A page of ids of entrants' workflows that run, and the token of the next one, empty behind the last."""
        query = f"{_ENTRANTS} AND ExecutionStatus = 'Running'"
        listed = self._client.list_workflows(query, page_size=most, next_page_token=base64.b64decode(token) or None, rpc_timeout=RPC)
        await asked(lambda: listed.fetch_next_page(page_size=most))
        following = base64.b64encode(listed.next_page_token or b"").decode()
        return [one.id for one in listed.current_page or ()], following

    async def sweep_now(self, start: SweepStart) -> None:
        """Start a sweep at once. One that was asked for in this way and runs looks once more when it is over: it may be past what whoever
        asks now wants to have seen."""
        await self._start("sweep", start, ids.CATCH_UP, "what an earlier process left undone", "look_again")

    async def sweep_regularly(self, start: SweepStart, every: timedelta = EVERY) -> None:
        """Have the sweep started again and again by the server. Safe to repeat; one that an engineer has paused stays paused."""
        action = ScheduleActionStartWorkflow(
            "sweep", start, id=ids.SWEEP, task_queue=ids.TASK_QUEUE, static_summary="people who should have gone on"
        )
        spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every)])
        wanted = Schedule(action, spec, SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_LATE))

        async def create() -> None:
            await self._client.create_schedule(ids.SWEEP, wanted, rpc_timeout=RPC)

        async def update() -> None:
            await self._client.get_schedule_handle(ids.SWEEP).update(as_wanted(wanted), rpc_timeout=RPC)

        try:
            await asked(create)
        except ScheduleAlreadyRunningError:
            await asked(update)

    async def reconcile(self, *, wake: bool) -> None:
        """Compare store and server whole, unless that is being done."""
        start = ReconcileStart(ReconcilePage(wake=wake))
        await self._start("reconcile", start, ids.RECONCILE, "store and server are compared")

    async def reconciled(self) -> tuple[bool, Repaired] | None:
        """Whether the last comparison is over, and what it came to; None when there was none that the server remembers."""
        handle = self._client.get_workflow_handle(ids.RECONCILE, result_type=Repaired)
        stands = await self.standing(ids.RECONCILE)
        if stands.state == "unknown":
            return None
        if stands.state == "completed":
            return True, await asked(lambda: handle.result(rpc_timeout=RPC))
        try:
            found: Repaired = await handle.query("found", result_type=Repaired, rpc_timeout=RPC)
        except (RPCError, RuntimeError, WorkflowQueryFailedError):  # no worker is there to answer
            found = Repaired()
        return stands.state == "broken", found

    async def _start(self, workflow: str, start: SweepStart | ReconcileStart, name: str, summary: str, signal: str | None = None) -> None:
        async def call() -> None:
            await self._client.start_workflow(
                workflow, start, id=name, task_queue=ids.TASK_QUEUE, static_summary=summary, rpc_timeout=RPC,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal=signal,
            )  # fmt: skip

        await asked(call)

    async def _ids(self, query: str) -> list[str]:
        return [one.id async for one in self._client.list_workflows(query, rpc_timeout=RPC)]


def _instant(at: datetime | None) -> Instant:
    return int(at.timestamp() * 1_000_000) if at is not None else 0
