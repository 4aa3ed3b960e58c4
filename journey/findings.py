"""What the validator says. It knows nothing of how a finding is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one place of a document.

    `code` is stable and described in docs/findings.md; `node` is empty when it is about the whole journey; `field` is the field
    of the node, dotted (`timeout.after`), so that a file can be pointed at by line.
    """

    code: str
    grade: Grade
    sentence: str
    node: str = ""
    field: str = ""


def blocking(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that forbid a publish."""
    return tuple(finding for finding in findings if finding.grade == "error")


def error(code: str, node: str, field: str, sentence: str) -> Finding:
    """A finding that forbids a publish."""
    return Finding(code, "error", sentence, node, field)


def warning(code: str, node: str, field: str, sentence: str) -> Finding:
    """A finding that does not."""
    return Finding(code, "warning", sentence, node, field)
