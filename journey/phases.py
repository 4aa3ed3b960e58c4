"""How far somebody in a test is, and how each node looks for them: the log of a test session. It knows no store and no time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from journey.walk import ERROR

Phase = Literal["running", "finished", "error", "timed_out"]
Look = Literal["passed", "here", "timed_out", "error", "left"]
"""Of a node on somebody's path: they went on from it, are at it, went on since time was up, by its error exit, or ended there or by another
node of its gate."""

_BROKEN = frozenset({ERROR, "terminated"})


class Walked(NamedTuple):
    """One step of a path: the node that was left and by which exit; where it then acted and how that came out (empty while it acts); and
    the nodes that it led to."""

    left: str
    exit: str
    node: str
    outcome: str
    place: tuple[str, ...]


def phase(end_reason: str) -> Phase:
    """The phase of an entrant by the reason of its end, empty while it is open."""
    if not end_reason:
        return "running"
    if end_reason in _BROKEN:
        return "error"
    return "timed_out" if end_reason == "global_timeout" else "finished"


def looks(path: Iterable[Walked], place: Sequence[str], *, is_open: bool) -> dict[str, Look]:
    """How each node that somebody came to looks for them now, in the order of their coming. `place` is where they are, or ended."""
    found: dict[str, Look] = {}
    for step in path:
        if step.left:
            found[step.left] = "timed_out" if step.exit == "timeout" else "passed"
        if step.node:
            found[step.node] = "here" if not step.outcome else "error" if step.outcome == ERROR else "passed"
        found |= {node: "left" for node in step.place if node not in found}
    if is_open:
        found |= dict.fromkeys(place, "here")
    else:
        found |= dict.fromkeys(place, "passed")  # the end that was drawn
    return found
