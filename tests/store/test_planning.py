"""A plan over several versions: each is counted, and who goes on by an earlier publish is followed to where they end up."""

from __future__ import annotations

from typing import Any

from journey.succession import Succession
from store import journeys, planning
from store.database import Database
from tests import builders, stock

FLOW_IN = Succession(people="flow_in")
FINISH = Succession()


def lasting(days: int, **changed: Any) -> dict[str, Any]:
    """The use case whose gate times out after so many days."""
    nodes = builders.use_case_nodes()
    nodes[3]["timeout"]["after"] = f"P{days}D"
    return stock.use_case_document(nodes=nodes, **changed)


async def put(database: Database, document: dict[str, Any]) -> None:
    await database.write(lambda work: journeys.put_draft(work, "thank-you", document))


async def publish(database: Database, document: dict[str, Any], told: Succession) -> None:
    await put(database, document)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL, told))


async def planned(database: Database, told: Succession) -> dict[tuple[str, str], tuple[int, str, str]]:
    """Of each version and place with people: how many, what becomes of them, and in which version they go on."""
    now = database.clock.now()
    found = await database.read(lambda c: planning.plan(c, "thank-you", told, stock.PUBLIC_URL, now))
    return {
        (one.version, place.place): (place.people, place.destination.kind, place.to)
        for one in found.older
        for place in one.places
        if place.people
    }


async def two_versions(database: Database, told: Succession) -> None:
    """Two people at the gate of version 1, one at that of version 2, and another draft; version 1 was succeeded as told."""
    await database.write(stock.put_use_case)
    await publish(database, lasting(1), FINISH)
    await database.write(lambda work: stock.entrant(work, "a"))
    await database.write(lambda work: stock.entrant(work, "b"))
    await publish(database, lasting(2), told)
    await database.write(lambda work: stock.entrant(work, "c", version="thank-you@2"))
    await put(database, lasting(3))


GATE = "push-opened+email-opened"


async def test_those_who_were_to_finish_on_their_version_are_spoken_of_anew(database: Database) -> None:
    await two_versions(database, FINISH)
    assert await planned(database, FLOW_IN) == {
        ("thank-you@1", GATE): (2, "moves", "thank-you@3"),
        ("thank-you@2", GATE): (1, "moves", "thank-you@3"),
    }
    assert await planned(database, FINISH) == {
        ("thank-you@1", GATE): (2, "stays", ""),
        ("thank-you@2", GATE): (1, "stays", ""),
    }


async def test_those_who_are_to_go_on_in_the_next_version_go_on_from_there(database: Database) -> None:
    await two_versions(database, FLOW_IN)
    assert await planned(database, FLOW_IN) == {
        ("thank-you@1", GATE): (2, "moves", "thank-you@3"),
        ("thank-you@2", GATE): (1, "moves", "thank-you@3"),
    }
    assert await planned(database, FINISH) == {
        ("thank-you@1", GATE): (2, "moves", "thank-you@2"),
        ("thank-you@2", GATE): (1, "stays", ""),
    }
    leave = Succession(people="migrate", map={"push-opened": ":exit"})
    assert await planned(database, leave) == {
        ("thank-you@1", GATE): (2, "leaves", ""),
        ("thank-you@2", GATE): (1, "leaves", ""),
    }


async def test_people_in_a_test_are_not_counted(database: Database) -> None:
    await two_versions(database, FINISH)
    await database.write(lambda work: stock.entrant(work, "t", mode="test"))
    assert (await planned(database, FLOW_IN))["thank-you@1", GATE] == (2, "moves", "thank-you@3")
