"""Admission, arrival at a gate, an event, a removal and a write of a profile meet in one PostgreSQL, statement by statement, in every order
that lots draw.

An event has one effect whatever it meets, a gate is left one way, and nobody waits for anybody in a ring.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from journey import ids
from journey.contract import Proposal, Record
from journey.events import Event
from store import acceptance, admission, changes, closing, definitions, profiles, removal, runs, schema, steps, versions
from store.acceptance import Arrived
from store.engines import open_engine
from store.steps import Opened
from store.work import Work
from tests.builders import START, THANKS, message, profile, version
from tests.carts import CART, END, ENTRY, abandoned
from tests.databases import Databases
from tests.fakes import SettableClock
from tests.store.driver import AT_RISK, Driver, Store, check, document, let_in, publish, sent
from tests.store.turns import Table, Unit

TIMES = int(os.environ.get("INTERLEAVINGS", "300"))
"""Interleavings in all, a quarter of each kind. `make chaos` plays 10,000."""
SHOP = version(
    {"id": "one", "kind": "message", "message": "one", "next": ["opens", "buys"]},
    {"id": "opens", "kind": "reaction", "of": "one", "to": "email.opened", "next": "end", "timeout": {"after": "PT1H", "next": "end"}},
    {"id": "buys", "kind": "event", "event": "purchase", "next": "end"},
    {"id": "end", "kind": "end"},
)
WAITS_FOR_VIPS = abandoned(nodes=[{**ENTRY, "where": "profile.vip == true", "settle_for": "PT10M", "next": "end"}, END])
PEOPLE = [f"p{number:05}" for number in range(TIMES // 4)]


class Shop:
    """One journey in a database, and the table at which transactions meet."""

    def __init__(self, url: str) -> None:
        self.clock = SettableClock(START)
        self.lots = random.Random(20)
        self.table = Table(url, self.clock, 3)
        self.engine = open_engine(url)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """What is written in the block is committed when it is left."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield Store(connection, self.clock)

    def meet(self, *units: Unit) -> list[Any]:
        found = self.table.play(units, self.lots)
        for result in found:
            if isinstance(result, Exception):
                raise result
        return found

    def ends(self) -> None:
        self.table.ends()
        self.engine.dispose()


@pytest.fixture
def shop(databases: Databases) -> Iterator[Shop]:
    opened = Shop(databases.kept() + "?options=-c%20synchronous_commit%3Doff")  # what is asked here is not what a crash leaves
    with opened.store() as store:
        publish(store, SHOP, {"one": message("one", "email")})
    yield opened
    opened.ends()


def buys(person: str, event: str = "") -> Unit:
    arrived = Arrived(Event("shop", event or f"buy-{person}", "purchase", dict(THANKS)), "customer_id", person)
    return lambda work: acceptance.accept(work, arrived, acceptance.Policy())


def fills(person: str, event: str) -> Unit:
    arrived = Arrived(Event("shop", event, "cart_updated", {"cart": "A"}), "customer_id", person)
    return lambda work: acceptance.accept(work, arrived, acceptance.Policy())


def becomes(person: str, **attributes: Any) -> Unit:
    return lambda work: changes.patch(work, person, attributes=attributes).set_off


def opens(person: str) -> Unit:
    return lambda work: acceptance.react(work, ids.delivery(entrant(person), 1, "email"), "opened")


def removes(person: str) -> Unit:
    return lambda work: removal.tell(work, entrant(person), "removed")


def admits(run: str) -> Unit:
    return lambda work: admission.admit_page(work, run)


def proposes(proposal: Proposal) -> Unit:
    return lambda work: steps.open_step(work, proposal, AT_RISK)


def arrives(proposal: Proposal, opened: Opened) -> Unit:
    return lambda work: closing.mark(work, proposal, [sent(claim) for claim in opened.claims])


def entrant(person: str) -> str:
    return ids.entrant("small", person, 1)


def inside(shop: Shop) -> list[Driver]:
    with shop.store() as store:
        drivers: list[Driver] = []
        for start in range(0, len(PEOPLE), admission.PAGE):
            drivers += let_in(store, SHOP, [profile(name) for name in PEOPLE[start : start + admission.PAGE]])
    return drivers


def opened_for(shop: Shop) -> dict[str, tuple[Proposal, Opened]]:
    """Everybody's first step is open, and their mail on its way."""
    found: dict[str, tuple[Proposal, Opened]] = {}
    drivers = inside(shop)
    with shop.store() as store:
        for driver, name in zip(drivers, PEOPLE, strict=True):
            proposal = driver.proposal()
            opened = store.write(proposes(proposal))
            assert isinstance(opened, Opened)
            found[name] = proposal, opened
    return found


@pytest.mark.timeout(600)
def test_an_event_that_meets_an_admission_is_kept_for_it_or_nobodys_and_one_effect_it_has(shop: Shop) -> None:
    with shop.store() as store:
        work = Work(store.connection, shop.clock)
        profiles.put_all(work, [document(profile(name)) for name in PEOPLE])
        row = versions.row(store.connection, ids.version("small", 1))
        begun = [runs.start(work, row, SHOP.journey, [name]) for name in PEOPLE]
    for name, run in zip(PEOPLE, begun, strict=True):
        admitted, first, again = shop.meet(admits(run), buys(name), buys(name))
        assert [start.entrant.entrant for start in admitted.starts] == [entrant(name)]
        assert sorted([first.duplicate, again.duplicate]) == [False, True]
    with shop.store() as store:
        check(store, SHOP)
        effects = store.effects()
        kept = {row.event for row in store.rows(schema.kept)}
        assert all(effects["shop", f"buy-{name}"] == ("kept" if f"buy-{name}" in kept else "nobody_listening") for name in PEOPLE)


@pytest.mark.timeout(600)
def test_an_event_that_meets_an_arrival_at_its_gate_decides_it_whichever_is_first(shop: Shop) -> None:
    known: dict[str, str] = {}
    for name, (proposal, opened) in opened_for(shop).items():
        arrived, bought, reacted = shop.meet(arrives(proposal, opened), buys(name), opens(name))
        assert isinstance(arrived, Record)
        told = [decided.node for verdict in (bought, reacted) for decided in verdict.decided]
        decided_by = [arrived.node] if arrived.node else told
        assert len(decided_by) == 1, f"{name}: decided by {decided_by}"
        (known[entrant(name)],) = decided_by
    with shop.store() as store:
        assert {row.id: row.won_node for row in store.rows(schema.entrants)} == known
        check(store, SHOP)
        store.effects()


@pytest.mark.complaint(1)
@pytest.mark.timeout(600)
def test_an_event_a_timeout_and_a_removal_that_meet_leave_a_gate_one_way(shop: Shop) -> None:
    drivers = inside(shop)
    with shop.store() as store:
        for driver in drivers:
            driver.store = store
            driver.walk_to("opens+buys")
        due = {row.profile: row.due for row in store.rows(schema.entrants)}
    for driver, name in zip(drivers, PEOPLE, strict=True):
        shop.clock.instant = due[name] + shop.lots.choice((-1, 0, 1))
        proposal = driver.proposal()
        last = shop.lots.choice((opens(name), buys(name, f"again-{name}"), removes(name)))
        shop.meet(proposes(proposal), buys(name), last)
    with shop.store() as store:
        left = [step for step in store.rows(schema.steps) if step.n == 2]
        rows = {row.id: row for row in store.rows(schema.entrants)}
        assert len(rows) == len(PEOPLE)
        assert Counter(step.entrant for step in left) == Counter(row.id for row in rows.values() if row.state == "ended")
        assert not [step.entrant for step in left if rows[step.entrant].won_node], "left, and still decided"
        ways = {step.left for step in left} | {row.won_node or "waits" for row in rows.values()}
        check(store, SHOP)
        store.effects()
    assert ways == {"", "opens", "buys", "waits"}, "every way was gone by somebody: a removal, a timeout, an event; and some wait"


@pytest.mark.behaviour(16)
@pytest.mark.timeout(600)
def test_an_event_that_meets_the_write_which_it_waits_for_lets_in_whichever_is_first(shop: Shop) -> None:
    with shop.store() as store:
        publish(store, WAITS_FOR_VIPS, {})
        definitions.put(Work(store.connection, shop.clock), CART)
        profiles.put_all(Work(store.connection, shop.clock), [document(profile(name)) for name in PEOPLE])
    let_in_by: Counter[str] = Counter()
    for name in PEOPLE:
        filled, *written = shop.meet(fills(name, f"cart-{name}"), becomes(name, vip=True), becomes(name, city="Rome"))
        let_in_by.update(["the event" if filled.entered else "a write"])
        assert len(filled.entered) + sum(len(one.entered) for one in written) == 1
    with shop.store() as store:
        assert sorted(row.profile for row in store.rows(schema.entrants)) == PEOPLE
        assert store.rows(schema.discards) == store.rows(schema.settling) == []
    assert set(let_in_by) == {"the event", "a write"}
