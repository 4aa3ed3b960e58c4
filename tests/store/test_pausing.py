"""What a pause does to versions, runs and who enters; how it ends, by somebody or by itself; and how those held go on."""

from __future__ import annotations

import pytest

from journey import ids, lifecycle
from journey.errors import BadInput, Conflict
from store import admission, dates, entrants, in_use, journeys, overdue, pausing, profiles, reports, runs, schema, versions
from store.pausing import Page
from tests.builders import DAY, SECOND, message, profile, rule, use_case, use_case_messages, version
from tests.store.driver import Store, check, document, let_in, publish
from tests.store.pauses import ADA, GATE, VERSION, clock_brings, held, let_ada_in, pause, release, resume, state

# ---- who enters ------------------------------------------------------------------------------------------------------------------


def run_of(store: Store, *names: str) -> str:
    for name in names:
        store.write(lambda work, name=name: profiles.put(work, document(profile(name))))  # type: ignore[misc]
    row = versions.row(store.connection, VERSION)
    return store.write(lambda work: runs.start(work, row, use_case().journey, list(names)))


def admit(store: Store, run: str, page: int = 200) -> admission.Admitted:
    return store.write(lambda work: admission.admit_page(work, run, page=page))


def test_a_run_holds_its_place_and_reads_on(store: Store) -> None:
    let_ada_in(store)
    run = run_of(store, "bob", "cem", "dan")
    assert len(admit(store, run, 1).starts) == 1
    pause(store)
    assert runs.get(store.connection, run).state == "paused"
    assert admit(store, run) == admission.Admitted(done=True)
    assert runs.reading(store.connection) == []

    assert resume(store).runs == (run,)
    assert runs.reading(store.connection) == [run]
    assert [start.entrant.entrant for start in admit(store, run).starts] == ["thank-you~cem~1", "thank-you~dan~1"]
    assert store.rows(schema.discards) == []


def test_where_a_pause_discards_the_rest_of_a_run_is_discarded_with_a_reason(store: Store) -> None:
    let_ada_in(store)
    run = run_of(store, "bob", "cem", "dan")
    admit(store, run, 1)
    pause(store, "discard")
    assert admit(store, run) == admission.Admitted((), 2, 2, 0, True)
    assert [(row.profile, row.code, row.run) for row in store.rows(schema.discards)] == [("cem", "paused", run), ("dan", "paused", run)]
    found = runs.get(store.connection, run)
    assert (found.state, found.admitted, found.discarded) == ("done", 1, 2)


def test_a_run_that_somebody_asks_for_meanwhile_is_refused(store: Store) -> None:
    let_ada_in(store)
    pause(store)
    with pytest.raises(Conflict, match="thank-you@1 is paused: it lets nobody in") as refused:
        store.write(lambda work: journeys.start_run(work, "thank-you", ["ada"]))
    assert refused.value.code == "paused"


# ---- states ----------------------------------------------------------------------------------------------------------------------


def test_a_pause_is_one_of_all_versions_with_people_and_each_goes_back_to_what_it_was(store: Store) -> None:
    let_ada_in(store)
    row = versions.row(store.connection, VERSION)
    second = versions.VersionRow(ids.version("thank-you", 2), "thank-you", 2, row.hash, "live", store.clock.now())
    store.write(lambda work: versions.set_state(work, VERSION, "closed"))
    store.write(lambda work: versions.insert(work, second))
    assert pause(store).versions == (VERSION, "thank-you@2")
    assert versions.live(store.connection, "thank-you") is None
    found = versions.open_to(store.connection, "thank-you")
    assert found is not None
    assert (found.id, found.refusal(store.clock.now())) == ("thank-you@2", "paused")
    with pytest.raises(Conflict, match="thank-you is paused already"):
        pause(store)
    assert resume(store).versions == {VERSION: "closed", "thank-you@2": "live"}
    with pytest.raises(Conflict, match="thank-you is not paused"):
        resume(store)


def test_closed_while_it_is_paused_it_is_closed_when_it_is_resumed(store: Store) -> None:
    let_ada_in(store)
    run = run_of(store, "bob")
    pause(store)
    closed = store.write(lambda work: journeys.close(work, "thank-you"))
    assert (closed.version, closed.state) == (VERSION, "paused")
    assert runs.get(store.connection, run).state == "stopped"
    assert versions.open_to(store.connection, "thank-you") is None
    with pytest.raises(Conflict, match="no live version"):
        store.write(lambda work: journeys.close(work, "thank-you"))
    assert resume(store).versions == {VERSION: "closed"}


def test_closed_and_left_by_all_while_it_was_paused_it_is_finished_when_it_is_resumed(store: Store) -> None:
    ada = let_ada_in(store)
    pause(store, "discard")
    store.write(lambda work: journeys.close(work, "thank-you"))
    assert ada.stop().end == "journey_paused"
    assert state(store) == "paused"
    assert resume(store).versions == {VERSION: "finished"}


def test_every_move_is_on_record_with_what_it_was(store: Store) -> None:
    let_ada_in(store)
    pause(store, "discard")
    resume(store)
    store.write(lambda work: journeys.stop(work, "thank-you"))
    found = versions.moves(store.connection, "thank-you")
    assert [(one.version, one.act, one.before, one.after, one.detail) for one in found] == [
        (VERSION, "stop", "live", "stopped", ""),
        (VERSION, "resume", "paused", "live", ""),
        (VERSION, "pause", "live", "paused", "discard"),
    ]


# ---- it ends by itself -----------------------------------------------------------------------------------------------------------


def test_a_pause_ends_by_itself_when_its_time_is_over(store: Store) -> None:
    ada = let_ada_in(store)
    run = run_of(store, "bob")
    paused = pause(store, length="P2D")
    assert paused.until == store.clock.now() + 2 * DAY
    held(ada)
    store.clock.instant = paused.until - SECOND
    clock_brings(store)
    assert state(store) == "paused"
    store.clock.instant += SECOND
    clock_brings(store)
    assert state(store) == "live"
    assert dates.due(store.connection, store.clock.now()) == []
    assert runs.reading(store.connection) == [run]
    assert pausing.held_back(store.connection) == [VERSION]
    assert versions.moves(store.connection, "thank-you")[0].detail == pausing.BY_ITSELF
    row = versions.row(store.connection, VERSION)
    assert (row.pause, row.resumes, row.paused_at, row.pause_until, row.release_rate) == ("", "", None, None, 100)


@pytest.mark.parametrize("length", ["P15D", "P14DT1S", "soon", "P0D", "-P1D", "P1M"])
def test_a_pause_that_is_too_long_or_none_is_refused(length: str) -> None:
    with pytest.raises(BadInput) as refused:
        lifecycle.pause_length(length)
    assert refused.value.code == "duration_invalid"


# ---- who goes on -----------------------------------------------------------------------------------------------------------------


def test_those_held_go_on_page_by_page_at_the_rate_and_whoever_is_not_told_is_looked_after(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    store.connection.execute(schema.journeys.insert(), {"id": "thank-you"})
    drivers = let_in(store, use_case(), [profile(f"p-{number}") for number in range(7)])
    pause(store)
    for driver in drivers:
        held(driver)
    report = reports.report(store.connection, VERSION, use_case().journey)
    assert (report.totals.held, report.totals.inside) == (7, 7)
    assert {node.node: node.held for node in report.nodes if node.held} == {"first": 7}
    assert resume(store, rate=3).held == 7
    assert [len(release(store).people) for _ in range(3)] == [3, 3, 1]
    assert release(store) == Page((), 3, True)

    store.clock.instant += entrants.DECIDED_DUE + 61 * SECOND
    owed = store.write(lambda work: overdue.take(work, 60 * SECOND, 100))
    assert [(one.ending, one.happened) for one in owed] == [("", None)] * 7
    for driver in drivers:
        assert driver.stop().place == GATE
    assert {row.status for row in store.rows(schema.deliveries)} == {"sent"}
    assert len(store.rows(schema.deliveries)) == 14
    check(store, use_case())


def test_one_whose_gate_went_over_meanwhile_and_who_was_never_held_just_goes_on(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    pause(store)
    ada.pass_time()
    resume(store)
    assert ada.stop().place == "purchase"
    assert ada.deliveries()["2.email"] == "sent"


def test_the_messages_of_a_paused_journey_are_in_use(store: Store) -> None:
    let_ada_in(store)
    pause(store)
    with pytest.raises(Conflict, match="in use by thank-you@1"):
        in_use.check_message(store.connection, "first-message")


def test_nothing_is_paused_that_nobody_is_in(store: Store) -> None:
    let_ada_in(store)
    store.write(lambda work: journeys.stop(work, "thank-you"))
    with pytest.raises(Conflict, match="has no live or closed version to be paused"):
        pause(store)


def test_a_condition_of_a_paused_journey_needs_no_message(store: Store) -> None:
    """What is decided and sends nobody anything walks on to its end."""
    of = version(
        {"id": "which", "kind": "condition", "branches": [{"id": "rome", "when": rule("profile.city", "=", "Rome"), "next": "one"}]},
        {"id": "one", "kind": "message", "message": "one", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    publish(store, of, {"one": message("one", "email")})
    store.connection.execute(schema.journeys.insert(), {"id": "small"})
    (ada,) = let_in(store, of, [ADA])
    pause(store, journey="small")
    assert ada.stop().end == "no_branch"
