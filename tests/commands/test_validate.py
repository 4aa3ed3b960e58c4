"""`sojourn validate` on real folders: what it finds, in which file and line, and how it prints it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from commands import validate
from commands.folder import read
from journey.errors import BadInput

EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example, to be spoiled."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def found(path: Path) -> list[tuple[str, int, str]]:
    """File, line and code of every error."""
    return [(one.file.name, one.line, one.finding.code) for one in validate.validate(path) if one.finding.grade == "error"]


def test_the_example_has_no_error_and_one_warning_at_the_purchase() -> None:
    for path in (EXAMPLE, EXAMPLE / "journeys" / "thank-you.yaml"):
        assert [(one.file.name, one.line, one.finding.code) for one in validate.validate(path)] == [("thank-you.yaml", 12, "no_timeout")]


@pytest.mark.complaint(22)
def test_a_finding_points_at_the_line_of_the_field_it_is_about(folder: Path) -> None:
    journey = folder / "journeys" / "thank-you.yaml"
    change(journey, "timeout: {after: P1D, next: follow-up}", "timeout: {after: P1M,\n     next: nowhere}")
    assert found(journey) == [("thank-you.yaml", 10, "duration_invalid"), ("thank-you.yaml", 11, "unknown_node")]


def test_of_two_nodes_with_one_id_the_second_is_shown(folder: Path) -> None:
    change(folder / "journeys" / "thank-you.yaml", "{id: thanks,  ", "{id: first,   ")
    assert ("thank-you.yaml", 13, "duplicate_id") in found(folder)


def test_what_is_wrong_inside_a_message_is_told_in_its_own_file_and_only_there(folder: Path) -> None:
    change(folder / "messages" / "thank-you.yaml", 'title: "Thank you', 'title: "{{ customer }} Thank you')
    assert found(folder) == found(folder / "journeys" / "thank-you.yaml") == [("thank-you.yaml", 5, "template_invalid")]
    assert [one.file.parent.name for one in validate.validate(folder)] == ["journeys", "messages"]


def test_faults_of_segments_events_and_attributes_are_each_told_where_they_stand(folder: Path) -> None:
    change(folder / "segments" / "three-cities-after-1980.yaml", "birth_year > 1980", 'birth_year > "1980"')
    change(folder / "events" / "purchase.yaml", "key: customer_id", "")
    change(folder / "attributes.yaml", "birth_year: {type: integer,", "birth_year: {type: integer, kind: year,")
    assert found(folder) == [
        ("attributes.yaml", 6, "bad_input"),
        ("purchase.yaml", 2, "field_missing"),
    ]  # the segment's field is not declared now, so its type is not known


def test_a_rule_that_compares_with_another_type_is_shown_in_the_segment(folder: Path) -> None:
    change(folder / "segments" / "three-cities-after-1980.yaml", "birth_year > 1980", 'birth_year > "1980"')
    assert found(folder) == [("three-cities-after-1980.yaml", 3, "attribute_type")]


def test_a_message_that_cannot_be_read_is_one_fault_and_not_an_unknown_message_too(folder: Path) -> None:
    change(folder / "messages" / "follow-up.yaml", "class: marketing", "class: marketing\nclass: transactional")
    assert found(folder) == [("follow-up.yaml", 4, "bad_input")]
    assert found(folder / "journeys" / "thank-you.yaml") == [("follow-up.yaml", 4, "bad_input")]


def test_a_message_that_is_not_there_is_unknown(folder: Path) -> None:
    (folder / "messages" / "follow-up.yaml").unlink()
    assert found(folder) == [("thank-you.yaml", 11, "unknown_message")]


def test_an_unknown_field_is_named_by_its_path(folder: Path) -> None:
    change(folder / "journeys" / "thank-you.yaml", "to: push.opened,", "too: push.opened,")
    (fault,) = validate.validate(folder / "journeys" / "thank-you.yaml")
    assert (fault.line, fault.finding.field, fault.finding.sentence) == (
        8,
        "nodes[2].too",
        "nodes[2].too: There is no such field here. Perhaps to is meant.",
    )


def test_a_profile_that_is_wrong_is_shown_by_its_line(folder: Path) -> None:
    profiles = folder / "profiles.ndjson"
    lines = profiles.read_text(encoding="utf-8").splitlines()
    lines[2] = '{"id": "p-003", "identities": {"customer_id": "c-1"}}'
    lines[3:7] = [
        '{"id": "p-001"}',
        "{",
        '{"id": "x", "consents": {"email": "yes"}}',
        '{"id": "y", "identities": {"customer_id": "c-1"}}',
    ]
    profiles.write_text("\n".join(lines), encoding="utf-8")
    assert found(folder) == [("profiles.ndjson", line, "bad_input") for line in (4, 5, 6, 7)]


def test_profiles_in_csv_are_read_by_the_rules_of_the_import(folder: Path) -> None:
    (folder / "profiles.ndjson").unlink()
    rows = ["id,city,birth_year,identities.customer_id", 'a,"Atlanta,\nGeorgia",1985,c-1', "b,Seattle", "c,Seattle,1990,c-1"]
    (folder / "profiles.csv").write_text("\n".join(rows), encoding="utf-8")
    assert found(folder) == [("profiles.csv", 4, "bad_input"), ("profiles.csv", 5, "bad_input")]
    profile = read(folder).profiles["a"].document
    assert profile.attributes == {"city": "Atlanta,\nGeorgia", "birth_year": 1985}

    (folder / "profiles.csv").write_text("city\nAtlanta\nSeattle", encoding="utf-8")
    assert found(folder) == [("profiles.csv", 1, "bad_input")]


def test_a_file_that_is_called_otherwise_and_an_id_that_two_files_hold(folder: Path) -> None:
    shutil.copy(folder / "messages" / "follow-up.yaml", folder / "messages" / "second.yaml")
    assert found(folder) == [("second.yaml", 1, "bad_input")]
    (folder / "messages" / "follow-up.yaml").unlink()
    codes = [(one.file.name, one.finding.code) for one in validate.validate(folder)]
    assert codes == [("thank-you.yaml", "no_timeout"), ("second.yaml", "file_name_differs")]


def test_suppressions_and_files_in_other_encodings_are_looked_at_too(folder: Path) -> None:
    change(folder / "suppressions.yaml", "reason: complained", "because: complained")
    (folder / "messages" / "thank-you.yaml").write_bytes("id: thank-you\nname: Grüße".encode("latin-1"))
    assert found(folder) == [("thank-you.yaml", 0, "bad_input"), ("suppressions.yaml", 3, "bad_input")]


def test_what_is_nothing_of_ours_is_refused(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (folder / "nothing", empty, folder / "README.md"):
        with pytest.raises(BadInput):
            validate.validate(path)


def test_run_prints_a_line_for_each_finding_and_returns_one_for_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journey = folder / "journeys" / "thank-you.yaml"
    assert validate.run(folder, as_json=False) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"{journey}:12: no_timeout (warning) purchase: Whoever does nothing")
    assert printed[1:] == [f"{folder} is valid: no errors, 1 warning."]

    change(journey, "of: first, to: push.opened", "of: [first, to: push.opened")
    assert validate.run(journey, as_json=False) == 1
    assert f"{journey}:8: bad_input (error) Line 8 is no YAML" in capsys.readouterr().out

    assert validate.run(folder / "nothing", as_json=False) == 1
    assert "There is no file or folder" in capsys.readouterr().out


def test_what_is_about_the_whole_journey_comes_first_then_node_after_node(folder: Path) -> None:
    journey = folder / "journeys" / "thank-you.yaml"
    change(journey, "{id: end,          kind: end}", "{id: end,          kind: end}\nend: 2020-01-01\nglobal_timeout: P1M")
    change(journey, "message: thank-you,", "message: thanks,")
    change(journey, "message: first-message,", "message: frist-message,")
    assert found(journey) == [
        ("thank-you.yaml", 15, "end_past"), ("thank-you.yaml", 16, "duration_invalid"), ("thank-you.yaml", 7, "unknown_message"),
        ("thank-you.yaml", 13, "unknown_message"),
    ]  # fmt: skip
    said = [one.finding.sentence for one in validate.validate(journey) if one.finding.code == "unknown_message"]
    assert said[0] == "There is no message 'frist-message': put it first, or correct the name. Perhaps first-message is meant."


def test_run_prints_json_for_machines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder / "journeys" / "thank-you.yaml", "next: [push-opened, email-opened]", "next: [push-opened, follow-up]")
    assert validate.run(folder, as_json=True) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed[0] == {
        "file": str(folder / "journeys" / "thank-you.yaml"),
        "line": 7,
        "code": "next_not_listening",
        "grade": "error",
        "node": "first",
        "field": "next",
        "sentence": printed[0]["sentence"],
    }


def test_policies_are_judged_in_their_own_file(folder: Path) -> None:
    policies = folder / "policies.yaml"
    policies.write_text("caps:\n  - {id: weekly, most: 3, within: P7D}\nquiet_hours:\n  from: 21:00\n  to: 08:00\n", encoding="utf-8")
    assert found(folder) == found(policies) == []
    change(policies, "08:00", "8")
    assert found(policies) == [("policies.yaml", 5, "bad_input")]  # a whole number
    change(policies, "to: 8", "to: eight")
    assert found(policies) == [("policies.yaml", 5, "time_invalid")]
    change(policies, "most: 3", "most: 0")
    assert found(policies) == [("policies.yaml", 2, "bad_input")]


def test_a_journey_that_cannot_be_read_is_not_unknown_to_the_one_that_jumps_there(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "examples" / "abandoned-cart", tmp_path, dirs_exist_ok=True)
    change(tmp_path / "journeys" / "cart-help.yaml", "message: help", "mesage: help")
    (fault,) = validate.validate(tmp_path)
    assert (fault.line, fault.finding.sentence) == (9, "nodes[1].mesage: There is no such field here. Perhaps message is meant.")


def test_a_rule_that_cannot_be_read_is_told_with_its_column(folder: Path) -> None:
    change(folder / "segments" / "three-cities-after-1980.yaml", "birth_year > 1980", "birth_year => 1980")
    found = [one for one in validate.validate(folder) if one.finding.code == "rule_invalid"]
    assert found[0].finding.sentence.endswith("That is at column 64 of the rule.")
