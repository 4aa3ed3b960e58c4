"""What a history weighs does not depend on how large the journey is: the version travels as its hash, a step as its own few words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from commands import folder
from journey import ids
from tests.e2e.world import EXAMPLE, World

SMALL, LARGE = "way-of-08", "way-of-50"
A_FEW_BYTES = 40
"""Instants and seconds are written with more digits or fewer."""


@pytest.mark.complaint(24)
async def test_a_person_in_a_journey_of_fifty_nodes_leaves_as_much_as_in_one_of_eight(here: World) -> None:
    await here.set_up(journey=journey(SMALL, 8))
    await here.put(f"/v1/journeys/{LARGE}", journey(LARGE, 50))
    await here.person()
    sizes: dict[str, tuple[int, int]] = {}
    for name in (SMALL, LARGE):
        await here.publish(name)
        await here.waits_at("push-opened", "email-opened", journey=name)
        await opens_email(here, name)
        await here.waits_at("purchase", journey=name)
        await here.buys(message_id=f"buys-in-{name}")
        assert await here.ends(journey=name) == "finished"
        assert await here.path(journey=name) == ["first:next", "email-opened:next", "purchase:next", "thanks:next"]
        found = await here.process.client.get_workflow_handle(ids.entrant(name, "c-42", 1)).describe()
        sizes[name] = found.history_length, found.raw_description.workflow_execution_info.history_size_bytes

    (small_events, small), (large_events, large) = sizes[SMALL], sizes[LARGE]
    assert small_events == large_events
    assert abs(small - large) <= A_FEW_BYTES, sizes
    assert small < 4500


def journey(name: str, size: int) -> dict[str, Any]:
    """The example; on the way of whoever opens nothing stand as many waits more as it takes."""
    document: dict[str, Any] = json.loads(json.dumps(folder.read(EXAMPLE).journeys["thank-you"].source.data))
    nodes: list[dict[str, Any]] = document["nodes"]
    waits = [f"pause-{number}" for number in range(size - len(nodes))]
    for pause, following in zip(waits, [*waits[1:], "purchase"], strict=False):
        nodes.append({"id": pause, "kind": "wait", "for": "PT1H", "next": following})
    if waits:
        next(node for node in nodes if node["id"] == "follow-up")["next"] = waits[0]
    assert len(nodes) == size
    return document | {"id": name, "name": name}


async def opens_email(here: World, name: str) -> None:
    delivery = ids.delivery(ids.entrant(name, "c-42", 1), 1, "email")
    token = here.process.sending.signer.sign("o", delivery)
    answer = await here.api.get(f"/o/{token}.gif")
    assert answer.status_code == 200, answer.text
