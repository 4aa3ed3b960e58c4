"""Every error that Sojourn raises on purpose, as one tree. It knows no HTTP: api/problems.py gives each its status.

SojournError
├── NotFound               a thing that is named does not exist
├── Conflict               the thing is there, its state forbids the call
│   ├── Invalid            a journey with findings that block
│   └── Stale              somebody else changed it since it was read
├── BadInput               what was sent cannot be understood
│   └── RuleError          a rule that does not parse, with its column
├── RenderError            a template that cannot be rendered for this person
└── Unavailable            a part that is needed is not there now; try again
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journey.findings import Finding


class SojournError(Exception):
    """The base: a stable code, and a sentence that says what to do."""

    code = "error"

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        if code is not None:
            self.code = code


class NotFound(SojournError):
    """A thing that is named does not exist."""

    code = "not_found"


class Conflict(SojournError):
    """The thing is there, but its state forbids the call."""

    code = "conflict"


class Invalid(Conflict):
    """A journey whose findings block what was asked; all of them travel with the error."""

    code = "journey_invalid"

    def __init__(self, sentence: str, findings: Sequence[Finding], *, code: str | None = None) -> None:
        super().__init__(sentence, code=code)
        self.findings = tuple(findings)


class Stale(Conflict):
    """Somebody else changed it since it was read (HTTP 412)."""

    code = "stale"


class BadInput(SojournError):
    """What was sent cannot be understood; `where` is the path of the field, `line` the line of the text, when there is one."""

    code = "bad_input"

    def __init__(self, sentence: str, *, code: str | None = None, where: str = "", line: int = 0) -> None:
        super().__init__(sentence, code=code)
        self.where = where
        self.line = line


class RuleError(BadInput):
    """A rule that cannot be read; `column` counts from 1, 0 when it is not known."""

    code = "rule_invalid"

    def __init__(self, sentence: str, *, code: str | None = None, column: int = 0) -> None:
        super().__init__(sentence, code=code)
        self.column = column


class RenderError(SojournError):
    """A template that cannot be rendered for this person. Permanent: sending again gives the same."""

    code = "render_error"


class Unavailable(SojournError):
    """A part that is needed is not there now; `retry_after` in seconds."""

    code = "unavailable"

    def __init__(self, sentence: str, *, retry_after: int = 5) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
