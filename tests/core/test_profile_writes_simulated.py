"""Profiles that are written in a simulation: as texts and in scenarios, what they decide, and journeys that begin with a segment."""

from __future__ import annotations

from typing import Any

import pytest

from journey.errors import BadInput
from journey.rule_text import as_tree
from journey.simulation import explore, judging, script_text
from journey.simulation.scenarios import Scenario
from journey.simulation.simulate import simulate
from journey.simulation.story import Changes, Effect, Script, Story, World
from journey.version import Version
from tests.builders import DAY, HOUR, message, profile, version

WORLD = World(messages={"thanks": message("thanks", "email")}, segments={"vips": as_tree("vip == true")})
BOSTON = {"id": "boston", "kind": "wait", "until": {"rule": 'city == "Boston"'}, "next": "joined", "timeout": {"after": "P1D"}}
JOINED = {"id": "joined", "kind": "qualification", "segment": "vips", "next": "thanks", "timeout": {"after": "P1D", "next": "end"}}
THANKS = {"id": "thanks", "kind": "message", "message": "thanks", "next": "end"}
END = {"id": "end", "kind": "end"}
DRAWN = version(BOSTON, JOINED, THANKS, END)
BEGINS = Version(
    journey=DRAWN.journey.model_copy(update={"nodes": version(JOINED | {"timeout": None}, THANKS, END).journey.nodes[1:]}), events={}
)


def story(drawn: Version, *texts: str, **attributes: Any) -> Story:
    return simulate(drawn, profile(**attributes), Script(script_text.happenings(texts, drawn)), WORLD)


def test_a_profile_is_written_as_a_text_says_and_what_comes_true_lets_on() -> None:
    told = story(DRAWN, 'PT1H profile {"city": "Boston"}', 'PT2H profile {"shoe_size": 40}', 'PT3H profile {"vip": true}')
    assert told.effects == (Effect("decided", "boston"), Effect("no_effect"), Effect("decided", "joined"))
    assert (told.path, told.ended_at) == (("read:next", "boston:next", "joined:next", "thanks:next"), 3 * HOUR)


def test_null_takes_an_attribute_out() -> None:
    assert script_text.happening('P1D profile {"city": null}', 0, DRAWN) == Changes(DAY, {"city": None})
    leaves = version(JOINED | {"direction": "leave"}, THANKS, END)
    assert story(leaves, 'PT1H profile {"vip": null}', vip=True).effects == (Effect("decided", "joined"),)


def test_a_write_of_nothing_is_no_happening() -> None:
    with pytest.raises(BadInput, match="Nothing is written"):
        script_text.happening("P1D profile", 0, DRAWN)


def test_one_of_whom_the_rule_is_true_goes_on_at_once() -> None:
    assert story(DRAWN, city="Boston").path[:2] == ("read:next", "boston:next")


def test_a_scenario_writes_profiles_and_expects_an_exit() -> None:
    drawn = version(BOSTON, JOINED, THANKS, END, exit_criteria=[{"segment": "vips"}])
    scenario = Scenario.model_validate({
        "journey": "small",
        "happens": [{"after": "PT1H", "profile": {"shoe_size": 40}}, {"after": "PT2H", "profile": {"vip": True}}],
        "expect": {"path": ["read"], "events": ["no_effect", "exits"], "end": "exit_criteria", "ended_after": "PT2H"},
    })  # fmt: skip
    assert judging.mistakes(scenario, drawn, WORLD) == ()
    assert judging.judge(scenario, judging.play(scenario, drawn, profile(), WORLD)) == ()


def test_every_way_through_finds_writes_that_let_people_on() -> None:
    ways = {way.story.path for way in explore.ways(DRAWN, profile(), WORLD)}
    assert ("read:next", "boston:next", "joined:next", "thanks:next") in ways
    assert ("read:next", "boston:timeout", "joined:timeout") in ways


# ---- a journey that begins with a segment ----------------------------------------------------------------------------------------


def test_the_first_write_that_makes_somebody_a_member_lets_them_in() -> None:
    told = story(BEGINS, 'PT1H profile {"shoe_size": 40}', 'PT2H profile {"vip": true}', vip=None)
    assert told.effects == (Effect("no_effect"), Effect("enters"))
    assert (told.path, told.ended_at) == (("joined:next", "thanks:next"), 2 * HOUR)


def test_nothing_written_means_that_they_enter_at_once() -> None:
    assert story(BEGINS).path == ("joined:next", "thanks:next")


def test_a_member_from_before_does_not_enter() -> None:
    told = story(BEGINS, 'PT1H profile {"city": "Rome"}', vip=True)
    assert (told.path, told.effects) == ((), (Effect("no_effect"),))


def test_a_scenario_of_such_a_journey_must_say_by_what_they_enter() -> None:
    scenario = Scenario.model_validate({"journey": "small", "expect": {"end": "finished"}})
    assert [one.path for one in judging.mistakes(scenario, BEGINS, WORLD)] == ["happens"]
