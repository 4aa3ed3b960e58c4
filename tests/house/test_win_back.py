"""The example win-back is valid, its scenarios come to all of it, and it says when it reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import folder, scenarios, simulate, validate
from journey import rules
from journey.rules import Scope

EXAMPLE = Path(__file__).parents[2] / "examples" / "win-back"


def test_it_is_valid_without_a_warning_and_shows_the_next_five_times(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.run(EXAMPLE, False) == 0
    out = capsys.readouterr().out
    assert "win-back reads its segment every week on mon at 09:00 (Europe/Berlin): " in out
    assert out.count("T09:00") == 5
    assert "no errors, no warnings" in out


def test_its_scenarios_come_to_every_node_and_leave_by_every_exit() -> None:
    assert scenarios.run(EXAMPLE, least=100, junit=None, as_json=False) == 0


def test_a_story_says_when_people_are_let_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.run(EXAMPLE, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)["schedule"]
    assert (told["says"], told["timezone"], len(told["next"])) == ("every week on mon at 09:00", "Europe/Berlin", 5)


def test_three_of_six_customers_are_members() -> None:
    read = folder.read(EXAMPLE)
    rule = read.segments["lapsed"].document.tree
    people = [entry.document for entry in read.profiles.values()]
    assert [one.id for one in people if rules.evaluate(rule, Scope(one.attributes)) and not one.test] == ["p-1", "p-2", "p-3"]
