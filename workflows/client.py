"""How the outside speaks to the workflows: start, signal. Ids and names on the wire stand here and in journey/ids.py alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from journey import ids
from journey.contract import EntrantStart, Happened, Leave, ReleaseStart, Repaired, ResendStart, RunStart, WakeStart, WindDownStart
from journey.errors import Unavailable
from journey.events import Instant
from workflows import metrics
from workflows.attributes import JOURNEY, TEST, VERSION
from workflows.converter import VersionCodec, VersionRef
from workflows.scheduling import Schedules
from workflows.standing import Standings

_log = logging.getLogger("sojourn.workflows")
_RPC = timedelta(seconds=5)
_AWAY = (RPCError, RuntimeError)
"""How the SDK says that a call came to nothing: an answer of the server's, or a connection that a lazy client could not make."""
_TELLING = timedelta(seconds=30)
"""Nobody waits for a signal, and one that is lost leaves its person standing: a server that is merely slow gets its time."""


class TemporalWorkflows:
    """The real way to the workflows. `client` is connected to our namespace, with the data converter of workflows/converter.py."""

    def __init__(self, client: Client, task_queue: str = ids.TASK_QUEUE) -> None:
        self._client = client
        self._queue = task_queue
        self._standings = Standings(client)
        self._schedules = Schedules(client, task_queue)

    async def start_entrant(self, start: EntrantStart, version_hash: str) -> None:
        """Start the workflow of somebody admitted; already started is done (D8)."""
        arguments, queue = [start, VersionRef(version_hash)], await self._queue_of(version_hash)
        await self._start("entrant", start.entrant, start.version, arguments, start.place, queue=queue, eager=True)

    async def start_again(self, start: EntrantStart, version_hash: str, *, instead: bool = False) -> None:
        """Start the workflow of somebody open whose workflow is not there any more, or has ended; one that runs is left as it is, unless
        this one is to be there `instead`."""
        arguments, again = [start, VersionRef(version_hash)], WorkflowIDReusePolicy.ALLOW_DUPLICATE
        queue = await self._queue_of(version_hash)
        running = WorkflowIDConflictPolicy.TERMINATE_EXISTING if instead else WorkflowIDConflictPolicy.UNSPECIFIED
        await self._start("entrant", start.entrant, start.version, arguments, start.place, again, queue, running)

    async def start_run(self, run: str) -> None:
        """Start reading a run that the store says is to be read, whatever became of an earlier workflow of its id: terminated, or
        completed before an older database was restored. Raises Unavailable when the server cannot be reached."""
        again = WorkflowIDReusePolicy.ALLOW_DUPLICATE
        await self._start("read_segment", run, ids.journey_of_run(run), [RunStart(run)], "reads a segment", again)

    async def wind_down(self, version: str, reason: str) -> None:
        """Wake everybody inside a version so that they end. Raises Unavailable when the server cannot be reached."""
        name = ids.wind_down(version)
        await self._start("wind_down", name, version, [WindDownStart(version, reason)], reason, WorkflowIDReusePolicy.ALLOW_DUPLICATE)

    async def release(self, version: str) -> None:
        """Let those of a version go on whom a pause has held. Raises Unavailable when the server cannot be reached."""
        name = ids.release(version)
        await self._start("release", name, version, [ReleaseStart(version)], "the pause is over", WorkflowIDReusePolicy.ALLOW_DUPLICATE)

    async def wake(self, version: str) -> None:
        """Wake those of a version that was succeeded who wait for something else now. Raises Unavailable when the server cannot be
        reached."""
        name = ids.wake(version)
        await self._start("wake", name, version, [WakeStart(version)], "wait for something else", WorkflowIDReusePolicy.ALLOW_DUPLICATE)

    async def resend(self, start: ResendStart, version: str) -> None:
        """Send an uncertain delivery once more; already under way is done. Raises Unavailable when the server cannot be reached."""
        name, again = ids.resend(start.delivery, start.since), WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        await self._start("resend", name, version, [start], "sends once more", again)

    async def happened(self, entrant: str, signal: Happened) -> None:
        """Tell an entrant that its gate is decided. What cannot be told stays in the store and is served later."""
        await self._signal(entrant, "happened", signal)

    async def leave(self, entrant: str, reason: str) -> None:
        """Tell an entrant that it must end. What cannot be told stays in the store and is served later."""
        await self._signal(entrant, "leave", Leave(reason))

    async def keep_schedule(self, journey: str, instants: Sequence[Instant]) -> None:
        """Have the journey's schedule fire at these instants alone; without any there is none. Raises Unavailable."""
        await self._schedules.keep(journey, instants)

    async def scheduled(self) -> list[str]:
        """The journeys that have a schedule at the server. Raises Unavailable."""
        return await self._schedules.kept()

    async def reconcile(self, *, wake: bool) -> None:
        """Compare store and server whole, unless that is being done. Raises Unavailable when the server cannot be reached."""
        await self._standings.reconcile(wake=wake)

    async def reconciled(self) -> tuple[bool, Repaired] | None:
        """Whether the last comparison is over, and what it came to; None when there was none that the server remembers."""
        return await self._standings.reconciled()

    async def reachable(self) -> bool:
        """Does the server answer?"""
        try:
            return await self._client.service_client.check_health(timeout=_RPC)
        except _AWAY:
            return False

    async def _queue_of(self, version_hash: str) -> str:
        """The task queue of somebody who walks this version."""
        codec = self._client.data_converter.payload_codec
        journey = await codec.journey(version_hash) if isinstance(codec, VersionCodec) else None
        return ids.TRANSACTIONAL_QUEUE if journey is not None and journey.purpose == "transactional" else self._queue

    async def _start(
        self, workflow: str, workflow_id: str, about: str, arguments: list[object], summary: str,
        reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.REJECT_DUPLICATE, queue: str = "",
        running: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED, eager: bool = False,
    ) -> WorkflowHandle[object, object] | None:  # fmt: skip
        """`about` is the version, or the journey where only that is known; an engineer finds the workflow by either.

        Who is started `eager`ly gets the first task with the answer, where a worker of this process has a place for it: the server has one
        transaction less to make, and nobody's queue is gone through.
        """
        journey, at, _ = about.partition("@")
        test = SearchAttributePair(TEST, ids.is_test_version(about))
        attributes: list[SearchAttributePair[Any]] = [SearchAttributePair(JOURNEY, journey), test]
        if at:
            attributes.append(SearchAttributePair(VERSION, about))
        try:
            return await self._client.start_workflow(
                workflow,
                args=arguments,
                id=workflow_id,
                task_queue=queue or self._queue,
                id_reuse_policy=reuse,
                id_conflict_policy=running,
                search_attributes=TypedSearchAttributes(attributes),
                static_summary=summary,
                request_eager_start=eager,
                rpc_timeout=_RPC,
            )
        except WorkflowAlreadyStartedError:
            return None
        except _AWAY as error:
            raise Unavailable(f"The Temporal server did not take the start of {workflow_id}: {_why(error)}.") from error

    async def _signal(self, entrant: str, name: str, argument: Happened | Leave) -> None:
        try:
            await self._client.get_workflow_handle(entrant).signal(name, argument, rpc_timeout=_TELLING)
            metrics.SIGNALS.labels(name, "taken").inc()
        except _AWAY as error:
            if isinstance(error, RPCError) and error.status == RPCStatusCode.NOT_FOUND:
                metrics.SIGNALS.labels(name, "not_found").inc()
                _log.warning("%s is not known to the Temporal server, or has ended; the store goes on with it", entrant)
            else:
                metrics.SIGNALS.labels(name, "failed").inc()
                _log.warning("%s could not be told (%s); it is told later", entrant, _why(error))


def _why(error: Exception) -> str:
    """What the server said; when there is no connection the plain fact, because the SDK's own words for it are long."""
    return (error.message or error.status.name) if isinstance(error, RPCError) else "it cannot be reached"
