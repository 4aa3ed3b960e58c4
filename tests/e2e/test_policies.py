"""What policies hold back sleeps in its workflow, and goes when its time comes; nothing of ours waits meanwhile."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError

from commands import why
from journey import ids
from tests.e2e.world import JOURNEY, World, eventually
from worker import make_worker

TWICE: dict[str, Any] = {
    "id": JOURNEY, "namespace": "customer_id", "nodes": [
        {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "first"},
        {"id": "first", "kind": "message", "message": "first-message", "next": "again"},
        {"id": "again", "kind": "message", "message": "first-message", "next": "end"},
        {"id": "end", "kind": "end"},
    ],
}  # fmt: skip


async def held_to(here: World, within: str) -> None:
    await here.set_up(journey=TWICE)
    await here.put("/v1/policies", {"caps": [{"id": "mails", "channels": "email", "most": 1, "within": within, "then": "wait"}]})
    await here.person()
    await here.publish()


async def waiting(here: World) -> None:
    """Wait until the second mail is held back, and its push is out."""

    async def stands() -> dict[str, tuple[str, str, bool]]:
        items = (await here.api.get("/v1/deliveries", params={"journey": JOURNEY})).json()["items"]
        return {one["channel"]: (one["status"], one["reason"], bool(one["not_before"])) for one in items if one["node"] == "again"}

    wanted = {"email": ("claimed", "capped", True), "push": ("sent", "", False)}
    await eventually(stands, lambda found: found == wanted, "a mail that waits beside a push that does not")


async def test_a_mail_that_a_cap_holds_back_goes_when_the_window_frees(here: World) -> None:
    await held_to(here, "PT3S")
    await waiting(here)
    assert await here.ends() == "finished"

    assert await here.path() == ["first:next", "again:next"]
    assert (len(here.mails()), len(here.pushes())) == (2, 2)
    items = (await here.api.get("/v1/deliveries", params={"journey": JOURNEY})).json()["items"]
    assert {(one["node"], one["channel"], one["status"], one["reason"]) for one in items} == {
        (node, channel, "sent", "") for node in ("first", "again") for channel in ("email", "push")
    }
    history = await here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1)).fetch_history()
    kinds = [event.event_type for event in history.events]
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in kinds
    assert kinds.count(EventType.EVENT_TYPE_TIMER_FIRED) == 1
    assert len(kinds) <= 15
    assert sum(event.ByteSize() for event in history.events) < 5000


async def test_whoever_is_taken_out_does_not_wait_for_their_turn_under_a_cap(here: World) -> None:
    await held_to(here, "P1D")
    await waiting(here)
    story = await here.story()
    said = list(why.sentences(story | {"heard": []}))
    until = next(one["not_before"] for one in story["deliveries"] if one["reason"] == "capped")
    assert said[-1] == f"  Its email waits until {until}: a place under a frequency cap."
    await here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1)).cancel()

    assert await here.ends() == "removed"
    assert (len(here.mails()), len(here.pushes())) == (1, 2)
    assert (await here.report())["differences"] == []


async def test_people_in_a_transactional_journey_have_a_task_queue_of_their_own(here: World) -> None:
    """While nobody serves it they wait at the server; a worker that does takes them up, and serves nobody else."""
    await here.set_up(journey={**TWICE, "class": "transactional"})
    await here.put("/v1/messages/first-message", {"class": "transactional", "push": {"title": "Your parcel", "body": "It is here."}})
    await here.person()
    await here.publish()
    handle = here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1))

    async def queue() -> str:
        try:
            return (await handle.describe()).task_queue
        except RPCError:
            return ""

    await eventually(queue, lambda found: found == ids.TRANSACTIONAL_QUEUE, "the workflow on its own task queue")
    assert here.pushes() == []
    async with make_worker(here.process, task_queue=ids.TRANSACTIONAL_QUEUE):
        assert await here.ends() == "finished"
    assert here.pushes() == ["Your parcel", "Your parcel"]
