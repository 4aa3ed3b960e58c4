"""docs/complaints.md answers every complaint; each test that it names exists and carries the number, and no other test carries one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

import pytest

from tests.house.source import HOUSE, text

PAGE = "docs/complaints.md"
Answers = dict[int, set[str]]
LISTS = {"Complaints": "complaint", "Behaviours": "behaviour"}


def told(heading: str) -> Answers:
    """The tests that the page names under each number of a list."""
    _, _, rest = text(PAGE).partition(f"\n## {heading}\n")
    parts = re.split(r"^### (\d+)\. .+\n", rest.partition("\n## ")[0], flags=re.MULTILINE)
    return {
        int(number): set(re.findall(r"^- `(\S+::\w+)`$", said, re.MULTILINE)) for number, said in zip(parts[1::2], parts[2::2], strict=True)
    }


def carried(marker: str) -> Answers:
    """The tests that carry each number."""
    found: Answers = defaultdict(set)
    for file in sorted((HOUSE / "tests").rglob("test_*.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for number in numbers(function, marker):
                    found[number].add(f"{file.relative_to(HOUSE).as_posix()}::{function.name}")
    return dict(found)


def numbers(function: ast.FunctionDef | ast.AsyncFunctionDef, marker: str) -> list[int]:
    calls = [one for one in function.decorator_list if isinstance(one, ast.Call) and ast.unparse(one.func) == f"pytest.mark.{marker}"]
    return [ast.literal_eval(one.args[0]) for one in calls]


def test_every_complaint_is_answered() -> None:
    assert list(told("Complaints")) == list(range(1, 26))


@pytest.mark.parametrize(("heading", "marker"), LISTS.items())
def test_every_test_that_is_named_carries_the_number_and_no_other_does(heading: str, marker: str) -> None:
    assert told(heading) == carried(marker)
    assert all(tests for tests in told(heading).values())
