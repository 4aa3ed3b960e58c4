"""Splits and waits until a time on real servers, each way out of them; the simulator goes the same way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from journey import lots
from tests.e2e.agreement import agrees
from tests.e2e.world import JOURNEY, World


async def test_a_split_divides_people_and_a_wait_until_a_field_is_over_for_each_at_their_own_time(here: World) -> None:
    entry = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "divide"}
    divide = {"id": "divide", "kind": "split", "shares": [
        {"id": "field", "percent": 50, "next": ["starts", "lamp"]}, {"id": "window", "percent": 50, "next": "hours"},
    ]}  # fmt: skip
    nodes: list[dict[str, Any]] = [
        {"id": "starts", "kind": "wait", "until": {"field": "profile.starts"}, "next": "end", "timeout": {"after": "PT3S", "next": "late"}},
        {"id": "lamp", "kind": "event", "event": "purchase", "next": "end"},
        {"id": "hours", "kind": "wait", "until": {"hours": "00:00-24:00", "zone": "profile"}, "next": "end"},
        {"id": "late", "kind": "end"},
    ]
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": [entry, divide, *nodes, {"id": "end", "kind": "end"}]})
    soon, tomorrow = datetime.now(UTC) + timedelta(seconds=2), datetime.now(UTC) + timedelta(days=1)
    people = {
        key_in(True, "comes"): ({"starts": soon.isoformat()}, ["divide:field", "starts:next"]),
        key_in(True, "waits"): ({"starts": tomorrow.isoformat()}, ["divide:field", "starts:timeout"]),
        key_in(True, "lacks"): ({}, ["divide:field", "starts:timeout"]),
        key_in(False, "open"): ({"timezone": "Europe/Zurich"}, ["divide:window", "hours:next"]),
    }
    for key, (attributes, _) in people.items():
        who = {"first_name": "Ada", "city": "Atlanta", "birth_year": 1990, "email": f"{key}@people.example"}
        await here.person(key, attributes=who | attributes)
    await here.publish()

    for key, (_, path) in people.items():
        assert await here.ends(key) == "finished"
        assert await here.path(key) == path
        await agrees(here, key)
    report = await here.report()
    assert report["differences"] == []
    by_node = {node["node"]: node for node in report["nodes"]}
    assert (by_node["divide"]["left"], by_node["divide"]["planned"]) == ({"field": 3, "window": 1}, {"field": 50, "window": 50})
    assert by_node["starts"]["no_time"] == 1


def key_in(first: bool, name: str) -> str:
    """A key that falls into the first half of the split, or into the second."""
    return next(key for number in range(99) if (lots.place(JOURNEY, "divide", key := f"{name}-{number}") < 0.5) is first)
