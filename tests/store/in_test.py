"""The use case put into test on a store, and the people in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from journey import ids
from journey.contract import Record
from journey.profiles import Profile
from journey.version import Session
from store import (
    journeys,
    profiles,
    schema,
    session_entering,
    session_events,
    session_starting,
    versions,
)
from store.acceptance import Verdict
from store.admission import admit_page
from store.claims import Carrier
from store.session_entering import Entered
from store.session_events import Fired
from store.session_starting import Started
from tests import stock
from tests.builders import THANKS, profile
from tests.store.driver import AT_RISK, LEASE, Driver, Store, document

JOURNEY = "thank-you"
GATE = "push-opened+email-opened"
POLICY = replace(AT_RISK, inbox={"email": Carrier(LEASE, idempotent=True), "push": Carrier(LEASE, idempotent=True)})


def a_tester(profile_id: str = "tess", **attributes: Any) -> Profile:
    return profile(profile_id, test=True, **attributes)


def put(store: Store, *people: Profile) -> None:
    for person in people:
        store.write(lambda work, who=person: profiles.put(work, document(who)))  # type: ignore[misc]


def drafted(store: Store, *people: Profile) -> None:
    store.write(stock.put_use_case)
    put(store, *people)


def start(store: Store, **session: Any) -> Started:
    return store.write(lambda work: session_starting.start(work, JOURNEY, Session(**session), stock.PUBLIC_URL))


def enter(store: Store, *profile_ids: str) -> Entered:
    return store.write(lambda work: session_entering.enter(work, JOURNEY, profile_ids))


def enter_up_to(store: Store, most: int) -> Entered:
    return store.write(lambda work: session_entering.enter_up_to(work, JOURNEY, most))


def drivers(store: Store, entered: Entered) -> list[Driver]:
    frozen = versions.frozen_version(store.connection, versions.row(store.connection, entered.version).hash)
    return [Driver(store, frozen.journey, one.entrant.entrant, Record(0, one.entrant.place), POLICY) for one in entered.starts]


def fire(store: Store, event_id: str = "e-1", profile_id: str = "tess", **fired: Any) -> Verdict:
    of = {"definition": "purchase", "data": THANKS} | fired
    return store.write(lambda work: session_events.fire(work, JOURNEY, Fired(event_id, profile=profile_id, **of)))[1]


def publish(store: Store) -> str:
    """Publish, and let in whoever is to be let in; returns the version."""
    published = store.write(lambda work: journeys.publish(work, JOURNEY, stock.PUBLIC_URL))
    run = published.run
    assert run is not None
    store.write(lambda work: admit_page(work, run))
    return published.version


def live_driver(store: Store, key: str) -> Driver:
    frozen = versions.frozen_version(store.connection, versions.row(store.connection, f"{JOURNEY}@1").hash)
    return Driver(store, frozen.journey, ids.entrant(JOURNEY, key, 1), Record(0, "first"), POLICY)


def codes(store: Store) -> list[tuple[str, str]]:
    return [(row.profile, row.code) for row in store.rows(schema.discards)]


def modes(store: Store) -> set[str]:
    return {row.mode for row in store.rows(schema.counters)}


def replace_ask(driver: Driver) -> Any:
    """What the workflow of somebody proposes who was told to leave."""
    proposal = driver.proposal()
    proposal.landings, proposal.left, proposal.exit, proposal.node, proposal.message = {}, "", "", "", ""
    return proposal


def waiting_for_a_purchase(store: Store) -> Driver:
    """Tess waits for a purchase."""
    drafted(store, a_tester(), profile("ada"))
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    tess.walk_to("purchase")
    return tess
