"""An event that overtakes the profile that its journey asks for waits for it: it lets in once, or is on record as what did not settle."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from journey import ids
from journey.events import Event
from journey.version import Version
from store import acceptance, changes, definitions, identify, profiles, schema, settling, versions
from store.acceptance import Arrived, Verdict
from store.changes import SetOff
from store.database import Database
from store.versions import VersionRow
from store.work import Work
from tests.builders import MINUTE, START
from tests.carts import CART, END, ENTRY, abandoned
from tests.fakes import SettableClock
from tests.store.test_write_then_event import person

TIMES = int(os.environ.get("INTERLEAVINGS", "1000"))
"""Meetings of an event and a write on both databases. `make chaos` plays 10,000."""
MEETINGS = {"sqlite": TIMES * 4 // 5, "postgresql": TIMES // 5}
AT_ONCE = 100
VIP = {**ENTRY, "where": "profile.vip == true", "settle_for": "PT10M", "next": "end"}


def live(work: Work, of: Version | None = None, number: int = 1) -> None:
    of = of or abandoned(nodes=[VIP, END])
    versions.keep(work, of)
    versions.insert(work, VersionRow(ids.version("abandoned", number), "abandoned", number, of.hash, "live", START))
    definitions.put(work, CART)


@pytest.fixture
async def processes(database: Database, address: str, kind: str, clock: SettableClock) -> AsyncIterator[list[Database]]:
    """One that has the file to itself; on PostgreSQL three."""
    clock.instant = START
    opened = [database, *(Database(address, clock) for _ in range(2 if kind == "postgresql" else 0))]
    await database.write(live)
    yield opened
    for one in opened[1:]:
        await one.close()


@pytest.fixture
async def ada(processes: list[Database]) -> Database:
    """The database with somebody who is no vip."""
    await processes[0].write(lambda work: changes.put(work, person("ada")))
    return processes[0]


async def fills(database: Database, key: str = "ada", number: int = 1) -> Verdict:
    cart = Arrived(Event("shop", f"cart-{number}-of-{key}", "cart_updated", {"cart": "A"}), "customer_id", key)
    return await database.write(lambda work: acceptance.accept(work, cart, acceptance.Policy()))


async def becomes(database: Database, key: str = "ada", **attributes: Any) -> SetOff:
    return await database.write(lambda work: identify.identify(work, "customer_id", key, attributes or {"vip": True}))


async def rows(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    return await database.read(lambda connection: [tuple(row) for row in connection.execute(select(*columns))])


async def codes(database: Database) -> list[tuple[Any, ...]]:
    of = schema.discards.c
    return await rows(database, of.code, of.event, of.profile, of.version)


@pytest.mark.behaviour(16)
@pytest.mark.timeout(600)
async def test_whichever_comes_first_the_event_or_the_profile_the_person_enters_once(processes: list[Database], kind: str) -> None:
    lots = random.Random(161)

    async def one(number: int) -> tuple[Verdict, SetOff]:
        key = f"p{number}"
        await lots.choice(processes).write(lambda work: changes.put(work, person(key)))
        return await asyncio.gather(fills(lots.choice(processes), key), becomes(lots.choice(processes), key))

    for first in range(0, MEETINGS[kind], AT_ONCE):
        met = await asyncio.gather(*(one(number) for number in range(first, min(first + AT_ONCE, MEETINGS[kind]))))
        assert [len(verdict.entered) + len(set_off.entered) for verdict, set_off in met] == [1] * len(met)
        assert {verdict.code for verdict, _ in met} == {""}
    assert len(await rows(processes[0], schema.entrants.c.id)) == MEETINGS[kind]
    assert await rows(processes[0], schema.events.c.won) == [(True,)] * MEETINGS[kind]
    assert await rows(processes[0], schema.settling) == []
    assert await codes(processes[0]) == []


async def test_the_write_that_makes_it_true_lets_in_with_the_event_that_waited(ada: Database, clock: SettableClock) -> None:
    assert (await fills(ada)).word == "kept"
    assert (await becomes(ada, city="Rome")).entered == ()
    clock.instant += 10 * MINUTE
    (start,) = (await becomes(ada)).entered

    assert start.entrant.entrant == "abandoned~ada~1"
    of = schema.entrants.c
    assert await rows(ada, of.entry_source, of.entry_event, of.entered_at) == [("shop", "cart-1-of-ada", START + 10 * MINUTE)]
    assert (await becomes(ada, vip=False)).entered == (await becomes(ada)).entered == (), "it has let in, and waits no more"


async def test_what_does_not_come_true_in_its_time_is_on_record_once_and_lets_in_no_more(ada: Database, clock: SettableClock) -> None:
    await fills(ada)
    clock.instant += 10 * MINUTE
    assert await ada.write(partial(settling.expire, most=100)) == 0
    clock.instant += 1
    assert (await becomes(ada)).entered == ()
    for _ in range(2):
        await ada.write(partial(settling.expire, most=100))

    assert await codes(ada) == [("did_not_settle", "cart-1-of-ada", "ada", "abandoned@1")]
    assert await rows(ada, schema.discards.c.detail) == [("What cart asks did not become true within PT10M.",)]
    assert await rows(ada, schema.entrants.c.id) == []


async def test_of_two_that_waited_the_first_lets_in_and_the_second_finds_them_inside(ada: Database) -> None:
    for number in (1, 2):
        assert (await fills(ada, number=number)).code == ""
    await becomes(ada)

    assert await rows(ada, schema.entrants.c.entry_event) == [("cart-1-of-ada",)]
    assert await codes(ada) == [("already_inside", "cart-2-of-ada", "ada", "abandoned@1")]


async def test_the_same_event_again_is_a_repeat_while_it_waits(ada: Database) -> None:
    await fills(ada)
    assert (await fills(ada)).duplicate
    assert len((await becomes(ada)).entered) == 1


@pytest.mark.parametrize("asks", ["profile.vip == true", "profile.vip == false"])
async def test_a_version_that_was_published_meanwhile_is_asked_what_it_asks(ada: Database, asks: str) -> None:
    await fills(ada)

    def published(work: Work) -> None:
        versions.set_state(work, "abandoned@1", "closed")
        live(work, abandoned(nodes=[{**VIP, "where": f"{asks} && profile.city == 'Rome'"}, END]), number=2)

    await ada.write(published)
    assert (await becomes(ada)).entered == ()
    found = (await becomes(ada, city="Rome")).entered

    assert [start.entrant.version for start in found] == (["abandoned@2"] if asks == "profile.vip == true" else [])


async def test_in_a_paused_journey_whoever_would_enter_now_is_refused_as_at_any_event(ada: Database) -> None:
    await fills(ada)
    paused = schema.versions.update().values(state="paused", pause="hold", resumes="live")
    await ada.write(lambda work: work.connection.execute(paused).rowcount)
    assert (await becomes(ada)).entered == ()
    assert await codes(ada) == [("paused", "cart-1-of-ada", "ada", "abandoned@1")]


async def test_what_looks_back_is_answered_as_of_the_event(ada: Database, clock: SettableClock) -> None:
    """A cart that is filled later is not one that was filled before."""
    asks = {"combinator": "and", "rules": [{"field": "profile.vip", "operator": "=", "value": True}, {"did": "cart-updated"}]}

    def published(work: Work) -> None:
        versions.set_state(work, "abandoned@1", "closed")
        live(work, abandoned(nodes=[{**VIP, "where": asks}, END]), number=2)

    await ada.write(published)
    for number in (1, 2):
        await fills(ada, number=number)
        clock.instant += MINUTE
    await becomes(ada)

    assert await rows(ada, schema.entrants.c.entry_event) == [("cart-2-of-ada",)]
    assert await rows(ada, schema.settling.c.event) == [("cart-1-of-ada",)]


async def test_an_import_lets_in_whoever_waited_for_it(ada: Database) -> None:
    await ada.write(lambda work: changes.put(work, person("bob")))
    for key in ("ada", "bob"):
        await fills(ada, key)
    become = [person(key).model_copy(update={"attributes": {"vip": True}}) for key in ("ada", "bob", "new")]
    done = await ada.write(lambda work: changes.put_all(work, become))
    assert sorted(start.entrant.entrant for start in done.set_off.entered) == ["abandoned~ada~1", "abandoned~bob~1"]


async def test_somebody_who_is_deleted_enters_nothing_any_more(ada: Database, clock: SettableClock) -> None:
    await fills(ada)
    await ada.write(lambda work: changes.delete(work, "ada"))
    await ada.write(lambda work: profiles.put(work, person("ada")))
    clock.instant += 11 * MINUTE
    await ada.write(partial(settling.expire, most=100))
    assert [code for code, *_ in await codes(ada)] == ["did_not_settle"]
    assert await rows(ada, schema.entrants.c.id) == []
