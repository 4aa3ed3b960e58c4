"""The pages of docs/ name every setting and every code that there is, and no other. Findings have a test of their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from api import records
from journey import lifecycle
from journey.errors import RenderError, SojournError
from settings import PREFIX, Settings
from store import runs
from tests.house.source import assigned, called, calls, files, functions, nodes, text, texts, tree

DISCARDING = ("journey/entrance.py", *files("store"), *(file for file in files("api") if file.startswith("api/segment_")))
REASONS = {
    "store/terminating.py": "TERMINATED", "journey/exit_criteria.py": "REASON",
    "journey/succession.py": "JOURNEY_CHANGED",
}  # fmt: skip
"""Reasons of ends that have a name of their own."""


def page(name: str) -> str:
    return text(f"docs/{name}")


def rows(page_or_part: str) -> dict[str, str]:
    """The first two columns of its tables, the first one without its backquotes."""
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]*?) ?\|", page_or_part, re.MULTILINE))


def codes(begins: str) -> set[str]:
    """The codes that docs/codes.md has under a heading, or under paragraphs, that begin so."""
    found = re.findall(rf"^(?:## )?{begins}.*?(?=^## |^Why |\Z)", page("codes.md"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/codes.md has no {begins!r}"
    return {code for part in found for code in rows(part)}


def takers(file: str, name: str) -> dict[str, tuple[int, set[str]]]:
    """What takes an argument of this name in a file: where in a call it stands, and the texts that it is when none is given."""
    found: dict[str, tuple[int, set[str]]] = {}
    for one in nodes(file):
        match one:
            case ast.ClassDef(name="Verdict"):  # repeats what is on record
                pass
            case ast.ClassDef():
                fields = {
                    line.target.id: line.value for line in one.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
                }
                if name in fields:
                    usual = fields[name]
                    found[one.name] = list(fields).index(name), texts(file, usual) if usual is not None else set()
                for line in one.body:
                    if isinstance(line, ast.FunctionDef) and line.name == "__init__":
                        found |= position(file, one.name, line, name)
            case ast.FunctionDef() if one.name != "__init__":
                found |= position(file, one.name, one, name)
    return found


def position(file: str, taker: str, function: ast.FunctionDef, name: str) -> dict[str, tuple[int, set[str]]]:
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    if name not in names:
        return {}
    defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
    return {taker: (names.index(name), texts(file, defaults[name]) if name in defaults else set())}


def discards() -> set[str]:
    found = raised("store/identify.py")  # what it refuses becomes a discard in api/segment_compatible.py
    found |= refusals()
    fields: set[str] = set()
    for given in given_for("code", fields):
        found |= given
    for field in sorted(fields - {"code"}):  # a code that was handed on in a field of another name
        for given in given_for(field, set()):
            found |= given
    return found


def refusals() -> set[str]:
    """Why nobody may enter a version, as its state and its dates have it."""
    (refusal,) = functions("journey/lifecycle.py", "refusal")
    return texts("journey/lifecycle.py", *(one.value for one in ast.walk(refusal) if isinstance(one, ast.Return) and one.value))


def given_for(name: str, fields: set[str]) -> Iterator[set[str]]:
    """The texts that are given for an argument of this name. Fields that one is taken from are added to `fields`."""
    elsewhere = {taker: place for file in DISCARDING for taker, place in takers(file, name).items()}
    for file in DISCARDING:
        here = elsewhere | takers(file, name)
        for call in calls(file, *here):
            place, usual = here[called(call)]
            upto = call.args[: place + 1]
            given = upto[-1] if len(upto) > place or (upto and isinstance(upto[-1], ast.Starred)) else None
            yield usual if given is None else texts(file, given)
            if given is not None:
                fields |= {one.attr for one in ast.walk(written(file, given)) if isinstance(one, ast.Attribute)}


def written(file: str, given: ast.expr) -> ast.AST:
    """An expression, with what is assigned to it when it is a name."""
    values = assigned(file, given.id) if isinstance(given, ast.Name) else []
    return ast.Tuple([given, *values], ast.Load())


def raised(file: str) -> set[str]:
    """The codes that errors are given where they are made."""
    made = [keyword.value for call in nodes(file) if isinstance(call, ast.Call) for keyword in call.keywords if keyword.arg == "code"]
    return texts(file, *made)


def reasons() -> set[str]:
    """The reasons that deliveries get, as the store and the sending write them down, and those that no sending is tried for."""
    found: set[str] = set()
    for file in ("store/claims.py", "store/closing.py", "store/resending.py", "activities/sending.py"):
        for node in nodes(file):
            match node:
                case ast.Call(args=[_, _, reason, *_]) if called(node) == "Mark":
                    found |= texts(file, reason)
                case ast.Call():
                    found |= texts(file, *(keyword.value for keyword in node.keywords if keyword.arg == "reason"))
                case ast.Dict():
                    given = zip(node.keys, node.values, strict=True)
                    found |= texts(file, *(value for key, value in given if isinstance(key, ast.Constant) and key.value == "reason"))
    (excluding,) = functions("store/exclusions.py", "of")
    by_channel = [one.value for one in ast.walk(excluding) if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Subscript)]
    by_address = [one.value for one in ast.walk(excluding) if isinstance(one, ast.DictComp)]
    twice = assigned("store/exclusions.py", "ALREADY_SENT")
    held = {reason for name in ("CAPPED", "QUIET_HOURS") for reason in texts("journey/policies.py", *assigned("journey/policies.py", name))}
    of_traces = (("journey/tries.py", "SENT_AGAIN"), ("store/traces.py", "UNANSWERED"))
    traces = {reason for file, name in of_traces for reason in texts(file, *assigned(file, name))}
    discarded = texts("journey/review.py", *assigned("journey/review.py", "DISCARDED"))
    return found | held | discarded | traces | texts("store/exclusions.py", *by_channel, *by_address, *twice)


def ends() -> set[str]:
    """The reasons that the walk knows, those of the store's own making, and those that people are told to leave for."""
    walk = "journey/walk.py"
    found = texts(walk, *(one.value for one in tree(walk).body if isinstance(one, ast.Assign)))
    for file in (*files("store", "api", "activities", "workflows"), "worker.py"):
        told = [argument for call in calls(file, "end_waiting", "wind_down", "leave", "tell_page", "Removal") for argument in call.args[1:]]
        found |= texts(file, *told)
    for file, name in (*REASONS.items(), ("journey/lifecycle.py", "ENDED"), ("journey/lifecycle.py", "PAUSED")):
        found |= texts(file, *assigned(file, name))
    (must_end,) = functions("store/entrants.py", "must_end")
    return found | texts("store/entrants.py", *(one for one in ast.walk(must_end) if isinstance(one, ast.IfExp)))


def problems() -> set[str]:
    """The codes of our errors, and those that the API answers with by itself."""
    found = refusals()
    for file in files("api", "store", "journey"):
        found |= raised(file) | texts(file, *(call.args[1] for call in calls(file, "problem")))
        classes = [one for one in nodes(file) if isinstance(one, ast.ClassDef)]
        codes_of_classes = assigned(file, "code")
        found |= texts(
            file, *(value for one in classes for value in ast.walk(one) if value in codes_of_classes and isinstance(value, ast.expr))
        )
    return found - {SojournError.code}


def shown(default: object) -> str:
    """A default as the page has it."""
    if default in ("", None, {}):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_setting_is_described_with_its_default_and_nothing_else_is() -> None:
    defaults = {PREFIX + name.upper(): shown(field.get_default(call_default_factory=True)) for name, field in Settings.model_fields.items()}

    assert rows(page("settings.md")) == defaults


@pytest.mark.behaviour(5)
def test_every_discard_is_described_and_nothing_else_is() -> None:
    assert codes("Discards") == discards()


def test_every_reason_to_be_left_alone_is_described() -> None:
    told = text("store/adoption.py") + text("activities/repairing.py")
    assert codes("Left alone") == set(re.findall(r'LeftAlone\(\s*[a-z.]+,\s*"([a-z_]+)"', told))


def test_every_status_of_a_delivery_is_described() -> None:
    assert codes("Deliveries") == set(get_args(records.Status))


def test_every_reason_of_a_delivery_is_described_and_nothing_else_is() -> None:
    assert codes("Why ") == reasons() | {RenderError.code}


def test_every_answer_of_a_provider_is_described() -> None:
    made = {code for file in files("providers") for call in calls(file, "Refused") for code in texts(file, *call.args[:1])}

    assert sorted(code for code in made if f"`{code}`" not in page("messages.md")) == []


def test_every_reason_of_an_end_is_described_and_nothing_else_is() -> None:
    assert codes("Ends") == ends()


def test_every_state_is_described() -> None:
    assert codes("States") == {*lifecycle.STATES, *get_args(runs.RunState)}


def test_every_reason_of_a_missed_occurrence_is_described() -> None:
    assert codes("Missed occurrences") == set(get_args(runs.Missed))


def test_every_problem_is_described_and_nothing_else_is() -> None:
    described = codes("Problems")
    findings = set(rows(page("findings.md"))) - described  # a journey's findings have a page of their own
    assert described == problems() - findings - {"bad_item"}  # a verdict on one item of many


def test_the_page_of_states_has_every_state_and_every_move_and_no_other() -> None:
    described = page("lifecycle.md")
    moves = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", described, re.MULTILINE)
    assert sorted(moves) == sorted((before, act, after) for (before, act), after in lifecycle.MOVES.items())
    assert sorted(re.findall(r"^\| `(\w+)` \| [^`]", described, re.MULTILINE)) == sorted(lifecycle.STATES)
