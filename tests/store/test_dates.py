"""What the clock brings to a journey: its start, its end, and the end of the last person."""

from __future__ import annotations

from store import acceptance, admission, dates, journeys, overdue, pausing, removal, runs, schema, versions
from store.acceptance import Arrived
from store.database import Database
from store.journeys import Published
from tests import stock
from tests.builders import DAY, SECOND, purchase, use_case, use_case_messages
from tests.fakes import SettableClock
from tests.store.driver import Driver, Store, check, let_in, publish
from tests.store.pauses import ADA, GATE, VERSION, clock_brings, held, pause, release, resume, state

NOVEMBER = 1_795_000_000 * SECOND
"""18 November 2026."""
DECEMBER = 1_796_101_200 * SECOND
"""The first moment of 1 December 2026 in New York."""


async def published(database: Database, clock: SettableClock, **changed: object) -> Published:
    clock.instant = NOVEMBER
    await database.write(lambda work: stock.put_use_case(work, **changed))
    return await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))


async def bring(database: Database, clock: SettableClock) -> None:
    for unit in await database.read(lambda c: dates.due(c, clock.now())):
        await database.write(unit)


async def run_of(database: Database) -> runs.Run:
    return await database.read(lambda c: runs.get(c, "thank-you.run.1"))


# ---- the start -------------------------------------------------------------------------------------------------------------------


async def test_a_run_published_before_the_start_begins_at_the_start(database: Database, clock: SettableClock) -> None:
    found = await published(database, clock, start="2026-12-01")
    assert (found.run, found.begins_at) == ("thank-you.run.1", DECEMBER)
    clock.instant = DECEMBER - 1
    await bring(database, clock)
    assert (await run_of(database)).state == "waiting"
    assert await database.write(lambda work: admission.admit_page(work, "thank-you.run.1")) == admission.Admitted(done=True)
    clock.instant = DECEMBER + SECOND
    await bring(database, clock)
    run = await run_of(database)
    assert (run.state, run.cutoff) == ("reading", DECEMBER + SECOND)
    assert await database.read(runs.reading) == ["thank-you.run.1"]


async def test_a_start_that_is_past_is_none(database: Database, clock: SettableClock) -> None:
    found = await published(database, clock, start="2026-11-01")
    assert found.begins_at is None
    assert (await run_of(database)).state == "reading"


async def test_paused_at_its_start_the_run_begins_when_it_is_resumed(database: Database, clock: SettableClock) -> None:
    await published(database, clock, start="2026-12-01")
    await database.write(lambda work: pausing.pause(work, "thank-you", "hold", 14 * 86400))
    clock.instant = NOVEMBER + 13 * DAY
    await bring(database, clock)
    assert (await run_of(database)).state == "waiting"
    await database.write(lambda work: pausing.resume(work, "thank-you"))
    await bring(database, clock)
    assert (await run_of(database)).state == "reading"


async def test_closed_before_its_start_it_never_begins(database: Database, clock: SettableClock) -> None:
    await published(database, clock, start="2026-12-01")
    assert (await database.write(lambda work: journeys.close(work, "thank-you"))).state == "finished"
    assert (await run_of(database)).state == "stopped"


# ---- the end ---------------------------------------------------------------------------------------------------------------------


def ada_ends_in(store: Store, length: int) -> Driver:
    """Ada is inside a version that ends after a while."""
    publish(store, use_case(), use_case_messages())
    store.connection.execute(schema.journeys.insert(), {"id": "thank-you"})
    store.connection.execute(schema.versions.update().values(ends_at=store.clock.now() + length))
    return let_in(store, use_case(), [ADA])[0]


def test_from_the_end_on_nobody_acts_whoever_has_seen_to_it(store: Store) -> None:
    ada = ada_ends_in(store, DAY)
    ada.walk_to(GATE)
    ada.pass_time()
    assert ada.stop().end == "journey_ended", "a day later the follow-up would be due, and it is the end"
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"}
    check(store, use_case())


def test_from_the_end_on_nobody_hears_anything(store: Store) -> None:
    ada = ada_ends_in(store, DAY)
    ada.walk_to(GATE)
    ada.note(store.react(ada.entrant, 1, "push.opened"))
    assert ada.stop().place == "purchase"
    store.clock.instant += DAY
    found = store.write(lambda work: acceptance.accept(work, Arrived(purchase("p-1"), "customer_id", "ada"), acceptance.Policy()))
    assert found.code == "nobody_listening"


def test_at_the_end_everybody_is_told_and_then_it_is_finished(store: Store) -> None:
    ada = ada_ends_in(store, 2 * DAY)
    ada.walk_to("purchase")
    run = store.write(lambda work: runs.start(work, versions.row(work.connection, VERSION), use_case().journey, ["bob"]))
    store.clock.instant += DAY
    clock_brings(store)
    assert state(store) == "closed"
    assert runs.get(store.connection, run).state == "stopped"
    assert overdue.to_wind_down(store.connection, store.clock.now()) == [(VERSION, "journey_ended")]
    told = store.write(lambda work: removal.tell_page(work, VERSION, "journey_ended", 10))
    assert told == [ada.entrant]
    assert overdue.to_wind_down(store.connection, store.clock.now()) == []
    assert ada.stop().end == "journey_ended"
    assert state(store) == "finished"
    assert [one.act for one in versions.moves(store.connection, "thank-you")] == ["finish", "end"]
    check(store, use_case())


def test_a_page_that_is_read_past_the_end_lets_nobody_in(store: Store) -> None:
    ada_ends_in(store, DAY)
    run = store.write(lambda work: runs.start(work, versions.row(work.connection, VERSION), use_case().journey, ["bob"]))
    store.clock.instant += DAY
    assert store.write(lambda work: admission.admit_page(work, run)) == admission.Admitted(done=True)
    assert runs.get(store.connection, run).state == "stopped"


def test_whoever_is_held_ends_at_the_end_too(store: Store) -> None:
    ada = ada_ends_in(store, 2 * DAY)
    pause(store)
    held(ada)
    store.clock.instant += 2 * DAY
    clock_brings(store)
    assert state(store) == "closed"
    assert ada.stop().end == "journey_ended"
    assert release(store).people == ()


def test_an_end_during_a_pause_that_is_over_too_ends_it(store: Store) -> None:
    ada = ada_ends_in(store, DAY)
    pause(store, length="PT1H")
    store.clock.instant += 2 * DAY
    clock_brings(store)
    assert state(store) == "closed"
    assert [one.act for one in versions.moves(store.connection, "thank-you")] == ["end", "pause"]
    assert ada.stop().end == "journey_ended"


def test_a_closed_version_whose_last_one_left_unseen_is_finished(store: Store) -> None:
    """On PostgreSQL the last two may end in one moment, and neither sees the other's end."""
    ada = ada_ends_in(store, 10 * DAY)
    pause(store)
    store.write(lambda work: journeys.close(work, "thank-you"))
    store.write(lambda work: removal.tell(work, ada.entrant, "removed"))
    ada.stop()
    resume(store)
    store.write(lambda work: versions.set_state(work, VERSION, "closed"))
    clock_brings(store)
    assert state(store) == "finished"
