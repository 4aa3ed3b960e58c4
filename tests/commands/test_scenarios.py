"""`sojourn test` offline: scenario files beside a journey, what they cover, and the reports of both."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from commands import scenarios
from journey.errors import BadInput

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "three-cities"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "copy"))


@pytest.fixture
def alone(copied: Path) -> Path:
    """A folder with one scenario."""
    for file in (copied / "scenarios").iterdir():
        if file.stem != "opens-the-email":
            file.unlink()
    return copied


def data(capsys: pytest.CaptureFixture[str], path: Path, code: int, **more: Any) -> dict[str, Any]:
    assert scenarios.run(path, as_json=True, **more) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def only(told: dict[str, Any]) -> dict[str, Any]:
    (suite,) = told["suites"]
    (one,) = suite["scenarios"]
    found: dict[str, Any] = one
    return found


def change(folder: Path, old: str, new: str, file: str = "scenarios/opens-the-email.yaml") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


@pytest.mark.complaint(7)
def test_every_example_passes_and_is_covered_whole(capsys: pytest.CaptureFixture[str]) -> None:
    told = data(capsys, EXAMPLES, 0, least=100)
    assert told["passed"]
    assert {one["percent"] for suite in told["suites"] for one in suite["coverage"]} == {100}


def test_a_passing_folder_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert scenarios.run(EXAMPLE) == 0
    out = capsys.readouterr().out
    assert "✓ opens-the-email  Whoever opens the e-mail gets no follow-up" in out
    assert "thank-you: nodes 8 of 8, exits 8 of 8" in out
    assert "14 scenarios: all passed" in out


@pytest.mark.behaviour(10)
def test_a_wrong_timeout_passes_validation_and_fails_the_scenario_with_a_diff(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(alone, "after: P1D", "after: PT1H", "journeys/thank-you.yaml")
    assert scenarios.run(alone) == 1
    out = capsys.readouterr().out
    assert "- email-opened:next" in out
    assert "+ email-opened:timeout" in out
    assert "+ follow-up:next" in out
    assert "1 hour  email-opened has heard nothing: its time is up" in out
    assert "1 scenario: 1 failed" in out


def test_a_difference_is_data_too(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(alone, "end: finished", "end: error")
    one = only(data(capsys, alone, 1))
    assert one["differences"] == [{"field": "end", "expected": ["error"], "happened": ["finished"]}]
    assert one["timeline"][-1] == {"at": 3 * 86400, "sentence": "ends: finished"}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("- P3D purchase", "- P3M purchase", 6, "months and years differ in length"),
        ("email-opened, purchase, thanks]", "mail-opened, purchase, thanks]", 8, "There is no node mail-opened"),
        ("profile: p-009", "profile: p-909", 3, "no profile p-909"),
        ("journey: thank-you", "journey: thanks", 2, "no journey thanks; there are: thank-you"),
        ("end: finished", "end: done", 14, "must be 'finished'"),
        ("expect:", "expects:", 7, "no such field"),
        ("[decides email-opened,", "[decided email-opened,", 13, "no way for an event to end"),
        ("happens:", "happens", 7, "is no YAML"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(
    alone: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, line: int, said: str
) -> None:
    change(alone, old, new)
    one = only(data(capsys, alone, 1))
    assert any(fault["line"] == line and said in fault["sentence"] for fault in one["faults"]), one["faults"]


def test_a_scenario_of_a_journey_that_is_not_valid_cannot_be_played(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(alone, "next: thanks", "next: nowhere", "journeys/thank-you.yaml")
    (fault,) = only(data(capsys, alone, 1))["faults"]
    assert "Run `sojourn validate" in fault["sentence"]


def test_scenarios_of_several_journeys_may_have_a_folder_each(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = alone / "scenarios" / "thank-you"
    inside.mkdir()
    (alone / "scenarios" / "opens-the-email.yaml").rename(inside / "opens.yaml")
    assert only(data(capsys, alone, 0))["id"] == "thank-you/opens"


def test_a_whole_profile_may_be_written_in_the_scenario(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    person = "{id: mia, attributes: {email: mia@mail.example, city: Seattle}, push_tokens: [{token: phone}]}"
    change(alone, "profile: p-009", f"profile: {person}")
    one = only(data(capsys, alone, 0))
    assert one["notes"][0] == "mia is no member of three-cities-after-1980: a run would not let them in."


def test_a_message_that_cannot_be_made_out_for_the_person_fails_as_it_would(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    person = "{id: mia, attributes: {email: mia@mail.example}, push_tokens: [{token: phone}]}"
    change(alone, "profile: p-009", f"profile: {person}")
    one = only(data(capsys, alone, 1))
    assert one["differences"][-1] == {"field": "end", "expected": ["finished"], "happened": ["error"]}
    assert "failed on email (render_error), failed on push (render_error)" in one["timeline"][1]["sentence"]


def test_too_little_coverage_fails_when_it_is_asked_for(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scenarios.run(alone) == 0
    assert (
        "nodes 7 of 8, exits 5 of 8; never reached: follow-up; never left: push-opened:next, email-opened:timeout"
        in capsys.readouterr().out
    )
    assert scenarios.run(alone, least=62) == 0
    assert scenarios.run(alone, least=63) == 1
    assert "--least 63 asks for 63 %" in capsys.readouterr().out


def test_one_scenario_may_be_played_by_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    one = only(data(capsys, EXAMPLE / "scenarios" / "opens-both.yaml", 0))
    assert one["id"] == "opens-both"


def test_the_report_for_a_ci_server_names_failures_and_errors(copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(copied, "end: finished", "end: error")
    change(copied, "journey: thank-you", "journey: none", "scenarios/opens-both.yaml")
    assert scenarios.run(copied, junit=tmp_path / "report.xml", least=100) == 1
    (suite,) = ElementTree.parse(tmp_path / "report.xml").getroot()
    cases = {case.get("name"): case for case in suite}
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("15", "1", "1")
    assert cases["opens-the-email"].get("classname") == "thank-you"
    failure, error = cases["opens-the-email"].find("failure"), cases["opens-both"].find("error")
    assert failure is not None
    assert failure.text is not None
    assert "- error\n+ finished" in failure.text
    assert error is not None
    assert "no journey none" in str(error.get("message"))
    assert len(cases["opens-the-push"]) == 0


def test_the_report_is_xml_whatever_the_scenario_says(alone: Path, tmp_path: Path) -> None:
    change(alone, "P3D purchase", '"P3D p\\u0007<&"')
    change(alone, "end: finished", "end: error")
    assert scenarios.run(alone, junit=tmp_path / "report.xml", least=100) == 1
    (suite,) = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("2", "0")


def test_a_folder_without_scenarios_is_said(copied: Path, tmp_path: Path) -> None:
    shutil.rmtree(copied / "scenarios")
    with pytest.raises(BadInput, match="has no scenarios"):
        scenarios.run(copied)
    with pytest.raises(BadInput, match="holds no journeys/"):
        scenarios.run(copied / "messages")
    with pytest.raises(BadInput, match="no file or folder"):
        scenarios.run(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="is no scenario"):
        scenarios.run(copied / "attributes.yaml")


def test_a_report_that_cannot_be_written_is_said(alone: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        scenarios.run(alone, junit=alone / "nowhere" / "report.xml")


def test_policies_of_the_folder_hold_in_scenarios_by_the_clock_of_the_scenario(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    (alone / "policies.yaml").write_text(
        'caps: [{id: mails, channels: email, most: 1, within: P2D}]\nquiet_hours: {from: "21:00", to: "08:00", zone: America/New_York}\n'
    )
    (alone / "scenarios" / "opens-the-email.yaml").write_text(
        "journey: thank-you\n"
        "begins: 2026-03-07T23:00\n"  # the night in which New York skips an hour
        "expect:\n"
        "  path: [read, first, email-opened:timeout, follow-up]\n"
        "  deliveries:\n"
        "    - {node: first, channel: email}\n"
        "    - {node: first, channel: push}\n"
        "    - {node: follow-up, channel: email, status: excluded, reason: capped}\n"
    )
    told = only(data(capsys, alone, 0))
    assert told["differences"] == []
    change(
        alone,
        "expect:\n",
        "happens: [PT7H59M email.opened, PT8H1M push.opened]\nexpect:\n  events: [kept then decides email-opened, late]\n",
    )
    change(alone, "email-opened:timeout, follow-up", "email-opened")
    change(alone, "    - {node: follow-up, channel: email, status: excluded, reason: capped}\n", "")
    assert only(data(capsys, alone, 0))["differences"] == []


@pytest.fixture
def divided(tmp_path: Path) -> Path:
    """The example with a split, and the scenario of those who fall into its last share."""
    folder = Path(shutil.copytree(EXAMPLES / "onboarding", tmp_path / "onboarding"))
    for file in (folder / "scenarios").iterdir():
        if file.stem != "no-tips":
            file.unlink()
    return folder


def test_a_scenario_may_name_the_share_that_its_person_takes(divided: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert only(data(capsys, divided, 0))["passed"]
    change(divided, "branches: {tips: none}", "branches: {tips: by-steps}", "scenarios/no-tips.yaml")
    assert only(data(capsys, divided, 1))["differences"][0]["happened"][4] == "tips:by-steps"


@pytest.mark.parametrize(
    ("branches", "said"),
    [
        ("{tips: all}", "'all' is no share of tips: it has by-example, by-steps, none."),
        ("{welcome: none}", "'welcome' is no split of onboarding: it has tips."),
    ],
)
def test_a_share_that_is_not_there_is_told_with_its_line(
    divided: Path, capsys: pytest.CaptureFixture[str], branches: str, said: str
) -> None:  # fmt: skip
    change(divided, "{tips: none}", branches, "scenarios/no-tips.yaml")
    (fault,) = only(data(capsys, divided, 1))["faults"]
    assert (fault["line"], fault["sentence"]) == (4, said)
