"""A run that forces its people to enter anew ends everybody who is inside first, a page at a time; then it lets in."""

from __future__ import annotations

import pytest

from journey.version import Version
from store import clearing, runs, schema, versions
from store.clearing import REENTERED, Cleared, clear_page
from tests.builders import message, profile, purchase, version
from tests.store.driver import Store, check, publish
from tests.store.test_admission import codes, drivers_of, let_in_by, people, put, read, read_all, start

NODES = ({"id": "buys", "kind": "event", "event": "purchase", "next": "send"},
         {"id": "send", "kind": "message", "message": "one", "next": "end"}, {"id": "end", "kind": "end"})  # fmt: skip
READ = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": "buys", "force_reentry": True}
FORCED: Version = version(*NODES, nodes=[READ, *NODES])


def clear(store: Store, run: str, *, most: int = 200, patient: bool = True) -> Cleared:
    return store.write(lambda work: clear_page(work, run, most, patient=patient))


def begin_and_read(store: Store, count: int) -> str:
    """So many people are inside, and wait; the next run has begun."""
    put(store, people(count))
    publish(store, FORCED, {"one": message("one", "email")})
    first = start(store, FORCED)
    assert clear(store, first) == Cleared(done=True)
    read_all(store, first)
    store.clock.instant += 1
    return start(store, FORCED)


def leave(store: Store) -> None:
    """Whoever was told ends, as their workflow has them do."""
    for driver in drivers_of(store, FORCED):
        if driver.row().ending and driver.row().state == "open":
            assert driver.stop().end == REENTERED


def reasons(store: Store) -> dict[str, str]:
    return {row.id: row.end_reason for row in store.rows(schema.entrants)}


def test_everybody_inside_ends_and_is_let_in_again(store: Store) -> None:
    run = begin_and_read(store, 5)
    assert read(store, run).done, "nothing is read before"
    told = [clear(store, run, most=2).told for _ in range(3)]
    assert told == [("small~p00~1", "small~p01~1"), ("small~p02~1", "small~p03~1"), ("small~p04~1",)]
    assert clear(store, run) == Cleared()
    leave(store)
    assert clear(store, run) == Cleared(done=True)
    assert sorted(let_in_by(read_all(store, run))) == [f"small~p{number:02}~2" for number in range(5)]
    assert {reason for name, reason in reasons(store).items() if name.endswith("~1")} == {REENTERED}
    found = runs.get(store.connection, run)
    assert (found.state, found.reentered, found.admitted, found.discarded) == ("done", 5, 5, 0)
    check(store, FORCED)


def test_whoever_is_no_member_any_more_is_out_for_good(store: Store) -> None:
    run = begin_and_read(store, 1)
    put(store, [profile("p00", birth_year=1800)])
    clear(store, run)
    leave(store)
    clear(store, run)
    assert let_in_by(read_all(store, run)) == []
    assert reasons(store) == {"small~p00~1": REENTERED}


def test_a_reason_that_stands_already_stays(store: Store) -> None:
    run = begin_and_read(store, 1)
    store.connection.execute(schema.entrants.update().values(ending="removed"))
    assert clear(store, run) == Cleared()
    for driver in drivers_of(store, FORCED):
        assert driver.stop().end == "removed"
    assert clear(store, run).done


def test_whoever_was_let_in_meanwhile_stays(store: Store) -> None:
    run = begin_and_read(store, 1)
    put(store, [profile("p50")])
    store.clock.instant += 1
    read_all(store, start(store, FORCED, listed=["p50"]))
    assert clear(store, run).told == ("small~p00~1",)
    leave(store)
    assert clear(store, run).done


def test_when_somebody_does_not_end_the_run_goes_on_without_them(store: Store) -> None:
    run = begin_and_read(store, 2)
    clear(store, run)
    assert not clear(store, run).done
    assert clear(store, run, patient=False).done
    assert let_in_by(read_all(store, run)) == []
    assert codes(store) == {"p00": "already_inside", "p01": "already_inside"}


def test_whoever_was_told_hears_nothing_any_more(store: Store) -> None:
    run = begin_and_read(store, 1)
    clear(store, run)
    store.accept(purchase(), "p00")
    assert store.effect_of("shop", "p-1") == "nobody_listening"
    leave(store)


def test_closed_meanwhile_nobody_more_is_told_and_nobody_let_in(store: Store) -> None:
    run = begin_and_read(store, 3)
    clear(store, run, most=1)
    store.write(lambda work: versions.set_state(work, "small@1", "closed"))
    assert clear(store, run).done
    assert read(store, run).done
    assert runs.get(store.connection, run).state == "stopped"
    assert len([row for row in store.rows(schema.entrants) if row.ending]) == 1


@pytest.mark.parametrize(("pause", "told"), [("hold", 2), ("discard", 0)])
def test_in_a_pause_it_goes_on_only_where_people_are_let_in_after_it(store: Store, pause: str, told: int) -> None:
    run = begin_and_read(store, 3)
    clear(store, run, most=1)
    store.connection.execute(schema.versions.update().values({"state": "paused", "pause": pause, "resumes": "live"}))
    assert len(clear(store, run).told) == told


def test_a_list_of_people_forces_nobody(store: Store) -> None:
    begin_and_read(store, 2)
    run = start(store, FORCED, listed=["p00"])
    assert runs.get(store.connection, run).state == "reading"
    read_all(store, run)
    assert codes(store) == {"p00": "already_inside"}


def test_a_run_that_is_over_or_unknown_needs_no_clearing(store: Store) -> None:
    run = begin_and_read(store, 0)
    read_all(store, run)
    assert clear(store, run).done
    assert clear(store, "small.run.9").done
    assert clearing.REENTERED == "reentered"
