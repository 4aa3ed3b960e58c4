"""Signals that are wrong, late, repeated or many move nobody, and somebody cancelled in the Temporal UI ends as removed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowHandle
from temporalio.common import RawValue

from demo.catchers import MailBehaviour, PushBehaviour
from journey import ids
from journey.contract import Happened, Leave
from tests.e2e.agreement import agrees
from tests.e2e.world import JOURNEY, World, eventually
from workflows.converter import ENCODING

GATE = ("push-opened", "email-opened")
OPENED_PUSH = ["first:next", "push-opened:next", "purchase:next", "thanks:next"]
UNREADABLE = [
    RawValue(Payload(metadata={"encoding": b"binary/nonsense"}, data=b"\x00\xff")),
    RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{")),
    RawValue(Payload(metadata={"encoding": b"json/protobuf", "messageType": b"no.such.Thing"}, data=b"{}")),
    RawValue(Payload(metadata={"encoding": ENCODING.encode()}, data=b"no such hash")),
    RawValue(Payload(metadata={"encoding": ENCODING.encode()}, data=b"\xff")),
    RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"[" * 5_000)),
    RawValue(Payload()),
    "text", 7, None, [], ["a", "b"], {"n": "one"}, {"n": None}, {"n": 1.5}, {"n": 1, "node": 3},
]  # fmt: skip
UNTRUE = [
    {}, {"of": "no field of ours"}, Happened(), Happened(n=1), Happened(n=-1, node="purchase"), Happened(n=2, node="push-opened"),
    Happened(n=1, node="nowhere"), Happened(n=1, node="purchase"), Happened(n=1, node="push-opened", source="x", event="made-up"),
    Happened(n=10**18, node="push-opened"),
]  # fmt: skip


async def waiting(here: World) -> WorkflowHandle[Any, Any]:
    """Ada has been written to and waits for her opening something; her workflow."""
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at(*GATE)
    return here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1))


async def walks_on_as_ever(here: World, ada: WorkflowHandle[Any, Any], *, of_ours: int) -> None:
    """She still waits, and what she does then counts. Her history has so many events at most, signals and their tasks not counted."""
    await heard_all(ada)
    await here.waits_at(*GATE)
    await here.opens_push()
    await here.waits_at("purchase")
    await here.buys()

    assert await here.ends() == "finished"
    assert await here.path() == OPENED_PUSH
    assert len(here.mails()) == 1
    assert len(here.pushes()) == 2
    events = (await ada.fetch_history()).events
    assert len([event for event in events if event.event_type in OURS]) <= of_ours
    assert {event.workflow_task_failed_event_attributes.cause for event in events if event.event_type == TASK_OVER[1]} <= COME_AGAIN
    await agrees(here)


OURS = (EventType.EVENT_TYPE_MARKER_RECORDED, EventType.EVENT_TYPE_TIMER_STARTED, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
TASK_OVER = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)  # fmt: skip
COME_AGAIN = {
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
}
"""The server does not take the end of a task while signals have come meanwhile, and takes it away when there are many: no fault of ours."""
UNDISTURBED = 5
"""Three stops, and a timer at each of two gates."""


async def heard_all(ada: WorkflowHandle[Any, Any]) -> None:
    """Wait until no workflow task of hers is open: what was signalled has been looked at."""

    async def open_tasks() -> int:
        kinds = [event.event_type for event in (await ada.fetch_history()).events]
        return kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) - sum(kinds.count(kind) for kind in TASK_OVER)

    await eventually(open_tasks, lambda number: number == 0, "the end of her workflow tasks")


async def test_signals_that_cannot_be_read_have_no_effect(here: World) -> None:
    ada = await waiting(here)
    for name in ("happened", "leave"):
        for payload in UNREADABLE:
            await ada.signal(name, payload)
        await ada.signal(name)
        await ada.signal(name, args=["one", "too", "many"])

    as_leave = sum(isinstance(payload, dict) for payload in UNREADABLE)  # fields that are not ours are ignored: these say `leave`
    await walks_on_as_ever(here, ada, of_ours=UNDISTURBED + 2 * as_leave)


async def test_signals_that_say_what_is_not_so_have_no_effect(here: World) -> None:
    ada = await waiting(here)
    for untrue in UNTRUE:
        await ada.signal("happened", untrue)

    await walks_on_as_ever(here, ada, of_ours=UNDISTURBED + 2 * len(UNTRUE))


async def test_a_signal_of_another_name_has_no_effect(here: World) -> None:
    ada = await waiting(here)
    await ada.signal("purchase", {"paid": True})
    await ada.signal("Happened", args=[1, 2, 3])
    await ada.signal("\N{PILE OF POO}", UNREADABLE[0])

    await walks_on_as_ever(here, ada, of_ours=UNDISTURBED)


async def test_somebody_told_to_leave_whom_the_store_does_not_want_to_leave_stays(here: World) -> None:
    ada = await waiting(here)
    await ada.signal("leave", Leave("journey_stopped"))
    await ada.signal("leave", Leave("removed"))

    await walks_on_as_ever(here, ada, of_ours=UNDISTURBED + 2 * 2)


async def test_a_true_signal_that_comes_ten_times_counts_once_and_decides_no_later_gate(here: World) -> None:
    ada = await waiting(here)
    await here.opens_push()
    await here.waits_at("purchase")
    event = ids.reaction(ids.delivery(ada.id, 1, "push"), "opened")
    for _ in range(10):
        await ada.signal("happened", Happened(1, "push-opened", ids.REACTIONS, event))
        await ada.signal("happened", Happened(2, "purchase", ids.REACTIONS, event))
    await heard_all(ada)
    await here.waits_at("purchase")
    await here.buys()

    assert await here.ends() == "finished"
    assert await here.path() == OPENED_PUSH
    assert len(here.pushes()) == 2


@pytest.mark.parametrize("untrue", [Happened(0, "push-opened"), Happened(1, "push-opened", "x", "made-up"), Leave("removed")])
async def test_two_hundred_signals_at_once_have_no_effect(here: World, untrue: Happened | Leave) -> None:
    ada = await waiting(here)
    name = "leave" if isinstance(untrue, Leave) else "happened"
    await asyncio.gather(*(ada.signal(name, untrue) for _ in range(200)))

    await walks_on_as_ever(here, ada, of_ours=UNDISTURBED + 2 * 100)


async def test_somebody_cancelled_while_waiting_ends_as_removed(here: World) -> None:
    ada = await waiting(here)
    await ada.cancel()

    await ended_as_removed(here, ["first:next"])
    assert await here.discards() == {}
    await here.opens_push()
    await here.buys()
    assert await here.discards() == {"late": 1, "nobody_listening": 1}


@pytest.mark.parametrize("seconds", [0.8, 2.0])
async def test_somebody_cancelled_while_a_message_is_on_its_way_ends_as_removed_when_it_is_sent(here: World, seconds: float) -> None:
    here.push.behave(PushBehaviour(delay=seconds))
    await here.set_up()
    await here.person()
    await here.publish()
    await eventually(lambda: count(len(here.push.pushes)), bool, "the push on its way")
    await here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1)).cancel()

    await ended_as_removed(here, ["first:next"])
    assert [one["status"] for one in (await here.story())["deliveries"]] == ["sent", "sent"]
    assert len(here.mails()) == len(here.pushes()) == 1


async def test_somebody_cancelled_while_the_mail_server_does_not_want_the_mail_ends_as_removed_within_seconds(here: World) -> None:
    here.mail.behave(MailBehaviour(at="RCPT", answer="451 come back later"))
    await here.set_up()
    await here.person(consents={"push": False})
    await here.publish()
    await eventually(here.story, lambda story: bool(story) and any(one["tries"] > 1 for one in story["deliveries"]), "a second try")
    await here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1)).cancel()

    await ended_as_removed(here, ["first:next"])
    assert [(one["status"], one["reason"]) for one in (await here.story())["deliveries"]] == [
        ("excluded", "ended"),
        ("excluded", "no_consent"),
    ]
    assert here.mails() == []


@pytest.mark.parametrize("by", ["cancel", "stop"])
async def test_whoever_must_leave_does_not_wait_for_the_end_of_a_long_pause(here: World, by: str) -> None:
    here.push.behave(PushBehaviour(status=429, headers={"Retry-After": "3600"}))
    await here.set_up()
    await here.person(consents={"email": False})
    await here.publish()
    await eventually(here.story, lambda story: bool(story) and any(one["tries"] == 1 for one in story["deliveries"]), "the pause")
    ada = here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1))

    async def pauses() -> bool:
        return any(one.attempt > 1 for one in (await ada.describe()).raw_description.pending_activities)

    await eventually(pauses, bool, "the durable path in that pause")
    if by == "cancel":
        await ada.cancel()
        await ended_as_removed(here, ["first:next"])
    else:
        assert (await here.api.post(f"/v1/journeys/{JOURNEY}:stop")).is_success
        assert await here.ends() == "journey_stopped"
    assert [(one["status"], one["reason"]) for one in (await here.story())["deliveries"]] == [
        ("excluded", "no_consent"),
        ("excluded", "ended"),
    ]


async def test_somebody_who_is_removed_already_may_be_cancelled_again(here: World) -> None:
    ada = await waiting(here)
    await here.worker_goes()
    await ada.cancel()
    await ada.cancel()
    await ada.signal("leave", Leave("removed"))
    await here.worker_comes()

    await ended_as_removed(here, ["first:next"])


async def ended_as_removed(here: World, path: list[str]) -> None:
    assert await here.ends() == "removed"
    story = await here.story()
    assert story["entrant"]["end_reason"] == "removed"
    assert await here.path() == path
    report = await here.report()
    assert report["differences"] == []
    assert report["totals"]["inside"] == 0


async def count(number: int) -> int:
    return number
