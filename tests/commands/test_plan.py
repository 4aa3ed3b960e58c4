"""`sojourn plan`: what is said of people inside on the command line, and how the answer is shown. `tests/api` has what is counted."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from commands import plan, publish
from journey.errors import BadInput

SUMS = {"people": 5, "stays": 0, "moves": 3, "leaves": 1, "cannot_move": 1, "woken": 3}


def place(was: str, people: int, kind: str, to: str = "", **changed: Any) -> dict[str, Any]:
    found = {"was": was.split("+"), "people": people, "kind": kind, "place": to.split("+") if to else [], "to": "thank-you@2" if to else ""}
    return found | {"nodes": {}, "wakes": False, "reason": "", "code": "", "why": ""} | changed


ANSWER = {
    "journey": "thank-you", "version": "thank-you@2", "sums": SUMS, "findings": [],
    "older": [{"version": "thank-you@1", "sums": SUMS, "places": [
        place("push-opened+email-opened", 2, "moves", "email-opened", wakes=True),
        place("first", 0, "moves", "first"),
        place("follow-up", 1, "moves", "follow-up"),
        place("purchase", 1, "leaves", reason="journey_changed", wakes=True),
        place("pause", 1, "cannot_move", code="node_gone", why="There is no pause in the new version."),
        place("later", 0, "cannot_move", code="node_gone", why="There is no later in the new version."),
    ]}],
}  # fmt: skip


def shown(answer: dict[str, Any]) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=160)
    console.print(plan.table(answer))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]


def test_a_plan_has_a_row_for_each_place_where_somebody_is_or_could_not_move() -> None:
    assert shown(ANSWER) == [
        ["thank-you@1", "push-opened or email-opened", "2", "go on at email-opened in thank-you@2", "2"],
        ["thank-you@1", "follow-up", "1", "go on at follow-up in thank-you@2", ""],
        ["thank-you@1", "purchase", "1", "leave: journey_changed", "1"],
        ["thank-you@1", "pause", "1", "cannot move: There is no pause in the new version.", ""],
        ["thank-you@1", "later", "0", "cannot move: There is no later in the new version.", ""],
    ]


def test_a_plan_ends_with_its_sums() -> None:
    assert list(plan.sentences(ANSWER)) == [
        "Of 5 inside 3 go on, 1 leaves, 1 cannot move.",
        "3 of them are woken; the others go at their next stop.",
    ]
    assert list(plan.sentences(ANSWER | {"sums": SUMS | {"woken": 0}}))[1] == "Nobody is woken; the others go at their next stop."
    assert list(plan.sentences(ANSWER | {"sums": dict.fromkeys(SUMS, 0) | {"people": 2, "stays": 2}})) == ["Of 2 inside 2 stay."]
    assert list(plan.sentences(ANSWER | {"sums": dict.fromkeys(SUMS, 0), "older": []})) == ["Nobody is inside."]


def test_nothing_is_sent_where_nothing_is_said_of_people() -> None:
    assert plan.succession() is None
    assert plan.succession("flow_in", rate=5) == {"people": "flow_in", "rate": 5}


def test_a_map_alone_means_to_migrate_by_it(tmp_path: Path) -> None:
    file = tmp_path / "moves.yaml"
    file.write_text("purchase: :next\nfirst: hello  # renamed\n")
    assert plan.succession(mapped=file) == {"people": "migrate", "map": {"purchase": ":next", "first": "hello"}}
    file.write_text('{"purchase": ":exit"}')
    assert plan.succession("migrate", file) == {"people": "migrate", "map": {"purchase": ":exit"}}


@pytest.mark.parametrize("text", ["- purchase\n", "purchase: [a, b]\n", "purchase: 1\n", "a: b\na: c\n", "a: {b\n"])
def test_a_file_that_is_no_map_is_refused_with_a_sentence_that_says_how_to_write_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "moves.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"moves.yaml is no map of nodes: .* `old-node: new-node`"):
        plan.succession(mapped=file)


def test_a_file_that_is_not_there_and_words_that_there_are_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        plan.succession(mapped=tmp_path / "none.yaml")
    with pytest.raises(BadInput, match="people"):
        plan.succession("leave")


def test_a_publish_says_who_goes_on() -> None:
    answer = {"version": "thank-you@2", "closed": "thank-you@1", "succeeded": ["thank-you@1"], "findings": []}
    assert list(publish.sentences(answer)) == [
        "thank-you@2 is live.", "thank-you@1 lets in nobody more.", "Those inside thank-you@1 go on in thank-you@2, where they can.",
    ]  # fmt: skip
