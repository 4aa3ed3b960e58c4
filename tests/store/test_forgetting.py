"""What is over for longer than anybody asks is forgotten: nothing of anybody inside, no number of a report, and not who was there."""

from __future__ import annotations

import pytest
from temporalio.testing import ActivityEnvironment

from activities.repairing import Repairs
from journey import ids
from journey.contract import SweepStart
from journey.errors import NotFound
from journey.reports import Report
from store import acceptance, forgetting, profiles, reports, schema, versions, views
from store.database import Database
from store.work import Work
from tests.builders import DAY, START, message, profile, purchase, use_case, use_case_messages, version
from tests.fakes import FakeServer, FakeWorkflows, SettableClock
from tests.store.driver import Driver, Store, let_in, publish
from tests.store.test_admission import put
from tests.store.test_joining import again, begin_and_end, is_member, people

YEAR = 365 * DAY
WAITS = {"id": "buys", "kind": "event", "event": "purchase", "next": "end"}
END = {"id": "end", "kind": "end"}


def forget(store: Store, days: int = 98, most: int = 200) -> dict[str, int]:
    """Everything that is to be forgotten now; how many of each kind."""
    before = forgetting.horizon(store.connection, store.clock.now(), days)
    found = dict.fromkeys((each.__name__ for each in forgetting.EACH), 0)
    for each in forgetting.EACH:
        while gone := store.write(lambda work, each=each: each(work, before, most)):  # type: ignore[misc]
            found[each.__name__] += gone
    return found


def bought(store: Store, *, later: int = 0) -> Driver:
    """Somebody has walked the use case to its end, and more was sent about them than they waited for."""
    publish(store, use_case(), use_case_messages())
    (ada,) = let_in(store, use_case(), [profile("ada")])
    ada.stop()
    store.accept(purchase("p-early"), "ada")
    ada.note(store.react(ada.entrant, 1, "email.opened"))
    ada.stop()
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().end == "finished"
    store.clock.instant += later
    return ada


def told(store: Store) -> Report:
    return reports.report(store.connection, "thank-you@1", use_case().journey)


@pytest.mark.complaint(24)
def test_of_who_ended_long_ago_one_row_is_left_and_every_number_of_the_report(store: Store) -> None:
    ada = bought(store)
    bounced = {"channel": "email", "address": "a hash", "bounce": "b", "at": ada.row().ended_at}
    store.connection.execute(schema.soft_bounces.insert(), bounced)
    before = told(store)
    assert before.totals.discards == {"nobody_listening": 1}
    store.clock.instant = ada.row().ended_at + 98 * DAY
    assert sum(forget(store).values()) == 0, "on the last day everything is there"
    assert ada.path() != ()
    store.clock.instant += 1
    assert forget(store) == {"entrants": 1, "events": 3, "discards": 1, "members": 1, "soft_bounces": 1}
    assert {table.name: len(store.rows(table)) for table in (*forgetting.OF_ENTRANTS, schema.events, schema.discards)} == {
        table.name: 0 for table in (*forgetting.OF_ENTRANTS, schema.events, schema.discards)
    }
    assert {"steps", "deliveries", "facts", "responses", "kept"} <= {table.name for table in forgetting.OF_ENTRANTS}
    assert told(store) == before
    story = views.entrant(store.connection, ada.entrant)
    assert (story.entrant.end_reason, story.entrant.forgotten, story.path, story.deliveries) == ("finished", True, (), ())
    assert sum(forget(store).values()) == 0


def test_what_is_asked_of_who_is_forgotten_is_answered(store: Store) -> None:
    """A workflow that comes back from nowhere gets its end; a journey that lets nobody in twice still does not."""
    ada = bought(store, later=YEAR)
    forget(store)
    assert ada.ask().end == "finished"
    (again_,) = let_in(store, use_case(), [profile("ada")])
    assert again_.entrant == "thank-you~ada~2"


def test_a_journey_that_lets_nobody_in_twice_remembers_who_was_there(store: Store) -> None:
    once = version(WAITS, END, reentry={"allowed": False})
    publish(store, once, {})
    (ada,) = let_in(store, once, [profile("ada")])
    ada.note(store.accept(purchase("p-1"), "ada"))
    ada.stop()
    store.clock.instant += YEAR
    assert forget(store)["entrants"] == 1
    assert let_in(store, once, [profile("ada")]) == []
    assert [row.code for row in store.rows(schema.discards)] == ["reentry_not_allowed"]


def test_links_of_old_mails_lead_on_and_whoever_wants_no_more_gets_no_more(store: Store) -> None:
    ada = bought(store, later=YEAR)
    forget(store)
    written = store.rows(schema.facts), store.rows(schema.counters)
    for _ in range(2):
        verdict = store.react(ada.entrant, 1, "email.clicked", "https://shop.example/")
        assert (verdict.code, verdict.decided) == ("late", ())
    assert [row.code for row in store.rows(schema.discards)] == ["late"]
    store.write(lambda work: acceptance.unsubscribe(work, ids.delivery(ada.entrant, 1, "email")))
    assert profiles.get(store.connection, "ada").consents == {"email": False}
    assert (store.rows(schema.facts), store.rows(schema.counters)) == written
    with pytest.raises(NotFound):
        store.react("thank-you~nobody~1", 1, "email.opened")


@pytest.mark.complaint(4)
def test_the_id_of_an_event_is_remembered_longer_than_anybody_may_be_in_a_journey(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    store.accept(purchase("p-1"), "ada")
    store.clock.instant += 98 * DAY
    forget(store)
    assert store.accept(purchase("p-1"), "ada").duplicate
    store.clock.instant += 1
    forget(store)
    assert not store.accept(purchase("p-1"), "ada").duplicate


def test_nothing_is_forgotten_of_somebody_who_may_be_inside_for_years(store: Store) -> None:
    patient = version({"id": "first", "kind": "message", "message": "first", "next": "buys"}, WAITS, END, global_timeout="P1000D")
    publish(store, patient, {"first": message("first", "email")})
    ada, bob = let_in(store, patient, [profile("ada"), profile("bob")])
    for driver in (ada, bob):
        driver.stop()
    store.react(ada.entrant, 1, "email.opened")
    bob.note(store.accept(purchase("p-0"), "bob"))
    bob.stop()
    store.clock.instant += 999 * DAY
    assert sum(forget(store).values()) == 0
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().end == "finished"
    store.clock.instant = START + 1007 * DAY + 1
    assert forget(store)["entrants"] == 1, "bob, but not ada, who ended only now"
    assert ada.path() != ()


def test_pages_are_as_long_as_they_are_told_and_follow_each_other(store: Store) -> None:
    of = version(WAITS, END)
    publish(store, of, {})
    for driver in let_in(store, of, [profile(f"p{number}") for number in range(5)]):
        driver.note(store.accept(purchase(f"p-{driver.entrant}"), driver.row().profile))
        driver.stop()
    store.clock.instant += YEAR
    before = store.clock.instant
    assert [store.write(lambda work: forgetting.entrants(work, before, 2)) for _ in range(4)] == [2, 2, 1, 0]
    assert [store.write(lambda work: forgetting.events(work, before, 2)) for _ in range(4)] == [2, 2, 1, 0]
    assert [store.write(lambda work: forgetting.members(work, before, 2)) for _ in range(4)] == [2, 2, 1, 0]


def test_who_joined_is_told_by_the_last_run_however_long_ago_it_was(store: Store) -> None:
    begin_and_end(store, "abc")
    store.clock.instant += YEAR
    is_member(store, False, "pb")
    assert again(store) == []
    store.clock.instant += YEAR
    assert forget(store)["members"] == 3, "those of the first run; with the second the next one is compared"
    put(store, [profile("pd")])
    is_member(store, True, "pb")
    assert again(store) == people("bd")


@pytest.mark.complaint(24)
async def test_the_sweep_forgets(database: Database, clock: SettableClock) -> None:
    def old(work: Work) -> None:
        versions.keep(work, use_case())
        versions.insert(work, versions.VersionRow("thank-you@1", "thank-you", 1, use_case().hash, "closed", work.now()))
        for number in range(450):
            work.discard("late", version="thank-you@1", detail=str(number))

    clock.instant = START
    await database.write(old)
    clock.instant = START + 400 * DAY
    repairs = Repairs(database, FakeWorkflows(), FakeServer())
    await ActivityEnvironment().run(repairs.sweep, SweepStart())
    assert len(await database.read(lambda connection: connection.execute(schema.discards.select()).all())) == 450
    clock.instant += 1
    await ActivityEnvironment().run(repairs.sweep, SweepStart())
    assert await database.read(lambda connection: connection.execute(schema.discards.select()).all()) == []
    assert await database.read(lambda connection: reports.discarded(connection, "thank-you@1")) == {"late": 450}
