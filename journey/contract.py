"""The models that pass between workflows, activities and store: what a workflow is started with, is told, proposes and gets back.

It knows no Temporal. Every field has a default and an unknown one is ignored: a history written by yesterday's code must be read by
tomorrow's.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class EntrantStart:
    """The one input of an entrant: for a start, a continuation and a repair. `n` is the last closed step and `place` where it led."""

    entrant: str = ""
    version: str = ""
    place: str = ""
    n: int = 0
    engine: int = 1


@dataclass(slots=True)
class Happened:
    """The signal that an event decided the gate which step `n` arrived at. Events travel by name, never by what is in them."""

    n: int = 0
    node: str = ""
    source: str = ""
    event: str = ""


@dataclass(slots=True)
class Leave:
    """The signal that the store has an ending for this entrant: its next commit is its end."""

    reason: str = ""


@dataclass(slots=True)
class Removal:
    """Somebody outside wants this entrant to end, for this reason; one that stands already stays."""

    entrant: str = ""
    reason: str = ""


@dataclass(slots=True)
class Landing:
    """Where an outcome of a stop leads: a place, or the end for a reason (then `place` is the end node, if one is drawn)."""

    place: str = ""
    reason: str = ""


@dataclass(slots=True)
class Proposal:
    """Step `n` as the walk would have it: how the last place was left, what is to be done now, and where each outcome of it leads.

    `node` is empty when nothing is to be done: then the one landing is under the empty outcome. `left` is empty for the first step,
    and when the workflow woke without knowing why (the store does).
    """

    entrant: str = ""
    n: int = 0
    left: str = ""
    exit: str = ""
    source: str = ""
    event: str = ""
    node: str = ""
    message: str = ""
    channels: list[str] = field(default_factory=list)
    landings: dict[str, Landing] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """The last closed step of an entrant, as the store has it: the workflow goes on from here, whatever it proposed.

    `seconds` is how long to wait at the place by the store's clock; `node`, `source` and `event` say that the gate there is decided
    already; `end` is the reason when it was the last step; `said` is a sentence for people, without personal data.
    """

    n: int = 0
    place: str = ""
    seconds: float = 0
    node: str = ""
    source: str = ""
    event: str = ""
    end: str = ""
    said: str = ""


@dataclass(slots=True)
class RunStart:
    """The input of a run."""

    run: str = ""


@dataclass(slots=True)
class Pages:
    """What reading some pages of a run came to; `done` when there is no further one."""

    read: int = 0
    admitted: int = 0
    discarded: int = 0
    done: bool = False


@dataclass(slots=True)
class WindDownStart:
    """The input of winding down a version: everybody inside ends for this reason."""

    version: str = ""
    reason: str = ""
