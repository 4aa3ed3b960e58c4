"""The simulator and the store tell the same story: of any journey, whatever happens in it and however long its stops take.

The store is driven as the entrant's workflow drives it, by the proposals that the workflow makes, on a clock set by hand. All stands
on a grid of half hours, so that instants often meet: most of what could differ is in who comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from journey.calls import Response
from journey.policies import NONE, Policies
from journey.profiles import ProfileDocument
from journey.simulation.simulate import simulate
from journey.simulation.story import Changes, Happening, Occurs, Reacts, Script, Story, World
from journey.version import Version
from tests import builders
from tests.builders import PERSON
from tests.store.any_journey import (
    ANY_POLICIES,
    CALM,
    HALF_HOUR,
    MOVED,
    NOBODY_KNOWS,
    PEOPLE,
    PROMISING,
    REFUND,
    RESPONSES,
    TALKATIVE,
    WORLD,
    WRITTEN,
    any_script,
    any_version,
    dated,
    remade,
    written,
)
from tests.store.story_driver import Driver, Found

# ---- any journey, any script -----------------------------------------------------------------------------------------------------

NODES = builders.use_case_nodes()
NODES[3]["timeout"]["after"] = "PT2H"
USE_CASE = builders.use_case(nodes=NODES, global_timeout="PT5H")


@pytest.fixture(scope="module")
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(writes=True) as opened:
        yield opened


def assert_same(connection: Connection, version: Version, script: Script, person: ProfileDocument, world: World = WORLD) -> Story:
    """Play the script to both, and leave nothing in the database."""
    driver = Driver(connection, version, script, world, person)
    with connection.begin() as transaction:
        found = driver.play()
        transaction.rollback()
    story = simulate(version, driver.profile, script, world, key=PERSON)
    told = Found(
        story.path,
        tuple((told.id, told.node, told.channel, told.status, told.reason) for told in story.deliveries),
        story.effects,
        (story.end, story.end_node, story.ended_at),
        dict(story.attributes),
    )
    assert told == found
    return story


@pytest.mark.complaint(18)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(any_version().flatmap(lambda version: st.tuples(st.just(version), any_script(version))), PEOPLE, RESPONSES)
def test_of_any_journey_the_simulator_tells_what_the_store_does(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument, responses: dict[str, Response]
) -> None:
    story = assert_same(connection, *played, person, replace(WORLD, responses=responses))
    for effect in story.effects:
        event(effect.code)
    event(f"ends with {story.end}")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.integers(0, 1)
    .flatmap(lambda criteria: any_version(MOVED, criteria))
    .flatmap(lambda version: st.tuples(st.just(version), any_script(version, writes=8))),
    PEOPLE,
)
def test_so_it_does_where_profiles_are_written_and_people_leave_by_exit_criteria(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument
) -> None:  # fmt: skip
    story = assert_same(connection, *played, person)
    for effect in story.effects:
        event(effect.code)
    event(f"ends with {story.end}")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(any_script(USE_CASE), PEOPLE)
def test_of_the_use_case_the_simulator_tells_what_the_store_does(connection: Connection, script: Script, person: ProfileDocument) -> None:
    story = assert_same(connection, USE_CASE, script, person, replace(WORLD, messages=builders.use_case_messages()))
    event(" ".join((*story.path, story.end)))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    dated(any_version()).flatmap(lambda version: st.tuples(st.just(version), any_script(version))),
    PEOPLE,
    st.just(NONE) | ANY_POLICIES,
)
def test_so_it_does_where_the_journey_starts_and_ends_meanwhile(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument, held_to: Policies
) -> None:  # fmt: skip
    story = assert_same(connection, *played, person, replace(WORLD, policies=held_to))
    for effect in story.effects:
        event(effect.code)
    event(f"ends with {story.end}")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    (dated(any_version() | any_version(CALM, 1)) | st.just(TALKATIVE)).flatmap(
        lambda version: st.tuples(st.just(version), any_script(version, pauses=3))
    ),
    PEOPLE,
    RESPONSES,
    st.just(NONE) | ANY_POLICIES,
)
def test_so_it_does_where_the_journey_is_paused_and_resumed(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument, responses: dict[str, Response], held_to: Policies
) -> None:  # fmt: skip
    story = assert_same(connection, *played, person, replace(WORLD, responses=responses, policies=held_to))
    for effect in story.effects:
        event(effect.code)
    event("somebody was held" if any("held before" in moment.sentence for moment in story.timeline) else "nobody was held")
    event(f"ends with {story.end}")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    dated(st.just(PROMISING)).flatmap(lambda version: st.tuples(st.just(version), any_script(version, pauses=1))),
    PEOPLE,
    st.just(NONE) | ANY_POLICIES,
)
def test_so_it_does_where_nobody_knows_of_messages_that_are_never_lost(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument, held_to: Policies
) -> None:  # fmt: skip
    version, script = played
    story = assert_same(connection, version, replace(script, uncertain=NOBODY_KNOWS), person, replace(WORLD, policies=held_to))
    for told in story.deliveries:
        event(f"{told.status} {told.reason}")


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")  # where each statement goes to a server and back
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(any_version().flatmap(lambda version: st.tuples(st.just(version), any_script(version))), PEOPLE, RESPONSES)
def test_so_it_does_on_postgresql(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument, responses: dict[str, Response]
) -> None:
    assert_same(connection, *played, person, replace(WORLD, responses=responses))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    (st.integers(0, 1).flatmap(lambda criteria: any_version(CALM, criteria)) | st.just(TALKATIVE)).flatmap(
        lambda version: st.tuples(st.just(version), any_script(version, writes=3))
    ),
    PEOPLE,
    ANY_POLICIES,
)
def test_under_any_policies_the_simulator_tells_what_the_store_does(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument, held_to: Policies
) -> None:  # fmt: skip
    story = assert_same(connection, *played, person, replace(WORLD, policies=held_to))
    for told in story.deliveries:
        event(f"{told.status} {told.reason}")
    event("something waited" if any("waits for" in moment.sentence for moment in story.timeline) else "nothing waited")


# ---- what once differed ----------------------------------------------------------------------------------------------------------

SOMEBODY = ProfileDocument.model_validate(
    {"id": PERSON, "attributes": {"email": "ada@example.org"}, "identities": {"customer_id": PERSON}, "push_tokens": [{"token": "t"}]}
)
SLOW = {"n0": builders.HOUR}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize(
    ("node", "statuses"),
    [
        ({"kind": "webhook", "url": "https://crm.example/x", "body": "{{ calls.n1.body.score | json }}"}, ["failed"]),
        ({"kind": "message", "message": "both"}, ["failed", "failed"]),
    ],
)
def test_what_cannot_be_made_out_fails_at_once_and_takes_no_time(
    connection: Connection, node: dict[str, object], statuses: list[str]
) -> None:
    version = builders.version({"id": "n0", **node, "error": "n1"}, {"id": "n1", "kind": "wait", "for": "PT30M"})
    story = assert_same(connection, version, Script(stops=SLOW), SOMEBODY)
    assert [(told.status, told.reason) for told in story.deliveries] == [(status, "render_error") for status in statuses]
    assert story.path == ("read:next", "n0:error", "n1:next")
    assert story.ended_at == 30 * builders.MINUTE


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
def test_where_one_channel_cannot_be_made_out_the_other_takes_its_time(connection: Connection) -> None:
    version = builders.version({"id": "n0", "kind": "message", "message": "asks"})
    person = SOMEBODY.model_copy(update={"attributes": {"email": "ada@example.org", "first_name": "Ada"}})
    story = assert_same(connection, version, Script(stops=SLOW), person)
    assert [(told.channel, told.status) for told in story.deliveries] == [("email", "sent"), ("push", "failed")]
    assert (story.path[-1], story.ended_at) == ("n0:next", builders.HOUR)


AFTER_A_SLOW_MAIL = [
    {"id": "n1", "kind": "event", "event": "purchase", "next": "n2"},
    {"id": "n1", "kind": "wait", "until": "2025-06-15T15:36:40Z", "next": "n2"},
]
"""What is over already when somebody comes to it an hour after their admission: by the global timeout, and by the wait itself."""


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize(("late", "end"), [*zip(AFTER_A_SLOW_MAIL, ("global_timeout", "finished"), strict=True)])
@pytest.mark.parametrize("minutes", [59, 60, 61])
def test_what_is_over_when_somebody_comes_to_it_hears_nothing_of_that_instant(
    connection: Connection, late: dict[str, object], end: str, minutes: int
) -> None:
    version = builders.version(
        {"id": "n0", "kind": "message", "message": "mail", "next": [late["id"]]},
        late,
        {"id": "n2", "kind": "wait", "for": "PT1H", "next": []},
        global_timeout="PT30M" if end == "global_timeout" else "P1D",
        definitions=[builders.purchase_definition()],
    )
    person = SOMEBODY.model_copy(update={"attributes": {"email": "ada@example.org", "first_name": "Ada"}})
    buys = Occurs(minutes * builders.MINUTE, "purchase", builders.THANKS, "e1")
    story = assert_same(connection, version, Script((buys,), SLOW), person)
    was_kept = minutes < 60 and end == "global_timeout"  # on the way it is kept, and decides as the earlier
    assert [effect.code for effect in story.effects] == ["decided" if was_kept else "nobody_listening"]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("ends_by", ["global_timeout", "journey_ended", "exit_criteria"])
@pytest.mark.parametrize("node", ["message", "update_profile", "webhook"])
def test_whoever_is_parked_ends_as_they_would_elsewhere_and_only_then_has_left_what_failed(
    connection: Connection, node: str, ends_by: str
) -> None:  # fmt: skip
    does: dict[str, dict[str, Any]] = {
        "message": {"message": "mail"},
        "update_profile": {"set": {"total": "x"}},
        "webhook": {"url": "https://crm.example/x"},
    }
    version = builders.version(
        {"id": "n0", "kind": node, **does[node], "next": "n1"}, {"id": "n1", "kind": "wait", "for": "PT1H", "next": []},
        on_error="park", global_timeout="PT3H", exit_criteria=[{"event": "purchase"}],
        definitions=[builders.purchase_definition()],
    )  # fmt: skip
    if ends_by == "journey_ended":
        version = Version(journey=remade(version, end=written(2)), events=version.events)
    buys = (Occurs(HALF_HOUR, "purchase", builders.THANKS, "e1"),) if ends_by == "exit_criteria" else ()
    person = SOMEBODY.model_copy(update={"attributes": {"email": "ada@example.org", "first_name": "Ada"}})
    story = assert_same(connection, version, Script(buys, failing=frozenset({("n0", "email"), ("n0", "webhook")})), person)
    assert story.end == ends_by
    assert story.path == ("read:next", *(() if node == "update_profile" else ("n0:error",)))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
def test_what_is_written_at_the_very_beginning_is_kept_on_behind_a_rule_that_it_makes_true(connection: Connection) -> None:
    drawn = builders.version(
        {"id": "n0", "kind": "update_profile", "set": {"city": "Rome", "vip": True}, "next": "n1"},
        {"id": "n1", "kind": "wait", "until": {"rule": builders.rule("city", "=", "Rome")}, "next": "n2"},
        {"id": "n2", "kind": "qualification", "segment": "vips", "next": []},
    )
    version = Version(journey=drawn.journey, events=drawn.events, writes=WRITTEN)
    assert assert_same(connection, version, Script(), SOMEBODY).path[-1] == "n2:next"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("entry", [
    {"kind": "read_segment", "segment": "everybody"}, {"kind": "event", "event": "refund"}, {"kind": "qualification", "segment": "vips"},
])  # fmt: skip
@pytest.mark.parametrize(("late", "code"), [(0, "decided"), (1, "nobody_listening")])
def test_a_gate_that_is_over_at_the_instant_of_the_arrival_hears_an_event_of_that_instant(
    connection: Connection, entry: dict[str, Any], late: int, code: str
) -> None:
    over = {"id": "over", "kind": "wait", "until": "2025-06-15T15:06:40Z", "next": []}
    buys = {"id": "buys", "kind": "event", "event": "purchase", "next": []}
    version = builders.version(
        nodes=[{"id": "in", "next": ["buys", "over"], **entry}, buys, over], definitions=[builders.purchase_definition(), REFUND]
    )
    enters: dict[str, tuple[Happening, ...]] = {
        "read_segment": (), "event": (Occurs(0, "refund", {}, "r1"),), "qualification": (Changes(0, {"city": "Rome", "vip": True}),),
    }  # fmt: skip
    story = assert_same(connection, version, Script((*enters[entry["kind"]], Occurs(late, "purchase", builders.THANKS, "e1"))), SOMEBODY)
    assert story.effects[-1].code == code


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
def test_of_two_writes_at_one_instant_the_second_comes_too_late_for_a_gate_that_is_over_then(connection: Connection) -> None:
    enters = {"id": "in", "kind": "qualification", "segment": "vips", "next": ["rome", "over"]}
    rome = {"id": "rome", "kind": "qualification", "segment": "romans", "next": []}
    over = {"id": "over", "kind": "wait", "until": "2025-06-15T15:06:40Z", "next": []}
    version = builders.version(nodes=[enters, rome, over])
    story = assert_same(connection, version, Script((Changes(0, {"vip": True}), Changes(0, {"city": "Rome"}))), SOMEBODY)
    assert story.path == ("in:next", "over:next")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
def test_what_was_clicked_before_it_was_uncertain_counts_under_a_cap_from_when_it_went(connection: Connection) -> None:
    cap = {"id": "cap", "channels": ["all"], "most": 1, "within": "PT30M", "then": "retry", "retry_for": "PT1H"}
    world = replace(WORLD, policies=Policies.model_validate({"caps": [cap]}))
    script = Script((Reacts(0, "n0", "push.clicked"),), uncertain=NOBODY_KNOWS)
    person = SOMEBODY.model_copy(update={"attributes": {"email": "ada@example.org", "first_name": "Ada", "city": "Atlanta"}})
    story = assert_same(connection, PROMISING, script, person, world)
    assert [told.status for told in story.deliveries if told.channel == "push"] == ["sent", "excluded", "sent", "excluded"]


# ---- an entry that alone hears of profiles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
def test_a_segment_that_only_the_entry_names_lets_in_and_moves_nobody_further(connection: Connection) -> None:
    read = {"id": "read", "kind": "qualification", "segment": "vips", "next": "n0"}
    version = builders.version(nodes=[read, {"id": "n0", "kind": "wait", "for": "PT1H"}])
    writes = (Changes(0, {"city": "Rome"}), Changes(1, {"vip": True}), Changes(2, {"vip": False}), Changes(3, {"vip": True}))
    story = assert_same(connection, version, Script(writes), SOMEBODY)
    assert [effect.code for effect in story.effects] == ["no_effect", "enters", "no_effect", "already_inside"]
    assert (story.path, story.end) == (("read:next", "n0:next"), "finished")
    assert story.ended_at == 1 + builders.HOUR
