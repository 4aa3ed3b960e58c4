"""`sojourn test --real`: scenarios of days on a real Temporal server, in seconds, with the verdicts that the simulator gives."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from commands import scenario_files, scenarios
from commands.scenario_files import Suite
from demo import real_scenarios

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAYED: Mapping[str, Sequence[str]] = {
    "three-cities": ("opens-at-the-last-moment", "never-buys", "buys-while-under-way", "nothing-is-taken"),
    "onboarding": ("tips-by-steps", "left-alone", "paused-to-mend-the-tips"),
    "abandoned-cart": ("orders-another-cart",),
    "win-back": ("orders-during-the-pause", "the-journey-ends"),
}


def folder_of(example: str, names: Sequence[str], tmp_path: Path) -> Path:
    """The example with these scenarios alone."""
    copied = Path(shutil.copytree(EXAMPLES / example, tmp_path / example))
    for file in (copied / "scenarios").rglob("*.yaml"):
        if file.stem not in names:
            file.unlink()
    return copied


@pytest.mark.parametrize("example", PLAYED)
async def test_scenarios_of_days_are_played_for_real_and_end_as_on_the_simulator(example: str, tmp_path: Path) -> None:
    folder = folder_of(example, PLAYED[example], tmp_path)

    real: Suite = await asyncio.to_thread(scenario_files.play, folder, None, real_scenarios.play)
    alone = scenario_files.play(folder)

    assert len(real.tried) == len(PLAYED[example])
    for one, simulated in zip(real.tried, alone.tried, strict=True):
        assert one.passed, (one.id, one.differences, one.faults)
        assert not [note for note in one.notes if "simulator" in note], one.notes
        assert one.story is not None
        assert simulated.story is not None
        assert one.story.ended_at == simulated.story.ended_at  # to the microsecond
    assert real.coverage == alone.coverage


async def test_an_expectation_that_is_not_met_fails_with_the_same_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    folder = folder_of("three-cities", ["opens-nothing"], tmp_path)
    file = folder / "scenarios" / "opens-nothing.yaml"
    file.write_text(file.read_text().replace("end: finished", "end: global_timeout"))

    assert await asyncio.to_thread(scenarios.run, folder, as_json=True, player=real_scenarios.play) == 1
    told = json.loads(capsys.readouterr().out)
    assert scenarios.run(folder, as_json=True) == 1
    alone = json.loads(capsys.readouterr().out)

    ((one,), (simulated,)) = (each["suites"][0]["scenarios"] for each in (told, alone))
    assert one["differences"] == simulated["differences"] == [{"field": "end", "expected": ["global_timeout"], "happened": ["finished"]}]
    assert "ended: finished" in one["timeline"][-1]["sentence"]


async def test_what_is_not_played_as_it_will_be_stands_under_its_scenario(tmp_path: Path) -> None:
    folder = folder_of("abandoned-cart", ["large-cart-gets-help"], tmp_path)

    suite = await asyncio.to_thread(scenario_files.play, folder, None, real_scenarios.play)

    (one,) = suite.tried
    assert one.notes == ("offer-help: cart-help is not live here, so what they would do there is not played.",)


SETTLES = """
name: A cart waits for the profile
journey: abandoned-cart
profile: p-1
happens:
  - {event: cart-updated, data: {cart_id: A, total: 50}}
  - {after: PT5M, profile: {first_name: Bea}}
  - {after: PT6M, event: cart-updated, data: {cart_id: B, total: 50}}
  - {after: PT9M, profile: {first_name: Cleo}}
  - {after: PT20M, event: cart-updated, data: {cart_id: C, total: 50}}
expect:
  events: [did_not_settle, no_effect, kept then enters, settles, already_inside]
"""


async def test_an_event_that_waits_for_the_profile_enters_for_real_when_it_does_on_the_simulator(tmp_path: Path) -> None:
    folder = folder_of("abandoned-cart", ["orders-another-cart"], tmp_path)
    journey, scenario = folder / "journeys" / "abandoned-cart.yaml", next((folder / "scenarios").rglob("*.yaml"))
    asks = "where: total >= 20 && profile.first_name == 'Cleo', settle_for: PT8M"
    journey.write_text(journey.read_text().replace("where: total >= 20", asks))
    scenario.write_text(SETTLES)

    real: Suite = await asyncio.to_thread(scenario_files.play, folder, None, real_scenarios.play)
    alone = scenario_files.play(folder)

    for one in (*real.tried, *alone.tried):
        assert one.passed, (one.id, one.differences, one.faults)
    assert real.tried[0].story is not None
    assert alone.tried[0].story is not None
    assert real.tried[0].story.ended_at == alone.tried[0].story.ended_at
