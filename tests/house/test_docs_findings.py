"""docs/findings.md describes every finding that the code can make, with its grade, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.findings.every import EXAMPLES

HOUSE = Path(__file__).parents[2]
SOURCES = [*sorted((HOUSE / "journey" / "validation").glob("*.py")), *sorted((HOUSE / "commands").glob("*.py"))]
COMING_FROM_ELSEWHERE = "\n## What other products check"
NO_FINDINGS = ("no_branch", "global_timeout", "bad_input", "reentry", "not_live", "in_use")
"""Words of the table that are written as code and are something else."""


def codes(file: Path) -> Iterator[tuple[str, str]]:
    """Code and grade of each finding that a file makes."""
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in ("error", "warning"):
            continue
        for code in texts(call.args[0]):
            yield code, call.func.id


def texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp():
            yield from texts(node.body)
            yield from texts(node.orelse)
        case ast.Name() | ast.Attribute():
            pass  # a code that was handed on
        case _:
            raise AssertionError(f"line {node.lineno}: a finding's code is written out, so that it can be looked up")


@cache
def made() -> dict[str, str]:
    found = {code: grade for file in SOURCES for code, grade in codes(file)}
    found |= dict.fromkeys(("undeclared_attribute", "undeclared_field"), "warning")  # chosen in validation/rules.py
    return found


def described() -> dict[str, str]:
    text = (HOUSE / "docs" / "findings.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([a-z_]+)` \| (error|warning) \|", text, re.MULTILINE))


def test_every_finding_is_described_with_its_grade_and_nothing_else_is() -> None:
    assert described() == made()


def test_every_finding_has_an_example() -> None:
    """One is missing? Add it to tests/findings/: a document with that one thing wrong. tests/core/test_finding_examples.py judges it."""
    shown = {example.code: example.grade for example in EXAMPLES}
    assert {code: grade for code, grade in made().items() if shown.get(code) != grade} == {}
    assert set(shown) <= set(made())


def test_what_other_products_check_is_answered_by_findings_that_there_are_or_by_a_reason() -> None:
    """The table of docs/findings.md for those who come from elsewhere."""
    text = (HOUSE / "docs" / "findings.md").read_text(encoding="utf-8")
    table = text[text.index(COMING_FROM_ELSEWHERE) :].split("\n## ")[1]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for asked, answered in rows:
        codes = re.findall(r"`([a-z_]+)`", answered)
        assert codes or answered.startswith(("Not needed:", "Left out:")), asked
        assert [code for code in codes if "_" in code and code not in made() and code not in NO_FINDINGS] == [], asked
