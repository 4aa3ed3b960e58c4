"""Store and server have come apart: signals were lost, workflows ended by hand, deleted, reset, one of the two restored from a backup.

Nobody is lost: everybody ends where they should, nothing goes out twice that this store knows of, and the numbers agree.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from demo.temporal_cli import ensure
from demo.temporal_server import temporal_server
from journey import ids
from journey.contract import Happened, Repaired, SweepStart
from store import acceptance
from tests.e2e.world import JOURNEY, World, eventually, world
from workflows.standing import Standings

GATE = ("push-opened", "email-opened")
FIRST, FOLLOW_UP, THANKS = "Ada, we roasted one for Atlanta", "The Atlanta roast is still here", "Thank you, Ada!"


def workflow_of(here: World, key: str = "c-42", number: int = 1) -> WorkflowHandle[Any, Any]:
    return here.process.client.get_workflow_handle(ids.entrant(JOURNEY, key, number))


async def swept(here: World, *, patience: float = -3600.0 * 24 * 100) -> Repaired:
    """A sweep now, for which everybody is overdue: what a minute, or 91 days, would bring."""
    handle = await here.process.client.start_workflow(
        "sweep", SweepStart(patience=patience), id=f"{ids.SWEEP}-now", task_queue=ids.TASK_QUEUE, result_type=Repaired
    )
    found: Repaired = await handle.result()
    return found


async def reconciled(here: World, *, wake: bool = False) -> dict[str, Any]:
    """A comparison over the API, until it is over; returns what it came to."""
    asked = await here.api.post("/v1/reconcile", json={"wake": wake})
    assert asked.status_code == 202, asked.text

    async def look() -> dict[str, Any]:
        return dict((await here.api.get("/v1/reconcile")).json())

    return await eventually(look, lambda found: found["state"] == "done", "the end of the comparison", patience=60)


async def ada_waits(here: World) -> WorkflowHandle[Any, Any]:
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at(*GATE)
    return workflow_of(here)


async def deleted(here: World, key: str = "c-42") -> None:
    """As `temporal workflow delete` does."""
    client, handle = here.process.client, workflow_of(here, key)
    execution = WorkflowExecution(workflow_id=handle.id)
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    )

    async def gone() -> bool:
        try:
            await handle.describe()
        except RPCError as error:
            return error.status == RPCStatusCode.NOT_FOUND
        return False

    await eventually(gone, bool, "that the workflow is gone")


async def everybody_agrees(here: World, inside: int = 0) -> None:
    report = await here.report()
    assert report["differences"] == []
    assert report["totals"]["inside"] == inside


async def walks_to_the_end(here: World, key: str = "c-42") -> None:
    await here.opens_push(key)
    await here.waits_at("purchase", key=key)
    await here.buys(key)
    assert await here.ends(key) == "finished"


# ---- one person --------------------------------------------------------------------------------------------------------------------


async def test_somebody_whose_signal_was_lost_is_told(here: World) -> None:
    ada = await ada_waits(here)
    await here.process.database.write(lambda work: acceptance.react(work, f"{ada.id}.1.email", "opened"))  # and nobody signals
    found = await swept(here)

    assert (found.checked, found.told) == (1, 1)
    await here.waits_at("purchase")
    assert await here.path() == ["first:next", "email-opened:next"]
    await here.buys()
    assert await here.ends() == "finished"
    await everybody_agrees(here)


async def test_a_nudge_without_need_does_no_harm(here: World) -> None:
    await ada_waits(here)
    assert (await swept(here)).told == 1
    await here.waits_at(*GATE)
    assert (await swept(here)).checked == 0, "whoever was looked after is left in peace for a while"
    await walks_to_the_end(here)

    assert (here.mails(), len(here.pushes())) == ([FIRST], 2)
    await everybody_agrees(here)


async def test_somebody_whose_workflow_waits_for_a_worker_is_left_alone(here: World) -> None:
    ada = await ada_waits(here)
    await here.worker_goes()
    await here.opens_push()
    signals = await signals_to(ada)
    await here.worker_comes()
    stands = await Standings(here.process.client).standing(ada.id)
    assert stands.state in ("busy", "waiting")
    await here.waits_at("purchase")
    assert await signals_to(ada) == signals == 1


async def signals_to(handle: WorkflowHandle[Any, Any]) -> int:
    kinds = [event.event_type for event in (await handle.fetch_history()).events]
    return kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)


async def test_somebody_terminated_by_hand_ends_and_may_enter_again(here: World) -> None:
    ada = await ada_waits(here)
    await ada.terminate("an engineer wanted it so")
    await eventually(lambda: swept(here, patience=60), lambda found: found.ended == 1, "that the end is noticed")

    story = await here.story()
    assert (story["entrant"]["state"], story["entrant"]["end_reason"]) == ("ended", "terminated")
    await everybody_agrees(here)
    await here.opens_push()
    assert await here.discards() == {"late": 1}
    again = await here.api.post(f"/v1/journeys/{JOURNEY}/runs")
    assert again.status_code == 201, again.text
    await eventually(lambda: here.api.get(f"/v1/entrants/{ids.entrant(JOURNEY, 'c-42', 2)}"), lambda answer: answer.is_success, "her return")
    await everybody_agrees(here, inside=1)


async def test_somebody_whose_workflow_was_deleted_is_started_again_where_they_were(here: World) -> None:
    await ada_waits(here)
    await here.opens_push()
    await here.waits_at("purchase")
    await deleted(here)
    assert (await swept(here)).started == 1
    await here.buys()

    assert await here.ends() == "finished"
    assert await here.path() == ["first:next", "push-opened:next", "purchase:next", "thanks:next"]
    assert (here.mails(), here.pushes()) == ([FIRST], [FIRST_PUSH, THANKS])
    await everybody_agrees(here)


FIRST_PUSH = "A roast for Atlanta"


@pytest.mark.parametrize("at", ["the first task", "the gate", "the last task"])
async def test_somebody_whose_workflow_was_reset_gets_nothing_twice(here: World, at: str) -> None:
    ada = await ada_waits(here)
    await here.opens_push()
    await here.waits_at("purchase")
    done = [
        event.event_id
        for event in (await ada.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    client = here.process.client
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=ada.id), reason="by hand", request_id=at,
            workflow_task_finish_event_id={"the first task": done[0] - 1, "the gate": done[0], "the last task": done[-1]}[at],
        )
    )  # fmt: skip
    found = await swept(here)
    assert found.ended == 0
    await here.waits_at("purchase")
    await here.buys()

    assert await here.ends() == "finished"
    assert await here.path() == ["first:next", "push-opened:next", "purchase:next", "thanks:next"]
    assert (here.mails(), here.pushes()) == ([FIRST], [FIRST_PUSH, THANKS])
    await everybody_agrees(here)


async def test_a_run_whose_workflow_was_deleted_is_read_on(here: World) -> None:
    await here.set_up()
    await here.person()
    await here.worker_goes()
    run = await here.publish()
    await here.process.client.get_workflow_handle(run).terminate("by hand")
    await here.worker_comes()
    await swept(here)
    await here.waits_at(*GATE)
