"""Several processes on one PostgreSQL: who meets another one gives way, tries again, and finds there what the other wrote.

A process is a `Database` of its own here: it shares nothing with the others but the server.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import IntegrityError, OperationalError

from journey import ids
from journey.errors import BadInput
from journey.profiles import ProfileDocument
from store import (
    admission,
    closing,
    definitions,
    due_runs,
    entrants,
    identify,
    journeys,
    messages,
    profiles,
    reports,
    runs,
    schema,
    suppressions,
    versions,
    whose,
)
from store.database import Database
from store.work import Work
from tests import builders, stock
from tests.fakes import SettableClock

pytestmark = pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")
Unit = Callable[[Work], Any]


@pytest.fixture
async def other(database: Database, address: str, clock: SettableClock) -> AsyncIterator[Database]:
    opened = Database(address, clock)
    yield opened
    await opened.close()


@asynccontextmanager
async def holding(database: Database, *units: Unit) -> AsyncIterator[None]:
    """A commit of a process that has done these units, and takes its time before it is over."""
    entered, leave = threading.Event(), threading.Event()

    def unit(work: Work) -> None:
        for one in units:
            one(work)
        entered.set()
        leave.wait(20)

    task = asyncio.create_task(database.write(unit))
    assert await asyncio.to_thread(entered.wait, 20)
    threading.Timer(0.3, leave.set).start()
    yield
    leave.set()
    await task


async def meeting(one: Database, other: Database, unit: Unit, again: Unit | None = None) -> Any:
    """Two processes do the same at the same moment: neither has seen what the other does. What the second one came to."""
    async with holding(one, unit):
        return await other.write(again or unit)


def person(name: str, **identities: str) -> ProfileDocument:
    return ProfileDocument(id=name, identities=identities)


async def test_two_who_lock_in_opposite_order_both_come_through(database: Database, other: Database) -> None:
    def prepare(work: Work) -> None:
        for name in "ab":
            suppressions.put(work, "push", name)

    await database.write(prepare)
    ready = threading.Barrier(2, timeout=20)

    def crossing(first: str, second: str) -> Unit:
        waited: list[bool] = []

        def unit(work: Work) -> None:
            suppressions.put(work, "push", first, f"by {first}")
            if not waited:
                waited.append(True)
                ready.wait()
            suppressions.put(work, "push", second, f"by {first}")

        return unit

    await asyncio.gather(database.write(crossing("a", "b")), other.write(crossing("b", "a")))
    reasons = {row.reason for row in await database.read(lambda c: suppressions.page(c, ("", ""), 10))}
    assert reasons in ({"by a"}, {"by b"}), "one after the other, whole"


async def test_a_group_that_meets_another_keeps_nothing_and_each_of_it_comes_through_in_its_order(
    database: Database, other: Database
) -> None:  # fmt: skip
    def say(name: str) -> Unit:
        return lambda work: work.discard(name)

    def take(work: Work) -> None:
        suppressions.put(work, "push", "a", "taken")
        work.record("e", 1, "v", "live", 1, [("node", "arrived", "")])

    await database.write(lambda work: suppressions.put(work, "push", "a"))
    async with holding(database, lambda work: suppressions.put(work, "push", "a", "first")):
        done = await other.write_all([say("one"), take, say("two"), say("three")])
    assert [isinstance(found, BaseException) for found in done] == [False] * 4
    said = await database.read(lambda c: list(c.execute(select(schema.discards.c.code).order_by(schema.discards.c.id)).scalars()))
    assert said == ["one", "two", "three"]
    assert await database.read(lambda c: [one.times for one in reports.counted(c, "v")]) == [1], "what was taken back counted nothing"


async def test_units_given_together_are_done_in_their_order_whatever_else_is_done(database: Database) -> None:
    def say(name: str) -> Unit:
        return lambda work: work.discard(name)

    batches = [[say(f"{batch}-{place:02}") for place in range(30)] for batch in range(8)]
    await asyncio.gather(*(database.write_all(batch) for batch in batches))
    said = await database.read(lambda c: list(c.execute(select(schema.discards.c.code).order_by(schema.discards.c.id)).scalars()))
    for batch in range(8):
        assert [one for one in said if one.startswith(f"{batch}-")] == [f"{batch}-{place:02}" for place in range(30)]


async def test_a_fault_that_repeats_is_told_to_its_unit_alone(database: Database) -> None:
    def twice(work: Work) -> None:
        for _ in range(2):
            work.record("e", 1, "v", "live", 1, [("node", "arrived", "")])

    fine, broken, last = await database.write_all([lambda work: work.discard("a"), twice, lambda work: work.discard("b")])
    assert (fine, last) == (None, None)
    assert isinstance(broken, IntegrityError)
    assert await database.read(lambda c: len(c.execute(select(schema.discards)).all())) == 2


async def test_counters_of_many_processes_add_up(database: Database, other: Database) -> None:
    def counts(number: int) -> Unit:
        return lambda work: work.record(f"e{number}", 1, "v", "live", 1, [("node", "arrived", ""), ("node", "sent", "email")])

    await asyncio.gather(*((database, other)[number % 2].write(counts(number)) for number in range(200)))
    assert [one.times for one in await database.read(lambda c: reports.counted(c, "v"))] == [200, 200]


async def test_a_connection_that_was_cut_is_replaced_and_nobody_hears_of_it(database: Database, address: str) -> None:
    await database.write(lambda work: work.discard("before"))
    with psycopg.connect(address, autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    await database.write_all([lambda work: work.discard("after")] * 3)
    assert await database.read(lambda c: len(c.execute(select(schema.discards)).all())) == 4


async def test_a_commit_of_which_nobody_knows_is_an_error_and_is_not_run_twice(database: Database) -> None:
    """The connection goes while the commit is under way: perhaps it stands, so that only whoever asked may repeat."""
    ran: list[int] = []

    def unit(work: Work) -> None:
        ran.append(work.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    def cut(_connection: Any) -> None:
        if len(ran) != 1:
            return
        with psycopg.connect(database.engine.url.set(drivername="postgresql").render_as_string(False), autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", [ran[-1]])

    event.listen(database.engine, "commit", cut)
    with pytest.raises(OperationalError):
        await database.write(unit)
    assert len(ran) == 1
    ran.append(0)
    assert await database.write(lambda work: "again") == "again"


async def test_a_text_with_nul_is_refused_with_a_sentence(database: Database) -> None:
    for unit in (
        lambda work: work.discard("a\0b"),
        lambda work: profiles.put(work, ProfileDocument(id="p", attributes={"a": ["x\0"]})),
    ):
        with pytest.raises(BadInput, match="NUL"):
            await database.write(unit)
    await database.write(lambda work: profiles.put(work, ProfileDocument(id="p", attributes={"a": "\\u0000"})))
    assert await database.read(lambda c: profiles.get(c, "p").attributes) == {"a": "\\u0000"}


# ---- the same thing at the same moment --------------------------------------------------------------------------------------------


async def test_two_events_of_somebody_unknown_make_one_person(database: Database, other: Database) -> None:
    found = await meeting(database, other, lambda work: whose.person(work, "customer_id", "c-1", create=True))
    assert found == "c-1"
    assert await database.read(lambda c: len(c.execute(select(schema.profiles)).all())) == 1


async def test_two_who_say_who_they_are_are_one_person_with_what_both_said(database: Database, other: Database) -> None:
    await meeting(
        database, other,
        lambda work: identify.identify(work, "customer_id", "c-1", {"city": "Bern"}),
        lambda work: identify.identify(work, "customer_id", "c-1", {"born": 1990}),
    )  # fmt: skip
    assert (await database.read(lambda c: profiles.get(c, "c-1"))).attributes == {"city": "Bern", "born": 1990}


async def test_two_changes_of_one_profile_both_stand(database: Database, other: Database) -> None:
    await database.write(lambda work: profiles.put(work, person("ada", customer_id="ada")))
    await meeting(
        database, other,
        lambda work: profiles.patch(work, "ada", attributes={"city": "Bern"}),
        lambda work: profiles.patch(work, "ada", consents={"email": False}, identities={"device": "d-1"}),
    )  # fmt: skip
    found = await database.read(lambda c: profiles.get(c, "ada"))
    assert (found.attributes, found.consents) == ({"city": "Bern"}, {"email": False})
    assert found.identities == {"customer_id": "ada", "device": "d-1"}


async def test_two_who_put_one_profile_leave_that_of_the_later_with_its_identities(database: Database, other: Database) -> None:
    await meeting(
        database, other,
        lambda work: profiles.put(work, person("ada", customer_id="c-1")),
        lambda work: profiles.put(work, person("ada", customer_id="c-2")),
    )  # fmt: skip
    assert (await database.read(lambda c: profiles.get(c, "ada"))).identities == {"customer_id": "c-2"}
    assert await database.read(lambda c: profiles.find(c, "customer_id", "c-1")) is None


@pytest.mark.complaint(4)
async def test_what_is_refused_in_two_processes_at_one_moment_is_on_record_once(database: Database, other: Database) -> None:
    await meeting(database, other, lambda work: work.discard_once("bad_item", "segment", "m-1", "It is no JSON object."))
    for process in (database, other):
        await process.write(lambda work: work.discard_once("", "segment", "m-1", "It is no JSON object."))
        await process.write(lambda work: work.discard_once("no_name", "segment", "", "Nobody can tell whether it is the same."))
    rows = await database.read(lambda connection: connection.execute(select(schema.discards.c.code)).scalars().all())
    assert sorted(rows) == ["bad_item", "no_name", "no_name"]


async def test_an_event_defined_otherwise_by_one_process_is_at_once_so_for_every_other(database: Database, other: Database) -> None:
    purchase = builders.purchase_definition()
    renamed = purchase.model_copy(update={"rule": None, "match": "sold"})

    def names(connection: Connection) -> list[str]:
        return [one.id for one in definitions.of_event(connection, "sold") if one.match == "sold"]

    await database.write(lambda work: definitions.put(work, purchase))
    assert await other.read(names) == []
    await database.write(lambda work: definitions.put(work, renamed))
    assert await other.read(names) == ["purchase"]
    await other.write(lambda work: definitions.put(work, purchase))
    assert await database.read(names) == []


async def test_an_identity_that_two_people_want_goes_to_the_first_and_the_other_is_told(database: Database, other: Database) -> None:
    async with holding(database, lambda work: profiles.put(work, person("ada", customer_id="c-1"))):
        (error,) = await other.write(lambda work: profiles.put_all(work, [person("bob", customer_id="c-1")]))
    assert error is not None
    assert error.code == "identity_taken"


async def test_a_message_put_twice_at_once_has_two_revisions(database: Database, other: Database) -> None:
    first, second = builders.message("hello", "email"), builders.message("hello", "push")
    found = await meeting(database, other, lambda work: messages.put(work, first), lambda work: messages.put(work, second))
    assert found == 2


async def test_two_who_publish_make_two_versions_of_which_one_is_live(database: Database, other: Database) -> None:
    def publish(work: Work) -> Any:
        return journeys.publish(work, "thank-you", stock.PUBLIC_URL)

    await database.write(stock.put_use_case)
    with pytest.raises(Exception, match="nothing to publish"):
        await meeting(database, other, publish)


async def test_two_runs_are_numbered_one_after_the_other(database: Database, other: Database) -> None:
    def start(work: Work) -> str:
        return journeys.start_run(work, "thank-you", ["ada"])

    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    assert await meeting(database, other, start) == "thank-you.run.3"
    assert await database.read(lambda c: len(runs.reading(c))) == 3


async def test_two_namespaces_that_make_somebody_of_the_same_name_make_two_people(database: Database, other: Database) -> None:
    found = await meeting(
        database, other,
        lambda work: whose.make_person(work, "customer_id", "c-1"),
        lambda work: whose.make_person(work, "device", "c-1"),
    )  # fmt: skip
    assert found.startswith("c-1-")
    assert await database.read(lambda c: profiles.find(c, "customer_id", "c-1")) == "c-1"


@pytest.mark.complaint(3)
async def test_two_processes_that_read_one_run_let_everybody_in_once(database: Database, other: Database) -> None:
    def prepare(work: Work) -> str:
        stock.put_use_case(work)
        profiles.put_all(work, [person(f"p{number:02}", customer_id=f"p{number:02}") for number in range(40)])
        journeys.publish(work, "thank-you", stock.PUBLIC_URL)
        return journeys.start_run(work, "thank-you", [f"p{number:02}" for number in range(40)])

    run = await database.write(prepare)
    done = await asyncio.gather(*((database, other)[n % 2].write(lambda work: admission.admit_page(work, run, page=7)) for n in range(10)))
    let_in = [start.entrant.entrant for page in done for start in page.starts]
    assert len(let_in) == len(set(let_in)) == 40


async def test_a_run_that_was_stopped_while_a_page_was_read_stays_stopped(database: Database, other: Database) -> None:
    await database.write(stock.put_use_case)
    await database.write(lambda work: profiles.put(work, person("ada", customer_id="ada")))
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    run = await database.write(lambda work: journeys.start_run(work, "thank-you", ["ada", "bob"]))
    async with holding(database, lambda work: admission.admit_page(work, run, page=1)):
        await other.write(lambda work: journeys.stop(work, "thank-you"))
    assert (await database.read(lambda c: runs.get(c, run))).state == "stopped"
    assert (await other.write(lambda work: admission.admit_page(work, run))).done


async def test_of_two_last_ones_who_end_at_once_one_finishes_the_closed_version(database: Database, other: Database) -> None:
    def prepare(work: Work) -> None:
        stock.put_use_case(work)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL)
        stock.entrant(work, "ada")
        stock.entrant(work, "bob")
        journeys.close(work, "thank-you")

    def ends(name: str) -> Unit:
        def unit(work: Work) -> None:
            entrant = entrants.lock(work, ids.entrant("thank-you", name, 1))
            assert entrant is not None
            closing.end_waiting(work, entrant, "removed", work.now())

        return unit

    await database.write(prepare)
    await meeting(database, other, ends("ada"), ends("bob"))
    assert (await database.read(lambda c: versions.row(c, "thank-you@1"))).state == "finished"


async def test_an_occurrence_that_two_processes_begin_at_one_moment_is_one_run(
    database: Database, other: Database, clock: SettableClock
) -> None:  # fmt: skip
    document = stock.use_case_document(timezone="UTC")
    document["nodes"][0]["schedule"] = {"kind": "daily", "at": "09:00"}

    def prepare(work: Work) -> None:
        stock.surround(work)
        journeys.put_draft(work, "thank-you", document)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL)

    await database.write(prepare)
    clock.instant = 9 * builders.HOUR
    second = await meeting(database, other, lambda work: due_runs.serve(work, "thank-you"))
    assert second.run is None
    assert await database.read(runs.reading) == ["thank-you.run.1970-01-01T09:00"]
