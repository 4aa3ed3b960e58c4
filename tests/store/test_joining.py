"""Incremental runs: the first takes everybody, each later one who joined the segment since it was last read. Exact, on both databases."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import HealthCheck, given, settings, strategies

from store import joining, profiles, runs, schema, versions
from store.work import Work
from tests.builders import profile, version
from tests.store.driver import Store, check, document
from tests.store.test_admission import begin, codes, drivers_of, let_in_by, put, read, read_all, start

NODES = ({"id": "pause", "kind": "wait", "for": "PT1H", "next": "end"}, {"id": "end", "kind": "end"})
READ = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": "pause", "incremental": True}
INCREMENTAL = version(*NODES, nodes=[READ, *NODES])


def is_member(store: Store, member: bool, *people: str) -> None:
    """These people satisfy the rule from now on, or no longer."""

    def unit(work: Work) -> None:
        for person in people:
            profiles.patch(work, person, attributes={"birth_year": 1985 if member else 1800})

    store.write(unit)


def out(store: Store) -> None:
    """Everybody inside has come to their end."""
    for driver in drivers_of(store, INCREMENTAL):
        if driver.row().state == "open":
            driver.pass_time()
            driver.stop()


def let_in(store: Store, run: str, *, page: int = 200) -> list[str]:
    """Who was let in by a run, read to its end; then everybody leaves."""
    entrants = let_in_by(read_all(store, run, page=page))
    out(store)
    return sorted(entrant.split("~")[1] for entrant in entrants)


def again(store: Store, *, page: int = 200) -> list[str]:
    return let_in(store, start(store, INCREMENTAL), page=page)


def people(names: Iterable[str]) -> list[str]:
    return [f"p{name}" for name in names]


def test_the_first_run_takes_everybody_and_the_next_nobody_who_was_there(store: Store) -> None:
    run = begin(store, [profile(name) for name in people("abc")], INCREMENTAL)
    assert let_in(store, run) == people("abc")
    second = start(store, INCREMENTAL)
    assert let_in(store, second) == []
    found = runs.get(store.connection, second)
    assert (found.state, found.read, found.admitted, found.discarded, found.stayed) == ("done", 3, 0, 0, 3)
    assert codes(store) == {}
    check(store, INCREMENTAL)


def test_who_joined_since_is_let_in_new_people_and_such_as_changed(store: Store) -> None:
    begin_and_end(store, "abc")
    is_member(store, False, "pb")
    assert again(store) == []
    put(store, [profile("pd")])
    is_member(store, True, "pb")
    assert again(store) == people("bd")


def test_who_left_and_came_back_between_two_runs_has_not_joined(store: Store) -> None:
    begin_and_end(store, "ab")
    is_member(store, False, "pa")
    is_member(store, True, "pa")
    assert again(store) == []


def test_what_happened_over_two_runs_counts_by_the_last_one(store: Store) -> None:
    begin_and_end(store, "ab")
    is_member(store, False, "pa", "pb")
    assert again(store) == []
    is_member(store, True, "pa")
    assert again(store) == ["pa"]
    is_member(store, True, "pb")
    assert again(store) == ["pb"]
    assert again(store) == []


def test_who_was_not_let_in_was_a_member_all_the_same(store: Store) -> None:
    """A test profile, and somebody without the identity: members, with their discard. A later run does not name them again."""
    run = begin(store, [profile("pa"), profile("pt", test=True)], INCREMENTAL)
    store.write(lambda work: profiles.put(work, document(profile("pu"), cookie="x")))
    assert let_in(store, run) == ["pa"]
    assert codes(store) == {"pt": "test_profile", "pu": "no_identity"}
    assert again(store) == []
    assert len(store.rows(schema.discards)) == 2


def test_a_run_of_a_list_says_nothing_about_the_segment(store: Store) -> None:
    begin_and_end(store, "a")
    put(store, [profile("pb")])
    assert let_in(store, start(store, INCREMENTAL, listed=["pb"])) == ["pb"]
    assert again(store) == ["pb"]


def test_a_run_that_was_stopped_half_way_counts_for_those_it_came_to(store: Store) -> None:
    begin_and_end(store, "abcd")
    is_member(store, False, "pa", "pd")
    second = start(store, INCREMENTAL)
    assert read(store, second, page=1).stayed == 2  # of b and c, since a page looks at five at once
    is_member(store, True, "pa", "pd")
    third = start_anew(store, second)
    assert let_in(store, third) == people("ad")


def test_a_run_that_was_stopped_before_its_first_page_changes_nothing(store: Store) -> None:
    begin_and_end(store, "ab")
    put(store, [profile("pc")])
    third = start_anew(store, start(store, INCREMENTAL))
    assert let_in(store, third) == ["pc"]


def test_half_way_the_later_ones_are_judged_by_the_run_before(store: Store) -> None:
    names = [f"{number:02}" for number in range(20)]
    begin_and_end(store, names)
    is_member(store, False, "p01", "p18")
    second = start(store, INCREMENTAL)
    read(store, second, page=2)  # ten of nineteen: up to p10
    is_member(store, True, "p01")  # was out when the second run came to it: joined
    is_member(store, True, "p18")  # the second run never came to it, and at the first it was a member
    third = start_anew(store, second)
    assert let_in(store, third, page=3) == ["p01"]


def test_the_next_version_of_the_same_segment_goes_on(store: Store) -> None:
    begin_and_end(store, "ab")
    put(store, [profile("pc")])
    newer = versions.VersionRow("small@2", "small", 2, INCREMENTAL.hash, "live", store.clock.now())

    def publish_newer(work: Work) -> str:
        versions.set_state(work, "small@1", "closed")
        versions.insert(work, newer)
        return runs.start(work, newer, INCREMENTAL.journey)

    assert let_in(store, store.write(publish_newer)) == ["pc"]


def test_a_run_that_goes_on_after_a_crash_lets_in_who_joined_once(store: Store) -> None:
    begin_and_end(store, "abcdef")
    put(store, [profile(name) for name in people("bxyz")])
    second = start(store, INCREMENTAL)
    pages = [read(store, second, page=1)]
    while not pages[-1].done:
        pages.append(read(store, second, page=1))
    assert let_in_by(pages) == ["small~px~1", "small~py~1", "small~pz~1"]
    assert len(store.rows(schema.run_members, run=second)) == 9


def test_who_stayed_is_forgotten_when_nothing_is_compared_with_it_any_more(store: Store) -> None:
    begin_and_end(store, "ab")
    for _ in range(3):
        again(store)
    last = start(store, INCREMENTAL)
    while store.write(lambda work: joining.forget(work, runs.get(work.connection, last), most=1)):
        pass
    left = {(row.run, row.stayed) for row in store.rows(schema.run_members)}
    assert left == {("small.run.1", False), ("small.run.4", True)}
    assert let_in(store, last) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    flips=strategies.lists(strategies.lists(strategies.integers(0, 11), max_size=6), min_size=1, max_size=5),
    page=strategies.integers(1, 4),
)
def test_it_is_the_true_difference(store: Store, flips: list[list[int]], page: int) -> None:
    """Members change between runs at random; each run lets in those who are in now and were not at the run before."""
    savepoint = store.connection.begin_nested()
    try:
        names = [f"p{number:02}" for number in range(12)]
        inside = set(names)
        assert let_in(store, begin(store, [profile(name) for name in names], INCREMENTAL)) == names
        for some in flips:
            before = set(inside)
            for number in some:
                inside ^= {names[number]}
                is_member(store, names[number] in inside, names[number])
            assert again(store, page=page) == sorted(inside - before)
    finally:
        savepoint.rollback()


# ---- words for the above ---------------------------------------------------------------------------------------------------------


def begin_and_end(store: Store, names: Iterable[str]) -> None:
    """A first run of these people, who have left again."""
    let_in(store, begin(store, [profile(name) for name in people(names)], INCREMENTAL))


def start_anew(store: Store, run: str) -> str:
    """The run is stopped, and another one begins."""

    def unit(work: Work) -> None:
        runs.stop_all(work, runs.get(work.connection, run).version)

    store.write(unit)
    out(store)
    return start(store, INCREMENTAL)
