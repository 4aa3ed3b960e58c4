"""docs/findings.md describes every finding that the code can make, with its grade, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]
SOURCES = [*sorted((HOUSE / "journey").glob("validation*.py")), *sorted((HOUSE / "commands").glob("*.py"))]
EXAMPLES = [*sorted((HOUSE / "tests" / "core").glob("test_validation*.py")), HOUSE / "tests" / "commands" / "test_validate.py"]


def codes(file: Path) -> Iterator[tuple[str, str]]:
    """Code and grade of each finding that a file makes."""
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in ("error", "warning", "later"):
            continue
        if call.func.id == "later":
            yield "not_supported_yet", "error"
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


def made() -> dict[str, str]:
    found = {code: grade for file in SOURCES for code, grade in codes(file)}
    found |= dict.fromkeys(("undeclared_attribute", "undeclared_field"), "warning")  # chosen in validation_rules.py
    return found


def described() -> dict[str, str]:
    text = (HOUSE / "docs" / "findings.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([a-z_]+)` \| (error|warning) \|", text, re.MULTILINE))


def test_every_finding_is_described_with_its_grade_and_nothing_else_is() -> None:
    assert described() == made()


def test_every_finding_has_an_example_among_the_tests() -> None:
    tested = "".join(file.read_text(encoding="utf-8") for file in EXAMPLES)
    assert [code for code in made() if f'"{code}"' not in tested] == []
