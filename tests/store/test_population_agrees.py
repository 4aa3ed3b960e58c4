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
from journey.simulation.story import Script
from journey.version import Version
from tests.builders import PERSON
from tests.store.any_journey import PEOPLE, WORLD, any_script, any_version, dated
from tests.store.story_driver import Driver

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
    version, script = played
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
    assume(walks.end is not None)  # of whoever was let in by nobody there is nothing to be counted
    crowd.count(walks)

    assert driver.entrant == ids.entrant(version.journey.id, PERSON, 1)
    assert crowd.counted() == sorted(one for one in stored if one.kind not in ELSEWHERE)
