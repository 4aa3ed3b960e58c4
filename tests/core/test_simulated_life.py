"""A simulated journey has a start and an end: nobody enters before, and at the end everybody inside ends, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journey import explore, population, scenarios_judged, script_text
from journey.errors import BadInput
from journey.events import Instant
from journey.scenarios import Expectations, Scenario
from journey.simulate import simulate
from journey.story import Effect, Script, Story, World
from journey.version import Version
from tests import builders
from tests.builders import DAY, HOUR, MINUTE, SECOND, START

WAITS = {"id": "waits", "kind": "wait", "for": "P1D", "next": "first"}
WRITES = {"id": "first", "kind": "message", "message": "first-message", "next": "buys"}
TELLS = WRITES | {"next": "end"}
BUYS = {"id": "buys", "kind": "event", "event": "purchase", "next": "end"}
END = {"id": "end", "kind": "end"}
BY_EVENT = {"id": "read", "kind": "event", "event": "purchase", "next": "waits"}
WORLD = World(messages=builders.use_case_messages(), definitions=(builders.purchase_definition(),), begins=START)
PROFILE = builders.profile()


def at(after: Instant) -> str:
    """An instant after the beginning of the stories, as a journey writes it."""
    return f"{datetime.fromtimestamp(START / SECOND, UTC) + timedelta(microseconds=after):%Y-%m-%dT%H:%M:%S.%f}Z"


def dated(*, start: Instant | None = None, end: Instant | None = None, nodes: list[Mapping[str, Any]] | None = None) -> Version:
    dates: dict[str, Any] = {name: at(after) for name, after in (("start", start), ("end", end)) if after is not None}
    return builders.version(*(nodes or [WAITS, WRITES, BUYS, END]), **dates)


def story(version: Version, *texts: str, world: World = WORLD, **changed: Any) -> Story:
    happenings = tuple(script_text.happening(text, number, version) for number, text in enumerate(texts))
    return simulate(version, PROFILE, Script(happenings, **changed), world)


# ---- the end ---------------------------------------------------------------------------------------------------------------------


def test_whoever_waits_at_the_end_date_ends_at_that_instant() -> None:
    told = story(dated(end=2 * DAY))
    assert (told.path, told.end, told.ended_at) == (("read:next", "waits:next", "first:next"), "journey_ended", 2 * DAY)
    assert told.end_node == ""


@pytest.mark.parametrize(("early", "end"), [(1, "finished"), (0, "journey_ended")])
def test_an_event_of_the_instant_of_the_end_comes_too_late(early: Instant, end: str) -> None:
    told = story(dated(end=2 * DAY + early), "P2D purchase")
    assert (told.end, told.effects[0].code) == (end, "decided" if early else "nobody_listening")


def test_a_wait_that_is_over_at_the_instant_of_the_end_leads_nowhere() -> None:
    told = story(dated(end=DAY))
    assert (told.path, told.sent, told.end, told.ended_at) == (("read:next",), (), "journey_ended", DAY)


def test_a_message_that_is_on_its_way_at_the_end_arrives_and_is_the_last() -> None:
    told = story(dated(end=DAY + MINUTE), stops={"first": HOUR})
    assert (told.path[-1], told.end, told.ended_at) == ("first:next", "journey_ended", DAY + HOUR)
    assert told.sent == ("first:email", "first:push")


def test_what_is_held_for_its_review_is_not_sent_after_the_end() -> None:
    told = story(dated(end=2 * DAY, nodes=[WAITS, WRITES | {"hold_for_review": True}, BUYS, END]), "P3D approve first")
    assert [(one.status, one.reason) for one in told.deliveries] == [("excluded", "ended")] * 2
    assert (told.end, told.ended_at, told.effects) == ("journey_ended", 2 * DAY, (Effect("no_effect"),))


def test_an_exit_criterion_of_before_is_the_reason_although_the_end_comes_first() -> None:
    of = builders.version(WRITES, BUYS, END, end=at(HOUR), exit_criteria=[{"event": "purchase"}])
    told = story(of, "PT30M purchase", stops={"first": 2 * HOUR})
    assert (told.end, told.ended_at) == ("exit_criteria", 2 * HOUR)


def test_every_way_through_a_journey_that_ends_is_found_and_ends_with_it() -> None:
    found = [way.story for way in explore.ways(dated(end=2 * DAY), PROFILE, WORLD)]
    assert [(way.path[-1], way.end) for way in found] == [("buys:next", "finished"), ("first:next", "journey_ended")]


# ---- the start -------------------------------------------------------------------------------------------------------------------


def test_a_run_waits_for_the_start_and_nobody_is_inside_before() -> None:
    told = story(dated(start=DAY), "PT1H purchase", "P2DT1H purchase")
    assert [effect.code for effect in told.effects] == ["nobody_listening", "decided"]
    assert (told.path[0], told.end, told.ended_at) == ("read:next", "finished", 2 * DAY + HOUR)
    assert not story(dated(start=DAY), until=HOUR).entered


def test_a_run_that_somebody_asks_for_before_the_start_is_refused() -> None:
    read = {"id": "read", "kind": "read_segment", "segment": "everybody", "schedule": "manual", "next": "waits"}
    of = builders.version(nodes=[read, WAITS, WRITES, BUYS, END], start=at(DAY))
    told = story(of)
    assert (told.entered, told.path, told.end) == (False, (), "")
    assert told.timeline[0].sentence == "is not let in: not_started"


def test_an_event_before_the_start_lets_nobody_in_and_one_after_it_does() -> None:
    of = builders.version(nodes=[BY_EVENT, WAITS, TELLS, END], start=at(DAY))
    told = story(of, "PT1H purchase", "P1D purchase")
    assert (told.effects, told.ended_at) == ((Effect("not_started"), Effect("enters")), 2 * DAY)


def test_after_the_end_nobody_looks_at_what_would_let_somebody_in() -> None:
    of = builders.version(nodes=[BY_EVENT, WAITS, TELLS, END], end=at(DAY))
    told = story(of, "P1D purchase")
    assert (told.entered, told.effects) == (False, (Effect("nobody_listening"),))


# ---- scenarios and populations ---------------------------------------------------------------------------------------------------


def test_a_scenario_that_says_no_beginning_begins_no_earlier_than_its_journey() -> None:
    for start, begins in (("2026-12-01", "2026-12-01T00:00"), ("2025-12-01", "2026-01-05T09:00")):
        of = builders.version(WAITS | {"next": "end"}, END, start=start)
        scenario = Scenario(journey="small", expect=Expectations(end="finished"))
        assert scenarios_judged.begins(scenario, of) == script_text.begins(begins, of)
        assert scenarios_judged.play(scenario, of, PROFILE, WORLD).ended_at == DAY


def test_of_many_people_those_still_inside_end_with_the_journey_and_after_it_nobody_enters() -> None:
    of, world = dated(start=DAY, end=3 * DAY), replace(WORLD, renders=False)
    found = population.walk_all(of, lambda _: PROFILE, world, (), people=3, seed=1)
    assert (found.longest, found.report.totals.ended) == (2 * DAY, {"journey_ended": 3})
    with pytest.raises(BadInput, match="nobody enters"):
        population.walk_all(of, lambda _: PROFILE, replace(world, begins=START + 3 * DAY), (), people=1, seed=1)
