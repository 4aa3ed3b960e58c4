"""One person is let in otherwise than by a run: once at a time, as often as the journey allows, and never without a reason on record."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from journey import ids
from journey.contract import EntrantStart, Record
from journey.entrance import Before, may_enter
from journey.lifecycle import State
from journey.profiles import Profile
from journey.version import Version
from store import entering, overdue, profiles, schema, versions
from store.admission import Start
from store.database import Database
from store.entrants import DECIDED_DUE
from store.work import Work
from tests.builders import DAY, MINUTE, SECOND, START, journey, message, profile, purchase, version
from tests.store.driver import Driver, Store, check, document, let_in, publish

SENDS = {"id": "one", "kind": "message", "message": "one", "next": "pause"}
PAUSE = {"id": "pause", "kind": "wait", "for": "P1D", "next": "end"}
END = {"id": "end", "kind": "end"}
CART = {"id": "cart", "kind": "event", "event": "purchase", "next": "one"}
ENTRY = ("shop", "cart-1")


def begun_by_an_event(*nodes: dict[str, Any], **changed: Any) -> Version:
    return version(nodes=[CART, *(nodes or (SENDS, PAUSE, END))], **changed)


def enter(store: Store, of: Version, who: str = "ada", mode: str = entering.LIVE) -> Start | None:
    row = versions.row(store.connection, ids.version(of.journey.id, 1))
    return store.write(lambda work: entering.enter(work, row, who, entry=ENTRY, mode=mode))


def put(store: Store, *people: Profile) -> None:
    def unit(work: Work) -> None:
        for person in people:
            profiles.put(work, document(person))

    store.write(unit)


def codes(store: Store) -> list[tuple[str, str]]:
    return [(row.code, row.version) for row in store.rows(schema.discards)]


@pytest.fixture
def live(store: Store) -> Version:
    of = begun_by_an_event()
    publish(store, of, {"one": message("one", "email")})
    put(store, profile("ada"))
    return of


def test_somebody_is_let_in_with_what_let_them_in_and_what_a_workflow_is_started_with(store: Store, live: Version) -> None:
    start = enter(store, live)
    assert start == Start(EntrantStart("small~ada~1", "small@1", "one"), live.hash)
    row = store.row(schema.entrants)
    assert (row.id, row.key, row.mode, row.run, row.entry_source, row.entry_event) == ("small~ada~1", "ada", "live", "", *ENTRY)
    assert (row.n, row.place, row.waiting, row.entered_at) == (0, "one", False, START)
    (step,) = store.rows(schema.steps)
    assert (step.node, step.outcome, step.place) == ("cart", "next", "one")
    check(store, live)


@pytest.mark.parametrize(("changed", "code"), [
    ({"state": "paused", "resumes": "live", "pause": "hold"}, "paused"),
    ({"starts_at": START + DAY}, "not_started"),
    ({"ends_at": START}, "journey_ended"),
])  # fmt: skip
def test_an_event_finds_a_journey_that_lets_nobody_in_just_now_and_says_why(
    store: Store, live: Version, changed: dict[str, Any], code: str
) -> None:
    store.connection.execute(schema.versions.update().values(**changed))
    verdict = store.accept(purchase("cart-1"), "ada")
    assert (verdict.code, [found for found, _ in codes(store)]) == (code, [code])
    assert store.row(schema.discards).detail.startswith("small@1 ")
    assert store.rows(schema.entrants) == []


def test_of_a_version_that_is_closed_when_the_pause_is_over_an_event_knows_nothing(store: Store, live: Version) -> None:
    store.connection.execute(schema.versions.update().values(state="paused", resumes="closed", pause="hold"))
    assert store.accept(purchase("cart-1"), "ada").code == "nobody_listening"


def test_one_who_walks_the_journey_already_is_not_let_in_again(store: Store, live: Version) -> None:
    enter(store, live)
    assert enter(store, live) is None
    assert codes(store) == [("already_inside", "small@1")]
    discard = store.row(schema.discards)
    assert (discard.source, discard.event, discard.profile) == (*ENTRY, "ada")


def test_one_who_is_inside_an_earlier_version_is_inside_the_journey(store: Store, live: Version) -> None:
    enter(store, live)
    second = versions.VersionRow("small@2", "small", 2, live.hash, "live", START)

    def publish_again(work: Work) -> None:
        versions.set_state(work, "small@1", "closed")
        versions.insert(work, second)

    store.write(publish_again)
    assert store.write(lambda work: entering.enter(work, second, "ada")) is None
    assert codes(store) == [("already_inside", "small@2")]


def test_one_who_has_ended_enters_again_five_minutes_after_they_entered(store: Store, live: Version) -> None:
    start = enter(store, live)
    assert start is not None
    end(store, start.entrant.entrant)
    store.clock.instant = START + 5 * MINUTE - 1
    assert enter(store, live) is None
    assert codes(store) == [("reentry_too_soon", "small@1")]
    store.clock.instant += 1
    again = enter(store, live)
    assert again is not None
    assert again.entrant.entrant == "small~ada~2"


def end(store: Store, entrant: str) -> None:
    def unit(work: Work) -> None:
        work.connection.execute(schema.entrants.update().where(schema.entrants.c.id == entrant).values(state="ended", due=None))

    store.write(unit)


@pytest.mark.parametrize(
    ("reentry", "code"),
    [({"allowed": False}, "reentry_not_allowed"), ({"after": "P7D"}, "reentry_too_soon"), ({"after": "PT1M"}, "")],
)
def test_a_journey_says_itself_whether_and_when_somebody_may_enter_again(reentry: dict[str, object], code: str) -> None:
    of = journey(nodes=[CART, SENDS, PAUSE, END], reentry=reentry)
    refusal = may_enter(of, Before(1, START, inside=False), START + DAY)
    assert (refusal.code if refusal is not None else "") == code
    assert may_enter(of, Before(), START) is None


def test_a_run_lets_in_whoever_has_ended_at_once_unless_its_journey_says_otherwise() -> None:
    before = Before(1, START, inside=False)
    assert may_enter(journey(SENDS), before, START + 1) is None
    refusal = may_enter(journey(SENDS, reentry={"after": "P1D"}), before, START + 1)
    assert refusal is not None
    assert refusal.code == "reentry_too_soon"


def test_a_run_obeys_the_rule_of_its_journey(store: Store) -> None:
    of = version(SENDS, PAUSE, END, reentry={"allowed": False})
    publish(store, of, {"one": message("one", "email")})
    (ada,) = let_in(store, of, [profile("ada")])
    end(store, ada.entrant)
    store.clock.instant += DAY
    assert let_in(store, of, [profile("ada")]) == []
    assert codes(store) == [("reentry_not_allowed", "small@1")]


@pytest.mark.parametrize("state", ["closed", "stopped", "finished"])
def test_only_a_live_version_lets_anybody_in(store: Store, live: Version, state: State) -> None:
    store.write(lambda work: versions.set_state(work, "small@1", state))
    assert enter(store, live) is None
    assert codes(store) == [("not_live", "small@1")]


def test_a_test_profile_is_left_out_of_live_journeys(store: Store, live: Version) -> None:
    put(store, profile("tess", test=True))
    assert enter(store, live, "tess") is None
    assert codes(store) == [("test_profile", "small@1")]


def test_a_test_lets_in_test_profiles_alone_beside_whoever_is_inside_really(store: Store, live: Version) -> None:
    put(store, profile("tess", test=True))
    assert enter(store, live, "tess", entering.TEST) is None
    store.write(lambda work: versions.set_state(work, "small@1", "test"))
    assert enter(store, live, "ada", entering.TEST) is None
    assert codes(store) == [("not_live", "small@1"), ("not_a_test_profile", "small@1")]
    start = enter(store, live, "tess", entering.TEST)
    assert start is not None
    assert start.entrant.entrant == "small~tess~t1"
    assert store.row(schema.entrants).mode == "test"
    assert {row.mode for row in store.rows(schema.counters)} == {"test"}


def test_one_whom_the_journey_does_not_know_is_not_let_in(store: Store, live: Version) -> None:
    store.write(lambda work: profiles.put(work, document(profile("bob"), device="d-1")))
    assert enter(store, live, "bob") is None
    assert enter(store, live, "nobody") is None
    assert codes(store) == [("no_identity", "small@1"), ("unknown_profile", "small@1")]


# ---- a start that was lost -------------------------------------------------------------------------------------------------------


def taken(store: Store) -> list[str]:
    return [owed.entrant for owed in store.write(lambda work: overdue.take(work, MINUTE, 100))]


def test_whoever_was_let_in_by_no_run_and_never_started_is_started_by_the_sweep(store: Store, live: Version) -> None:
    start = enter(store, live)
    assert start is not None
    store.clock.instant += 71 * SECOND
    assert taken(store) == ["small~ada~1"]
    restart = overdue.restart(store.connection, "small~ada~1")
    assert restart is not None
    assert (restart.start, restart.hash) == (start.entrant, start.hash)


def test_that_is_so_at_a_gate_too_until_the_workflow_has_asked(store: Store) -> None:
    """Otherwise a lost start would show only when the gate's time is up, perhaps after months."""
    of = version(nodes=[{**CART, "next": "pause"}, PAUSE, END])
    publish(store, of)
    put(store, profile("ada"))
    start = enter(store, of)
    assert start is not None
    row = store.row(schema.entrants)
    assert (row.waiting, row.until, row.due) == (True, START + DAY, START + DECIDED_DUE)
    store.clock.instant += SECOND
    ada = Driver(store, of.journey, start.entrant.entrant, Record(0, start.entrant.place))
    assert ada.ask().seconds == 86400 - 1
    assert ada.row().due == START + DAY
    store.clock.instant += 71 * SECOND
    assert taken(store) == []


# ---- at the same moment ----------------------------------------------------------------------------------------------------------


@pytest.mark.complaint(3)
async def test_of_twenty_who_let_in_the_same_person_at_once_one_does(database: Database) -> None:
    of = begun_by_an_event()
    row = versions.VersionRow("small@1", "small", 1, of.hash, "live", START)

    def stage(work: Work) -> None:
        versions.keep(work, of)
        versions.insert(work, row)
        profiles.put(work, document(profile("ada")))

    await database.write(stage)
    found = await asyncio.gather(*(database.write(lambda work: entering.enter(work, row, "ada", entry=ENTRY)) for _ in range(20)))
    assert [start.entrant.entrant for start in found if start is not None] == ["small~ada~1"]


async def test_a_close_at_the_same_moment_lets_nobody_be_forgotten(database: Database) -> None:
    """Whoever came in before the close is inside the closed version; whoever did not has their reason."""
    of = begun_by_an_event()
    row = versions.VersionRow("small@1", "small", 1, of.hash, "live", START)
    people = [f"p{number}" for number in range(20)]

    def stage(work: Work) -> None:
        versions.keep(work, of)
        versions.insert(work, row)
        for name in people:
            profiles.put(work, document(profile(name)))

    await database.write(stage)
    entries = [database.write(partial(entering.enter, version=row, profile=name)) for name in people]
    closing = database.write(lambda work: versions.set_state(work, "small@1", "closed"))
    found = await asyncio.gather(*entries[:10], closing, *entries[10:])
    inside = await database.read(lambda connection: connection.execute(schema.entrants.select()).all())
    refused = await database.read(lambda connection: connection.execute(schema.discards.select()).all())
    assert len(inside) == sum(isinstance(one, Start) for one in found)
    assert len(inside) + len(refused) == 20
    assert {one.code for one in refused} <= {"not_live"}
