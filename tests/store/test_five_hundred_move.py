"""Five hundred people at five nodes: what the plan counts is what comes of the publish, nobody is lost, nobody is written to twice."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from journey.contract import Record
from journey.segments import SegmentDocument
from journey.succession import Succession
from store import journeys, messages, planning, profiles, runs, schema, segments, versions
from store.admission import admit_page
from store.work import Work
from tests import stock
from tests.builders import message, profile, purchase
from tests.store.driver import Driver, Store, document
from tests.store.moves import check_all, woken

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
EACH = 100
ENTRY = {"id": "read", "kind": "read_segment", "segment": "everybody", "schedule": "manual", "next": "hello"}
WAITS = ("one", "two", "three", "four")
TOLD = Succession(people="migrate", map={"two": "three", "four": ":exit"}, rate=60)


def drawn(**lengths: str) -> dict[str, Any]:
    """A greeting, then one wait for a purchase after the other, each with its timeout, then a last message."""
    ways = [*lengths, "bye"]
    waits = [
        {"id": name, "kind": "event", "event": "purchase", "next": then, "timeout": {"after": lengths[name], "next": then}}
        for name, then in pairwise(ways)
    ]
    hello = {"id": "hello", "kind": "message", "message": "hello", "next": ways[0]}
    bye = {"id": "bye", "kind": "message", "message": "bye", "next": "end"}
    return {"id": "small", "namespace": "customer_id", "nodes": [ENTRY, hello, *waits, bye, {"id": "end", "kind": "end"}]}


OLD = drawn(one="P7D", two="P7D", three="P7D", four="P7D")
NEW = drawn(one="P5D", three="P7D", four="P7D")


def inside(store: Store) -> list[Driver]:
    """A hundred are at each node: the first have just been let in, the others wait."""

    def begin(work: Work) -> str:
        stock.surround(work)
        segments.put(work, SegmentDocument(id="everybody", rule="birth_year > 1900"))
        for name in ("hello", "bye"):
            messages.put(work, message(name, "email"))
        for number in range(5 * EACH):
            profiles.put(work, document(profile(f"p{number:03}")))
        journeys.put_draft(work, "small", OLD)
        journeys.publish(work, "small", stock.PUBLIC_URL)
        live = versions.row(work.connection, "small@1")
        return runs.start(work, live, versions.frozen_version(work.connection, live.hash).journey)

    run = store.write(begin)
    drivers: list[Driver] = []
    done = False
    while not done:
        admitted = store.write(lambda work: admit_page(work, run, crowd=5 * EACH))
        row = versions.row(store.connection, "small@1")
        journey = versions.frozen_version(store.connection, row.hash).journey
        drivers += [Driver(store, journey, start.entrant.entrant, Record(0, start.entrant.place)) for start in admitted.starts]
        done = admitted.done
    for number, driver in enumerate(drivers):
        for way in range(number // EACH):
            if driver.waits():
                driver.note(store.accept(purchase(f"{way}-{driver.entrant}"), driver.row().profile))
            driver.stop()
    return drivers


@pytest.mark.behaviour(7)
@pytest.mark.complaint(10)
def test_the_counts_of_a_plan_are_those_of_its_result(store: Store) -> None:
    drivers = inside(store)
    assert Counter(driver.row().place for driver in drivers) == dict.fromkeys(("hello", *WAITS), EACH)
    store.write(lambda work: journeys.put_draft(work, "small", NEW))
    plan = planning.plan(store.connection, "small", TOLD, stock.PUBLIC_URL, store.clock.now())
    (older,) = plan.older
    told = {one.place: (one.people, one.destination.kind, one.destination.place) for one in older.places if one.people}
    assert told == {
        "hello": (EACH, "moves", "hello"), "one": (EACH, "moves", "one"), "two": (EACH, "moves", "three"),
        "three": (EACH, "moves", "three"), "four": (EACH, "leaves", ""),
    }  # fmt: skip

    at = {driver.entrant: driver.row().place for driver in drivers}
    store.write(lambda work: journeys.publish(work, "small", stock.PUBLIC_URL, TOLD))
    while people := woken(store, "small@1"):
        assert len(people) <= 60, "no more in a second than was said"
        for driver in drivers:
            if driver.entrant in people:
                driver.stop(proposal=driver.asks())
        store.clock.instant += 1_000_000
    while going := [driver for driver in drivers if not driver.record.end]:  # the others go along at their next stop
        if not [driver for driver in going if not driver.waits()]:
            store.clock.instant = max(store.clock.instant, min(driver.row().due for driver in going))
        for driver in going:
            if not driver.waits() or driver.row().due <= store.clock.instant:
                driver.stop()
    became = Counter((at[row.id], row.version, row.end_reason) for row in store.rows(schema.entrants))
    assert became == {
        ("hello", "small@2", "finished"): EACH, ("one", "small@2", "finished"): EACH, ("two", "small@2", "finished"): EACH,
        ("three", "small@2", "finished"): EACH, ("four", "small@1", "journey_changed"): EACH,
    }  # fmt: skip
    written_to = Counter((row.entrant, row.message) for row in store.rows(schema.deliveries, status="sent"))
    assert set(written_to.values()) == {1}
    assert Counter(name for _, name in written_to) == {"hello": 5 * EACH, "bye": 4 * EACH}
    check_all(store, "small")
