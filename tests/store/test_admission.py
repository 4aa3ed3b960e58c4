"""A run lets in everybody once: whoever was there at its cutoff, nobody twice, nobody lost, also when it is cut off half-way (E1 to E3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from sqlalchemy import select

from journey import ids
from journey.contract import Record
from journey.lifecycle import State
from journey.profiles import Profile
from journey.segments import SegmentDocument
from journey.version import Version
from store import admission, profiles, runs, schema, segments, versions
from store.admission import Admitted, admit_page
from store.work import Work
from tests.builders import HOUR, message, profile, purchase, version
from tests.store.driver import Driver, Store, check, document, let_in, publish

EVERYBODY = SegmentDocument(id="everybody", name="Everybody", rule="birth_year > 1900")
SENDS = version(
    {"id": "one", "kind": "message", "message": "one", "next": "pause"},
    {"id": "pause", "kind": "wait", "for": "P1D", "next": "end"},
    {"id": "end", "kind": "end"},
)
WAITS = version({"id": "buys", "kind": "event", "event": "purchase", "next": "end"}, {"id": "end", "kind": "end"})
ONE = {"one": message("one", "email")}


def put(store: Store, people: Iterable[Profile]) -> None:
    def unit(work: Work) -> None:
        segments.put(work, EVERYBODY)
        for person in people:
            profiles.put(work, document(person))

    store.write(unit)


def begin(store: Store, people: Iterable[Profile], of: Version = SENDS, *, listed: list[str] | None = None) -> str:
    put(store, people)
    publish(store, of, ONE)
    return start(store, of, listed=listed)


def start(store: Store, of: Version = SENDS, *, listed: list[str] | None = None) -> str:
    row = versions.row(store.connection, ids.version(of.journey.id, 1))
    return store.write(lambda work: runs.start(work, row, of.journey, listed))


def read(store: Store, run: str, *, page: int = 200, crowd: int = 500) -> Admitted:
    return store.write(lambda work: admit_page(work, run, page=page, crowd=crowd))


def read_all(store: Store, run: str, *, page: int = 200) -> list[Admitted]:
    pages = [read(store, run, page=page)]
    while not pages[-1].done:
        pages.append(read(store, run, page=page))
    return pages


def let_in_by(pages: Iterable[Admitted]) -> list[str]:
    return [start.entrant.entrant for page in pages for start in page.starts]


def codes(store: Store) -> dict[str, str]:
    return {row.profile: row.code for row in store.rows(schema.discards)}


def people(count: int) -> list[Profile]:
    return [profile(f"p{number:02}") for number in range(count)]


# ---- everybody once --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 3, 7, 10, 200])
def test_whatever_the_page_everybody_is_let_in_once(store: Store, page: int) -> None:
    pages = read_all(store, begin(store, people(10)), page=page)
    assert sorted(let_in_by(pages)) == [f"small~p{number:02}~1" for number in range(10)]
    run = runs.get(store.connection, "small.run.1")
    assert (run.state, run.read, run.admitted, run.discarded) == ("done", 10, 10, 0)
    check(store, SENDS)


@pytest.mark.complaint(3)
def test_a_run_that_goes_on_after_a_crash_lets_in_nobody_twice_and_loses_nobody(store: Store) -> None:
    """The worker died after the commit of a page, before any of it was told to Temporal."""
    run = begin(store, people(10))
    told = read(store, run, page=4)
    assert not told.done
    left = admission.not_started(store.connection, run)
    assert [start.entrant.entrant for start in left] == let_in_by([told])
    assert {start.hash for start in left} == {SENDS.hash}
    everybody = let_in_by([told, *read_all(store, run, page=4)])
    assert sorted(everybody) == [f"small~p{number:02}~1" for number in range(10)]


def test_a_page_that_fails_is_read_again_from_its_start(store: Store) -> None:
    run = begin(store, people(6))
    read(store, run, page=2)

    def breaks(work: Work) -> None:
        admit_page(work, run, page=2)
        raise RuntimeError("the disk is full")

    before = (store.rows(schema.entrants), store.rows(schema.run_members), store.rows(schema.runs))
    with pytest.raises(RuntimeError):
        store.write(breaks)
    assert (store.rows(schema.entrants), store.rows(schema.run_members), store.rows(schema.runs)) == before
    read_all(store, run, page=2)
    assert len(store.rows(schema.entrants)) == 6
    check(store, SENDS)


def test_a_run_that_is_done_lets_in_nobody_more(store: Store) -> None:
    run = begin(store, people(3))
    read_all(store, run)
    put(store, [profile("p99")])
    before = store.written()
    assert read(store, run) == Admitted(done=True)
    assert store.written() == before


def test_a_run_that_nobody_knows_is_done(store: Store) -> None:
    assert read(store, "small.run.9").done


def test_one_who_was_made_after_the_cutoff_is_not_read(store: Store) -> None:
    run = begin(store, people(3))
    store.clock.instant += 1
    put(store, [profile("p99"), profile("p00")])
    assert len(let_in_by(read_all(store, run))) == 3


def test_the_rule_is_asked_when_the_page_is_read(store: Store) -> None:
    """Somebody who no longer satisfies it by then is not let in; the segment is read live (E3)."""
    run = begin(store, people(3))
    store.write(lambda work: profiles.patch(work, "p01", attributes={"birth_year": 1800}))
    assert let_in_by(read_all(store, run)) == ["small~p00~1", "small~p02~1"]


# ---- who is not let in -----------------------------------------------------------------------------------------------------------


def test_test_profiles_and_people_without_the_identity_stay_out_with_a_reason(store: Store) -> None:
    run = begin(store, [profile("ada"), profile("test", test=True)])
    store.write(lambda work: profiles.put(work, document(profile("anon"), cookie="x")))
    (page,) = read_all(store, run)
    assert let_in_by([page]) == ["small~ada~1"]
    assert (page.read, page.discarded) == (3, 2)
    assert codes(store) == {"test": "test_profile", "anon": "no_identity"}
    assert {row.profile: row.entrant for row in store.rows(schema.run_members)} == {"ada": "small~ada~1", "anon": "", "test": ""}


def test_one_who_is_inside_is_not_let_in_again(store: Store) -> None:
    run = begin(store, people(2))
    read_all(store, run)
    again = start(store)
    assert let_in_by(read_all(store, again)) == []
    assert codes(store) == {"p00": "already_inside", "p01": "already_inside"}
    assert {row.run for row in store.rows(schema.discards)} == {again}


def test_one_who_is_inside_an_older_version_is_not_let_into_the_newer(store: Store) -> None:
    run = begin(store, people(1))
    read_all(store, run)
    newer = replace(versions.row(store.connection, "small@1"), id="small@2", number=2)

    def publish_newer(work: Work) -> str:
        versions.set_state(work, "small@1", "closed")
        versions.insert(work, newer)
        return runs.start(work, newer, SENDS.journey)

    assert let_in_by(read_all(store, store.write(publish_newer))) == []
    assert codes(store) == {"p00": "already_inside"}


def test_whoever_is_out_again_enters_under_the_next_number(store: Store) -> None:
    put(store, people(1))
    publish(store, WAITS)
    for number in (1, 2, 3):
        (driver,) = let_in(store, WAITS, people(1))
        assert driver.entrant == f"small~p00~{number}"
        assert driver.row().number == number
        driver.note(store.accept(purchase(f"p-{number}"), "p00"))
        assert driver.stop().end == "finished"
    check(store, WAITS)


# ---- explicit lists --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2, 200])
def test_a_list_of_profiles_is_read_instead_of_the_segment(store: Store, page: int) -> None:
    old = replace(profile("old"), attributes={"birth_year": 1500})
    run = begin(store, [*people(3), old], listed=["p02", "old", "p02", "p00", "nobody"])
    assert sorted(let_in_by(read_all(store, run, page=page))) == ["small~old~1", "small~p00~1", "small~p02~1"]
    assert codes(store) == {"nobody": "unknown_profile"}


def test_test_profiles_stay_out_of_a_list_too(store: Store) -> None:
    run = begin(store, [profile("test", test=True)], listed=["test"])
    assert let_in_by(read_all(store, run)) == []
    assert codes(store) == {"test": "test_profile"}


def test_a_list_of_nobody_is_done_at_once(store: Store) -> None:
    assert read(store, begin(store, people(1), listed=[])).done


# ---- a version that lets in nobody more ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["closed", "stopped"])
def test_a_version_that_is_closed_or_stopped_while_it_is_read_lets_in_nobody_more(store: Store, state: State) -> None:
    run = begin(store, people(4))
    read(store, run, page=2)
    store.write(lambda work: versions.set_state(work, "small@1", state))
    assert read(store, run, page=2) == Admitted(done=True)
    found = runs.get(store.connection, run)
    assert (found.state, found.read, found.admitted) == ("stopped", 2, 2)
    assert found.ended_at is not None


def test_a_closed_version_is_finished_when_the_last_one_is_out(store: Store) -> None:
    publish(store, WAITS)
    put(store, people(2))
    first, last = let_in(store, WAITS, people(2))
    store.write(lambda work: versions.set_state(work, "small@1", "closed"))
    for driver, state in ((first, "closed"), (last, "finished")):
        driver.note(store.accept(purchase(driver.entrant), driver.row().key))
        driver.stop()
        assert versions.row(store.connection, "small@1").state == state


# ---- no more than are taken up ---------------------------------------------------------------------------------------------------


def drivers_of(store: Store, of: Version) -> list[Driver]:
    return [Driver(store, of.journey, row.id, Record(row.n, row.place)) for row in store.rows(schema.entrants)]


@pytest.mark.complaint(23)
def test_a_run_waits_while_too_many_have_not_set_off(store: Store) -> None:
    run = begin(store, people(6))
    read(store, run, page=3, crowd=2)
    before = store.written()
    assert read(store, run, page=3, crowd=2).crowded
    assert store.written() == before
    ada = drivers_of(store, SENDS)[0]
    ada.open(ada.proposal())
    assert read(store, run, page=3, crowd=2).crowded, "a step that is open is not past"
    drivers_of(store, SENDS)[1].stop()
    assert len(read(store, run, page=3, crowd=2).starts) == 3


def test_people_who_wait_at_a_gate_since_their_admission_hold_up_nobody(store: Store) -> None:
    """They may wait for weeks: that is no crowd."""
    run = begin(store, people(6), WAITS)
    assert len(read(store, run, page=3, crowd=2).starts) == 3
    assert len(read(store, run, page=3, crowd=2).starts) == 3


def test_people_whose_first_gate_is_decided_and_who_have_not_set_off_are_a_crowd(store: Store) -> None:
    run = begin(store, people(6), WAITS)
    read(store, run, page=3, crowd=2)
    for number in range(3):
        store.accept(purchase(f"p-{number}"), f"p{number:02}")
    assert read(store, run, page=3, crowd=2).crowded


def test_another_run_is_no_crowd(store: Store) -> None:
    run = begin(store, people(3))
    read_all(store, run)
    put(store, [profile("p50")])
    assert not read(store, start(store), page=3, crowd=3).crowded


# ---- what is written -------------------------------------------------------------------------------------------------------------


def test_an_admission_is_step_0_and_stands_where_the_entry_leads(store: Store) -> None:
    read_all(store, begin(store, people(1)))
    row = store.row(schema.entrants)
    assert (row.n, row.closed, row.place, row.waiting, row.until) == (0, True, "one", False, None)
    step = store.row(schema.steps)
    assert (step.n, step.node, step.outcome, step.place) == (0, "read", "next", "one")
    assert {fact.kind for fact in store.rows(schema.facts)} == {"entered", "arrived", "left.next"}
    check(store, SENDS)


def test_an_admission_into_a_gate_starts_its_clock(store: Store) -> None:
    pause = version({"id": "pause", "kind": "wait", "for": "PT2H", "next": "end"}, {"id": "end", "kind": "end"})
    read_all(store, begin(store, people(2), pause))
    row = store.rows(schema.entrants)[0]
    assert (row.waiting, row.until, row.due) == (True, store.clock.now() + 2 * HOUR, store.clock.now() + 2 * HOUR)
    check(store, pause)


def test_an_entry_that_leads_nowhere_ends_everybody(store: Store) -> None:
    nowhere = version(entry=[])
    read_all(store, begin(store, people(1), nowhere))
    (driver,) = drivers_of(store, nowhere)
    assert driver.stop().end == "finished"
    check(store, nowhere)


def test_a_key_like_an_address_is_not_shown_in_an_id(store: Store) -> None:
    put(store, [])
    publish(store, SENDS, ONE)
    store.write(lambda work: profiles.put(work, document(profile("ada"), customer_id="ada@example.org")))
    (start_of_ada,) = read(store, start(store)).starts
    assert "ada" not in start_of_ada.entrant.entrant
    assert store.connection.execute(select(schema.entrants.c.key)).scalar_one() == "ada@example.org"


def test_who_has_set_off_is_not_started_again(store: Store) -> None:
    run = begin(store, people(3))
    read_all(store, run)
    drivers_of(store, SENDS)[0].stop()
    assert [one.entrant.entrant for one in admission.not_started(store.connection, run)] == ["small~p01~1", "small~p02~1"]
