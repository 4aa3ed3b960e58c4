"""Store and server have come apart: signals were lost, workflows ended by hand, deleted, reset, one of the two restored from a backup.

Nobody is lost: everybody ends where they should, nothing goes out twice that this store knows of, and the numbers agree.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.repairing import Repairs
from demo.temporal_cli import ensure
from demo.temporal_server import temporal_server
from journey import ids
from journey.contract import Repaired, SweepStart
from store import acceptance
from tests.e2e.world import JOURNEY, World, eventually, world
from workflows.attributes import VERSION
from workflows.standing import Standings

LONG = 100.0 * 86400
"""Seconds: more than anybody may be inside."""
GATE = ("push-opened", "email-opened")
FIRST, FOLLOW_UP, THANKS = "Ada, we roasted one for Atlanta", "The Atlanta roast is still here", "Thank you, Ada!"


def workflow_of(here: World, key: str = "c-42", number: int = 1) -> WorkflowHandle[Any, Any]:
    return here.process.client.get_workflow_handle(ids.entrant(JOURNEY, key, number))


async def swept(here: World, *, patience: float = -LONG) -> Repaired:
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
    await at_rest(here)
    return workflow_of(here)


async def at_rest(here: World, key: str = "c-42") -> None:
    """The commit that the store shows is a little earlier than the end of the task that made it."""
    look = Standings(here.process.client).standing
    await eventually(lambda: look(workflow_of(here, key).id), lambda stands: stands.state == "waiting", "that the workflow waits")


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
    await at_rest(here)
    await here.waits_at(*GATE)
    assert (await swept(here)).checked == 0, "whoever was looked after is left in peace for a while"
    await walks_to_the_end(here)

    assert (here.mails(), len(here.pushes())) == ([FIRST], 2)
    await everybody_agrees(here)


async def test_somebody_whose_workflow_waits_for_a_worker_is_left_alone(here: World) -> None:
    ada = await ada_waits(here)
    await here.worker_goes()
    await here.opens_push()
    process = here.process
    repairs = Repairs(process.database, process.workflows, Standings(process.client))
    found: Repaired = await ActivityEnvironment().run(repairs.sweep, SweepStart(patience=-LONG))

    assert (found.checked, found.busy, found.told) == (1, 1, 0)
    assert await signals_to(ada) == 1
    await here.worker_comes()
    await here.waits_at("purchase")


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
    await eventually(
        lambda: here.api.get(f"/v1/entrants/{ids.entrant(JOURNEY, 'c-42', 2)}"), lambda answer: answer.is_success, "her return"
    )
    await everybody_agrees(here, inside=1)


@pytest.mark.complaint(5)
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


@pytest.mark.parametrize("at", ["the first task", "the last task"])
async def test_somebody_whose_workflow_was_reset_gets_nothing_twice(here: World, at: str) -> None:
    ada = await ada_waits(here)
    await here.opens_push()
    await here.waits_at("purchase")
    done = [
        event.event_id for event in (await ada.fetch_history()).events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    client = here.process.client
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=ada.id), reason="by hand", request_id=at,
            workflow_task_finish_event_id={"the first task": done[0], "the last task": done[-1]}[at],  # as UI and command line have them
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


# ---- all compared ------------------------------------------------------------------------------------------------------------------


async def test_a_comparison_of_what_agrees_changes_nothing(here: World) -> None:
    await ada_waits(here)
    found = await reconciled(here)

    assert (found["checked"], found["told"], found["started"], found["ended"], found["left"]) == (1, 0, 0, 0, [])
    await at_rest(here)
    assert (await reconciled(here, wake=True))["told"] == 1
    await walks_to_the_end(here)
    assert (here.mails(), here.pushes()) == ([FIRST], [FIRST_PUSH, THANKS])
    await everybody_agrees(here)


# ---- one of the two restored -------------------------------------------------------------------------------------------------------


def copied(source: Path, target: Path) -> None:
    """As `sqlite3 SOURCE ".backup TARGET"` does, while somebody writes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(source) as here, sqlite3.connect(target) as there:
        here.backup(there)
    here.close()
    there.close()


def remembered(later: World, earlier: World) -> None:
    """The messages that people got before are still on their devices."""
    later.push.pushes[:0] = earlier.push.pushes
    later.mail.messages[:0] = earlier.mail.messages


async def admitted_anew(here: World, *keys: str) -> None:
    """Another run lets in whoever is not inside; these are waited for at the first gate."""
    assert (await here.api.post(f"/v1/journeys/{JOURNEY}/runs", json={"profiles": list(keys)})).status_code == 201
    for key in keys:
        await here.waits_at(*GATE, key=key)


async def three_places(here: World) -> None:
    """Ada waits to open, Bob to buy, Cem has bought."""
    await here.set_up()
    for key in ("ada", "bob", "cem"):
        await here.person(key)
    await here.publish()
    for key in ("ada", "bob", "cem"):
        await here.waits_at(*GATE, key=key)
    for key in ("bob", "cem"):
        await here.opens_push(key)
        await here.waits_at("purchase", key=key)
    await here.buys("cem")
    await here.ends("cem")


async def time_goes_on(here: World, *more: str) -> None:
    """Ada opens, Bob buys, others come."""
    await admitted_anew(here, *more)
    await here.opens_push("ada")
    await here.waits_at("purchase", key="ada")
    await here.buys("bob")
    assert await here.ends("bob") == "finished"


HIDDEN = "dan@people.example"


@pytest.mark.timeout(240)
async def test_yesterdays_database_beside_todays_server_loses_nobody(tmp_path: Path) -> None:
    async with temporal_server(ensure()) as server:
        async with world(tmp_path / "today", beside=server) as before:
            await three_places(before)
            for key in ("eve", HIDDEN):
                await before.person(key, attributes={"city": "Atlanta", "birth_year": 1985, "email": "x@people.example"})
            copied(tmp_path / "today" / "sojourn.db", tmp_path / "restored" / "sojourn.db")
            await before.person("new")
            await time_goes_on(before, "eve", HIDDEN, "new")
        async with world(tmp_path / "restored", beside=server) as after:
            remembered(after, before)
            assert (await after.story("eve")) == {}, "the database knows nothing of her"
            found = await reconciled(after, wake=True)
            assert (found["adopted"], found["left_alone"]) == (2, 1)
            assert [(one["id"], one["code"]) for one in found["left"]] == [("thank-you~new~1", "profile_unknown")]
            await after.person("new")
            assert (await reconciled(after))["adopted"] == 1

            # what happened since is forgotten, so people stand where they stood, and walk on from there
            await after.waits_at("purchase", key="bob")
            for key in ("ada", "eve", HIDDEN, "new"):
                await after.waits_at(*GATE, key=key)
                await after.opens_push(key)
                await after.waits_at("purchase", key=key)
            for key in ("ada", "bob", "eve", HIDDEN, "new"):
                await after.buys(key, message_id=f"again-{key}")
                assert await after.ends(key) == "finished"
            await everybody_agrees(after)
            assert (await after.report())["totals"]["finished"] == 6
            assert (await reconciled(after))["checked"] == 0
            await after.replay("restored", await after.workflows())


@pytest.mark.timeout(240)
async def test_who_was_carried_over_since_the_backup_is_in_the_version_of_the_restored_database_again(tmp_path: Path) -> None:
    """The database has never heard of the version that her workflow walks, nor of its graph."""
    async with temporal_server(ensure()) as server:
        async with world(tmp_path / "today", beside=server) as before:
            await ada_waits(before)
            copied(tmp_path / "today" / "sojourn.db", tmp_path / "restored" / "sojourn.db")
            await before.set_up(timeout="PT12H")
            answer = await before.api.post(f"/v1/journeys/{JOURNEY}:publish", json={"people": "flow_in"})
            assert answer.json()["succeeded"] == ["thank-you@1"], answer.text
            await eventually(lambda: walks(before), lambda version: version == "thank-you@2", "going on in the new version")
            await at_rest(before)
        async with world(tmp_path / "restored", beside=server) as after:
            remembered(after, before)
            assert (await reconciled(after, wake=True))["started"] == 1
            assert await walks(after) == "thank-you@1"
            await at_rest(after)
            assert (await reconciled(after))["started"] == 0
            await walks_to_the_end(after)
            assert (after.mails(), after.pushes()) == ([FIRST], [FIRST_PUSH, THANKS])
            await everybody_agrees(after)


async def walks(here: World) -> str | None:
    """The version that her workflow walks, as the server has it."""
    return (await workflow_of(here).describe()).typed_search_attributes.get(VERSION)


@pytest.mark.timeout(240)
async def test_an_empty_server_beside_todays_database_starts_everybody_where_they_were_and_repeats_nothing(tmp_path: Path) -> None:
    async with temporal_server(ensure()) as server, world(tmp_path, beside=server) as before:
        await three_places(before)
        await before.person("eve")
        await time_goes_on(before, "eve")
    async with temporal_server(ensure()) as empty, world(tmp_path, beside=empty) as after:
        remembered(after, before)
        assert (await reconciled(after))["started"] == 2
        await nobody_is_written_to_twice(after)


@pytest.mark.timeout(240)
async def test_yesterdays_server_beside_todays_database_repeats_nothing(tmp_path: Path) -> None:
    file = tmp_path / "server" / "temporal.db"
    file.parent.mkdir()
    async with temporal_server(ensure(), file=file) as server, world(tmp_path, beside=server) as before:
        await three_places(before)
        await before.person("eve")
        copied(file, tmp_path / "copy" / "temporal.db")
        await time_goes_on(before, "eve")
    async with temporal_server(ensure(), file=tmp_path / "copy" / "temporal.db") as server, world(tmp_path, beside=server) as after:
        remembered(after, before)
        found = await reconciled(after, wake=True)
        assert (found["started"], found["left_alone"]) == (1, 0)
        await nobody_is_written_to_twice(after)
        await eventually(workflow_of(after, "bob").describe, lambda found: bool(found.close_time), "Bob's end")


async def nobody_is_written_to_twice(after: World) -> None:
    await after.waits_at("purchase", key="ada")
    await after.waits_at(*GATE, key="eve")
    await after.opens_push("eve")
    await after.waits_at("purchase", key="eve")
    for key in ("ada", "eve"):
        await after.buys(key)
        assert await after.ends(key) == "finished"
    await everybody_agrees(after)
    assert (await after.report())["totals"]["finished"] == 4
    assert after.mails() == [FIRST] * 4
    assert sorted(after.pushes()) == [FIRST_PUSH] * 4 + [THANKS] * 4
