"""Who waits at a node, until when: what the list shows is what the timers of their workflows are set to, on real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from tests.e2e.world import JOURNEY, World, eventually

PEOPLE = 12
END = {"id": "end", "kind": "end"}


@pytest.mark.behaviour(2)
async def test_each_deadline_that_is_shown_is_that_of_a_timer(here: World) -> None:
    entry = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "pause"}
    pause = {"id": "pause", "kind": "wait", "for": "P30D", "next": "end"}
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": [entry, pause, END]})
    keys = await here.people(PEOPLE)
    await here.publish()
    for key in keys:
        await here.waits_at("pause", key=key)

    listed = []
    cursor = ""
    while True:
        params = {"limit": "5"} | ({"cursor": cursor} if cursor else {})
        page = (await here.api.get(f"/v1/journeys/{JOURNEY}/nodes/pause/entrants", params=params)).json()
        listed += page["items"]
        if not page["next"]:
            break
        cursor = page["next"]
    assert len({one["entrant"] for one in listed}) == PEOPLE
    for one in listed:
        fires = await eventually(lambda one=one: timer(here, one["entrant"]), bool, "the timer")  # type: ignore[misc]
        assert fires is not None
        assert abs(fires - datetime.fromisoformat(one["until"])) < timedelta(seconds=5)


async def timer(here: World, entrant: str) -> datetime | None:
    """When the timer that a workflow has set fires, by the server's clock."""
    history = await here.process.client.get_workflow_handle(entrant).fetch_history()
    set_ = [event for event in history.events if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    if not set_:
        return None
    length = set_[-1].timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    return set_[-1].event_time.ToDatetime(UTC) + length
