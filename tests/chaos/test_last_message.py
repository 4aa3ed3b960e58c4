"""While the last message of a crowd is on its way, everything that can come then comes: opens, clicks, removals, and an engineer's hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from demo.catchers import PushBehaviour
from journey import ids
from tests.chaos.conftest import FULL, ONLY_IN_FULL
from tests.chaos.ledger import Books
from tests.chaos.place import Place
from tests.chaos.tables import TABLES
from tests.e2e.world import JOURNEY, eventually

EACH = 20 if FULL else 1
HELD = 2.0
"""Seconds that the push service takes for each thank-you."""
_CLICK = re.compile(r'href="([^"]+/c/[^"]+)"')
_UNSUBSCRIBE = re.compile(r"<([^>]+/u/[^>]+)>")


class Hands:
    """What comes, one kind a method; each is given one person."""

    def __init__(self, place: Place, client: Client) -> None:
        self.place, self.client = place, client

    async def opens_late(self, key: str) -> None:
        await self.place.opens_email(key)

    async def clicks(self, key: str) -> None:
        mail = next(mail for mail in self.place.mail.messages if mail.to == f"{key}@people.example")
        found = _CLICK.search(mail.html)
        assert found is not None
        assert (await self.place.api.get(found[1], follow_redirects=False)).status_code in (302, 303, 307)

    async def is_removed(self, key: str) -> None:
        """Their profile is deleted: nothing more is known of them than what is on its way."""
        assert (await self.place.api.delete(f"/v1/profiles/{key}")).is_success

    async def unsubscribes(self, key: str) -> None:
        mail = next(mail for mail in self.place.mail.messages if mail.to == f"{key}@people.example")
        found = _UNSUBSCRIBE.search(mail.headers["List-Unsubscribe"])
        assert found is not None
        assert (await self.place.api.post(found[1])).is_success

    async def buys_again(self, key: str) -> None:
        await self.place.buys(key, f"again-{key}")

    async def is_cancelled(self, key: str) -> None:
        await self.client.get_workflow_handle(ids.entrant(JOURNEY, key, 1)).cancel()

    async def is_terminated(self, key: str) -> None:
        await self.client.get_workflow_handle(ids.entrant(JOURNEY, key, 1)).terminate("by hand")

    async def is_reset(self, key: str) -> None:
        handle = self.client.get_workflow_handle(ids.entrant(JOURNEY, key, 1))
        done = [
            one.event_id async for one in handle.fetch_history_events() if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        ]
        await self.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self.client.namespace, workflow_execution=WorkflowExecution(workflow_id=handle.id), reason="by hand",
                request_id=key, workflow_task_finish_event_id=done[0],
            )
        )  # fmt: skip

    async def gets_a_garbage_signal(self, key: str) -> None:
        handle = self.client.get_workflow_handle(ids.entrant(JOURNEY, key, 1))
        await handle.signal("happened", args=["not", {"what": "is meant"}, b"\x00\xff"])
        await handle.signal("happened", {"n": "three", "node": 7})

    async def gets_an_unknown_signal(self, key: str) -> None:
        await self.client.get_workflow_handle(ids.entrant(JOURNEY, key, 1)).signal("hurry-up", 1)


COMING = (
    Hands.opens_late, Hands.clicks, Hands.is_removed, Hands.unsubscribes, Hands.buys_again, Hands.is_cancelled, Hands.is_terminated,
    Hands.is_reset, Hands.gets_a_garbage_signal, Hands.gets_an_unknown_signal,
)  # fmt: skip
ENDS: dict[str, set[str]] = {"is_cancelled": {"finished", "removed"}, "is_terminated": {"finished", "terminated"}}
"""Where the hand of an engineer may be quicker than the answer of the push service, both are right."""


@ONLY_IN_FULL
@pytest.mark.timeout(400)
async def test_whatever_comes_while_the_last_message_is_on_its_way_it_goes_out_once_and_everybody_ends(place: Place, database: str) -> None:
    await place.sojourn.comes()
    await place.set_up()
    number = EACH * len(COMING)
    keys = await place.people(number)
    await place.publish()
    await place.wait_at("push-opened", number)
    for key in keys:
        await place.opens_push(key)
    await place.wait_at("purchase", number)
    client = await Client.connect(place.temporal.server.address, namespace=ids.NAMESPACE)
    hands = Hands(place, client)
    place.push.behave(PushBehaviour(delay=HELD))
    sent = len(place.push.pushes)
    come = [COMING[count % len(COMING)] for count in range(number)]
    await asyncio.gather(*(buys_and(place, hands, what, key, sent) for what, key in zip(come, keys, strict=True)))
    place.push.behave()
    await place.have_ended(number)

    books = await Books.read(place)
    assert await books.faults(place, members=keys) == []
    times = place.pushes_by_key()
    for what in COMING:
        people = [ids.entrant(JOURNEY, key, 1) for key, one in zip(keys, come, strict=True) if one is what]
        thanks = [row for row in books.deliveries.values() if row.entrant in people and row.node == "thanks"]
        ends = {books.entrants[one].end_reason for one in people}
        TABLES.add(
            "Comes while the last message is on its way", database=database, what=what.__name__.replace("_", " "), people=len(people),
            ended=", ".join(sorted(ends)), thanks_sent=len(thanks),
            thanks_called=sum(times[ids.delivery(row.entrant, row.n, "push")] for row in thanks),
        )  # fmt: skip
        assert [row.status for row in thanks] == ["sent"] * len(people), what.__name__
        assert ends <= ENDS.get(what.__name__, {"finished"}), what.__name__


async def buys_and(place: Place, hands: Hands, what: Callable[[Hands, str], Awaitable[None]], key: str, sent: int) -> None:
    """This person buys, and when their thank-you is at the push service, whose answer is awaited, the other thing comes."""
    await place.buys(key)

    async def on_its_way() -> bool:
        return any(push.body["tokens"] == [f"device-{key}"] for push in place.push.pushes[sent:])

    await eventually(on_its_way, bool, "the thank-you", 90)
    with suppress(RPCError):  # its workflow was quicker
        await what(hands, key)
