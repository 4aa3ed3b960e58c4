"""The numbers of simulated people are those that the store counts: of any journey, whatever happens in it and however long stops take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from journey import feedback, ids
from journey.graph import ReadSegment
from journey.profiles import ProfileDocument
from journey.reports import Counted
from journey.simulation.population import Crowd
from journey.simulation.simulate import Person
from journey.simulation.story import Occurs, Script
from journey.version import Version
from tests import builders
from tests.builders import PERSON
from tests.store.any_journey import PEOPLE, REFUND, WORLD, any_script, any_version, dated
from tests.store.story_driver import Driver
from tests.store.test_same_story import SOMEBODY

ELSEWHERE = (*feedback.TAKEN, feedback.HARD, "refused.not_live")
"""Reactions are counted where they are drawn, as a population has none but those of its lots; who jumps is let in by another journey."""


@pytest.fixture(scope="module")
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(writes=True) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(dated(any_version()).flatmap(lambda version: st.tuples(st.just(version), any_script(version))), PEOPLE)
def test_one_simulated_person_is_counted_as_one_real_one(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument
) -> None:  # fmt: skip
    assume(counted_alike(connection, *played, person))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
def test_whoever_must_end_while_a_stop_is_to_leave_their_gate_ends_at_the_gate(connection: Connection) -> None:
    buys = {"id": "buys", "kind": "event", "event": "purchase", "next": "a", "timeout": {"after": "PT2H", "next": "a"}}
    splits = [{"id": one, "kind": "split", "shares": [{"id": "all", "percent": 100, "next": to}]} for one, to in (("a", "b"), ("b", "end"))]
    version = builders.version(
        buys,
        *splits,
        {"id": "end", "kind": "end"},
        exit_criteria=[{"event": "refund"}],
        definitions=[builders.purchase_definition(), REFUND],
    )
    refund = Occurs(5 * builders.HOUR // 2, "refund", {}, "r1")
    assert counted_alike(connection, version, Script((refund,), {"a": builders.HOUR}), SOMEBODY)


def counted_alike(connection: Connection, version: Version, script: Script, person: ProfileDocument) -> bool:
    """Asserts that it is so; False for whoever was let in by nobody, of whom there is nothing to be counted."""
    driver = Driver(connection, version, script, WORLD, person)
    with connection.begin() as transaction:
        driver.play()
        transaction.rollback()
    stored = [Counted(key.node, key.kind, key.channel, times) for key, times in driver.work.counted.items()]

    walks = Person(version, driver.profile, script, WORLD, driver.entrant, PERSON)
    if isinstance(version.journey.entry_node, ReadSegment):
        walks.be_read()
    for index in sorted(range(len(script.happenings)), key=lambda index: script.happenings[index].at):
        walks.happen(index, script.happenings[index])
    walks.advance(None)
    crowd = Crowd(version, WORLD, ())
    if walks.end is None:
        return False
    crowd.count(walks)

    assert driver.entrant == ids.entrant(version.journey.id, PERSON, 1)
    assert crowd.counted() == sorted(one for one in stored if one.kind not in ELSEWHERE)
    return True
