"""Journeys, people and scripts that Hypothesis draws, played on a real Temporal server: each goes as the simulator tells it.

A few by default, as many as JOURNEYS says: fifty in `make chaos`. The same are drawn every time. tests/store/test_same_story.py has many
more of them without the workflow.
"""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demo.story_server import play_all
from demo.story_stage import Play
from journey.profiles import Profile
from journey.simulation.simulate import simulate
from journey.simulation.story import Story
from tests.builders import PERSON
from tests.store.any_journey import ANY_POLICIES, PEOPLE, RESPONSES, WORLD, any_script, any_version, dated

PLAYED = int(os.environ.get("JOURNEYS", "8"))
_OF = 6
"""So many are drawn for each that is played: the one in which most happens."""


async def test_any_journey_goes_on_a_real_server_as_the_simulator_tells_it(tmp_path: Path) -> None:
    plays = drawn(PLAYED)

    played = await play_all(plays, tmp_path)

    wrong = [found for play, one in zip(plays, played, strict=True) if (found := differences(play, one.story))]
    assert not wrong, f"{len(wrong)} of {len(plays)}:\n" + "\n\n".join(wrong)


def drawn(number: int) -> list[Play]:
    """So many plays, the same every time."""
    found: list[Play] = []
    checks = list(HealthCheck)

    @settings(max_examples=number * _OF, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=checks)
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        version = data.draw(dated(any_version()))
        held = data.draw(st.one_of(st.just(WORLD.policies), st.just(WORLD.policies), ANY_POLICIES))
        world = replace(WORLD, responses=data.draw(RESPONSES), policies=held)
        found.append(Play(version, data.draw(PEOPLE), data.draw(any_script(version, pauses=2)), world, PERSON))

    draw()
    return [max(found[start::number], key=_much) for start in range(number)]


def _much(play: Play) -> int:
    story = simulated(play)
    return len(story.path) + 2 * len({(effect.code, effect.was_kept) for effect in story.effects}) + bool(play.script.stops)


def simulated(play: Play) -> Story:
    person = play.person
    profile = Profile(PERSON, person.attributes, dict(person.consents), tuple(token.token for token in person.push_tokens))
    return simulate(play.version, profile, play.script, play.world, key=PERSON)


def differences(play: Play, real: object) -> str:
    """What the simulator tells otherwise, with all that is needed to make a test of it; empty when it is nothing."""
    told = simulated(play)
    if not isinstance(real, Story):
        return f"{real!r}\n{_all_of(play)}"
    names = [field.name for field in fields(Story) if field.name != "timeline"]
    wrong = [
        f"{name}\n  simulated {getattr(told, name)}\n  real      {getattr(real, name)}"
        for name in names
        if getattr(told, name) != getattr(real, name)
    ]
    if not wrong:
        return ""
    lines = [
        f"  {who} {moment.at / 1_000_000:>9} {moment.sentence}"
        for who, story in (("simulated", told), ("real     ", real))
        for moment in story.timeline
    ]
    return "\n".join([*wrong, *lines, _all_of(play)])


def _all_of(play: Play) -> str:
    journey = play.version.journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return f"{play.script}\n{play.person}\n{play.world.responses} {play.world.policies}\n{journey}"
