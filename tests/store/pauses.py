"""Pausing, resuming and letting go on, as tests of pauses do it on a store inside one transaction."""

from __future__ import annotations

from typing import Any

from journey import lifecycle
from journey.contract import Proposal, Record
from journey.lifecycle import Pause
from journey.version import Version
from store import dates, pausing, schema, versions
from store.claims import Carrier, Policy
from store.pausing import Page, Paused, Resumed
from tests.builders import profile, use_case, use_case_messages
from tests.store.driver import LEASE, Driver, Store, let_in, publish

ADA = profile("ada")
GATE = "push-opened+email-opened"
VERSION = "thank-you@1"
SAFE = Policy({channel: Carrier(LEASE, idempotent=True) for channel in ("email", "push")})


def let_ada_in(store: Store, of: Version | None = None, **changed: Any) -> Driver:
    published = of or use_case()
    publish(store, published, use_case_messages())
    store.connection.execute(schema.journeys.insert(), {"id": published.journey.id})
    return let_in(store, published, [ADA], **changed)[0]


def pause(store: Store, what: Pause = "hold", journey: str = "thank-you", length: str = "P14D") -> Paused:
    return store.write(lambda work: pausing.pause(work, journey, what, lifecycle.pause_length(length)))


def resume(store: Store, journey: str = "thank-you", rate: int = 100) -> Resumed:
    return store.write(lambda work: pausing.resume(work, journey, rate))


def release(store: Store, version_id: str = VERSION, most: int = 10) -> Page:
    return store.write(lambda work: pausing.release(work, version_id, most))


def held(driver: Driver, proposal: Proposal | None = None) -> Record:
    """It is held, and nothing of a stop is written."""
    before = stops(driver.store)
    found = driver.open(proposal or driver.proposal())
    assert isinstance(found, Record)
    assert found.held
    assert not found.end
    assert stops(driver.store) == before
    return found


def stops(store: Store) -> list[Any]:
    return [store.rows(table) for table in (schema.steps, schema.deliveries, schema.facts)]


def clock_brings(store: Store) -> None:
    """What whoever looks regularly would do now."""
    for unit in dates.due(store.connection, store.clock.now()):
        store.write(unit)


def state(store: Store, version_id: str = VERSION) -> str:
    return versions.row(store.connection, version_id).state
