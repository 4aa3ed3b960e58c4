"""`sojourn simulate` offline on a folder: every way through, or one story."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from commands import population, simulate, staging
from journey.errors import BadInput, Invalid

EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"
JOURNEY = EXAMPLE / "journeys" / "thank-you.yaml"


def played(capsys: pytest.CaptureFixture[str], *at: str, path: Path = EXAMPLE, **given: Any) -> dict[str, Any]:
    assert simulate.run(path, at=at, as_json=True, **given) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_told_nothing_it_shows_every_way_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.run(JOURNEY) == 0
    out = capsys.readouterr().out
    assert "push.opened of first after 1 hour, then purchase after 2 hours" in out
    assert "read → first → email-opened (timeout) → follow-up → purchase → thanks  finished after 1 day 1 hour" in out
    assert len(played(capsys)["stories"]) == 6


def test_told_what_happens_it_tells_one_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.run(EXAMPLE, at=["PT2H email.opened first", "P2D purchase"]) == 0
    out = capsys.readouterr().out
    assert "path read → first → email-opened → purchase → thanks" in out
    assert "end finished after 2 days" in out


def test_a_stop_may_take_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    told = played(capsys, "PT2H push.opened", "PT2H purchase", stop=["purchase=PT5S"])
    (story,) = told["stories"]
    assert story["path"][-1] == "thanks:next"
    assert story["ended_at"] == 7205


def test_an_event_may_be_given_with_its_data_and_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    told = played(capsys, "0 push.opened", 'P1D purchase {"$id": "p-1"}', 'P2D purchase {"$id": "p-1"}', 'P3D Refund {"total": 3}')
    assert [one["effect"] for one in told["stories"][0]["happenings"]] == ["decided", "decided", "duplicate", "no_definition"]


def test_the_story_may_be_looked_at_half_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.run(EXAMPLE, until="PT5H") == 0
    assert "still waits at push-opened or email-opened" in capsys.readouterr().out


def test_what_hangs_on_a_date_is_told_for_the_day_that_is_given(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "folder")
    file = folder / "journeys" / "thank-you.yaml"
    window = '{id: thanks, kind: wait, until: {hours: "09:00-17:00", weekdays: [mon..fri]}, next: end}'
    file.write_text(re.sub(r"- \{id: thanks,.*", f"- {window}", file.read_text()))
    at = ("0 push.opened", "PT1H purchase")
    for begins, ended in (("2026-03-06T16:30", 63 * 3600 + 1800), ("2026-03-03T10:00", 3600)):  # Friday evening, and the clock is moved
        (story,) = played(capsys, *at, path=folder, begins=begins)["stories"]
        assert (story["path"][-1], story["ended_at"]) == ("thanks:next", ended)
    assert simulate.run(folder, at=at, begins="yesterday") == 1
    assert "is no date-time" in capsys.readouterr().err


def test_what_a_segment_asks_of_the_past_is_taken_to_be_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "folder")
    (folder / "segments" / "three-cities-after-1980.yaml").write_text(
        'id: three-cities-after-1980\nrule: |\n  in_segment("buyers") && !did("purchase", {within: "P30D"})\n'
    )
    (folder / "segments" / "buyers.yaml").write_text('id: buyers\nrule: did("purchase") && city == "Seattle"\n')
    told = played(capsys, path=folder, until="PT1H")
    assert told["notes"] == []
    (folder / "profiles.ndjson").unlink()
    made = population.run(folder, population.Asked(20), None)
    assert (made, json.loads(capsys.readouterr().out)["people"]) == (0, 20)


def test_the_first_member_walks_unless_somebody_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert played(capsys)["notes"] == []
    told = played(capsys, profile="p-166", until="PT1H")
    assert told["profile"] == "p-166"
    assert {delivery["status"] for delivery in told["stories"][0]["deliveries"]} == {"excluded"}


def test_it_says_of_somebody_whom_a_run_would_not_let_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert played(capsys, profile="p-001", until="PT1H")["notes"] == [
        "p-001 is no member of three-cities-after-1980: a run would not let them in."
    ]


def test_a_suppressed_address_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    suppressed = staging.prepare(EXAMPLE, profile="p-066").world.suppressed
    assert ("email", "wes.hughes.066@mail.example") in suppressed


def test_a_folder_without_people_is_walked_by_somebody_made_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "copy")
    (tmp_path / "copy" / "profiles.ndjson").unlink()
    told = played(capsys, path=tmp_path / "copy")
    assert told["profile"] == "somebody"
    assert len(told["stories"]) == 6


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("PT2H", "says no more than when"),
        ("tomorrow purchase", "is no duration"),
        ("PT2H purchase {oops", "is no JSON"),
        ("PT2H purchase [1]", "is no JSON object"),
        ("PT2H email.clicked", "of which message"),
    ],
)
def test_what_cannot_be_understood_is_said(at: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.run(EXAMPLE, at=[at]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("stop", ["thanks", "nowhere=PT5S"])
def test_a_stop_that_is_not_there_is_said(stop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.run(EXAMPLE, at=["0 purchase"], stop=[stop]) == 1
    assert "names no stop" in capsys.readouterr().err


def test_what_the_folder_does_not_have_is_said() -> None:
    with pytest.raises(BadInput, match="no journey other; there are: thank-you"):
        staging.prepare(EXAMPLE, journey="other")
    with pytest.raises(BadInput, match="no profile nobody"):
        staging.prepare(EXAMPLE, profile="nobody")


def test_a_path_that_holds_no_journey_is_said() -> None:
    with pytest.raises(BadInput, match="There is no file or folder"):
        staging.prepare(EXAMPLE / "missing")
    with pytest.raises(BadInput, match="is no journey"):
        staging.prepare(EXAMPLE / "events" / "purchase.yaml")


def test_a_journey_that_is_not_valid_is_not_walked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "copy")
    file = tmp_path / "copy" / "journeys" / "thank-you.yaml"
    file.write_text(file.read_text().replace("next: thanks", "next: nowhere"))
    with pytest.raises(Invalid):
        staging.prepare(file)
    assert simulate.run(file, as_json=True) == 1
    assert "unknown_node" in {finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]}


def test_a_webhook_answers_as_it_is_told_and_is_named_by_its_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {
        "segments/all": "id: all\nname: All\nrule: email != null",
        "journeys/short": "id: short\nnamespace: customer_id\nnodes:\n"
        "  - {id: read, kind: read_segment, segment: all, next: get-score}\n"
        "  - {id: get-score, kind: webhook, url: 'https://crm.example/x', next: high}\n"
        "  - {id: high, kind: condition, branches: [{id: yes, when: calls.get_score.body.score > 5}]}",
    }.items():
        file = tmp_path / f"{name}.yaml"
        file.parent.mkdir()
        file.write_text(text)
    assert simulate.run(tmp_path, stop=["get-score=PT1S"], responses=['get-score=200 {"score": 7}']) == 0
    out = capsys.readouterr().out
    assert "webhook get-score: sent" in out
    assert "path read → get-score → high (yes)" in out
    with pytest.raises(BadInput, match="is no answer"):
        staging.prepare(tmp_path, responses=["read=200"])


@pytest.mark.behaviour(9)
@pytest.mark.complaint(18)
def test_forty_days_pass_in_a_moment_and_leave_everything_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written and nobody is asked: what simulates is the core, which can do neither (the contracts in pyproject.toml)."""
    before = {file: file.read_bytes() for file in EXAMPLE.rglob("*") if file.is_file()}
    played(capsys, "P1DT2H email.opened follow-up", "P40D purchase")  # the parsers of rules and templates are loaded once
    began = time.perf_counter()
    (story,) = played(capsys, "P1DT2H email.opened follow-up", "P40D purchase")["stories"]
    assert time.perf_counter() - began < 1.0
    assert (story["path"][-1], story["ended_at"]) == ("thanks:next", 40 * 86_400)
    assert {file: file.read_bytes() for file in EXAMPLE.rglob("*") if file.is_file()} == before


def test_a_pause_of_the_journey_is_told_with_who_it_holds_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    (story,) = played(capsys, "PT1H pause", until="P2D")["stories"]
    assert (story["held"], story["end"]) == ("follow-up", "")
    assert [one["effect"] for one in story["happenings"]] == ["paused"]
    assert simulate.run(EXAMPLE, at=["PT1H pause"], until="P2D") == 0
    assert "still held before follow-up" in capsys.readouterr().out


def abandoned_cart(tmp_path: Path, before: str = "", after: str = "") -> Path:
    """A copy of the example that begins with an event, whose mail shows a field that no rule asks for."""
    shutil.copytree(EXAMPLE.parent / "abandoned-cart", tmp_path, dirs_exist_ok=True)
    drawn = tmp_path / "journeys" / "abandoned-cart.yaml"
    drawn.write_text(drawn.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    mail = tmp_path / "messages" / "your-cart.yaml"
    mail.write_text(mail.read_text(encoding="utf-8").replace("<h1 ", "<p>{{ entry.items | times: 2 }}</p><h1 "), encoding="utf-8")
    return drawn


def test_an_event_that_is_made_up_has_all_that_its_definition_declares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = played(capsys, path=abandoned_cart(tmp_path))
    assert told["stories"]
    assert {one["status"] for story in told["stories"] for one in story["deliveries"]} == {"sent"}


def test_people_whom_the_entry_does_not_ask_for_are_not_among_the_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = abandoned_cart(tmp_path, "where: total >= 20", """where: 'total >= 20 && profile.first_name == "Hugo"'""")
    assert played(capsys, path=drawn)["profile"] == "p-2"
    (note,) = played(capsys, path=drawn, profile="p-1")["notes"]
    assert note == "p-1 is not whom cart asks for: an event of theirs would not let them in."
    assert population.run(drawn, population.Asked(10), None) == 0
    assert "1 of the folder" in json.loads(capsys.readouterr().out)["source"]
