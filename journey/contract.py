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
    """The signal that the store has an ending for this entrant: its next commit is its end. Without a reason: ask the store again."""

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
    and when the workflow woke without knowing why (the store does). `host` is where a webhook is called, empty for all other doing.
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
    host: str = ""
    landings: dict[str, Landing] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """The last closed step of an entrant, as the store has it: the workflow goes on from here, whatever it proposed.

    `seconds` is how long to wait at the place by the store's clock; `node`, `source` and `event` say that the gate there is decided
    already; `end` is the reason when it was the last step; `said` is a sentence for people, without personal data. `due_node` and
    `due_exit` are how the gate is left when time is up, where the graph alone cannot tell. `again` says that the step that was proposed is
    open, and held back by the policies: propose it once more after so many seconds. `held` says
    that nothing was written, since the journey is paused: whoever is told to leave, or after `seconds`, proposes the same again.
    `version`, its `hash` and the `purpose` of its journey say which version the entrant walks, if it was ever carried over into another.
    """

    n: int = 0
    place: str = ""
    seconds: float = 0
    node: str = ""
    source: str = ""
    event: str = ""
    end: str = ""
    said: str = ""
    due_node: str = ""
    due_exit: str = ""
    again: float = 0
    held: bool = False
    version: str = ""
    hash: str = ""
    purpose: str = ""


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
    stayed: int = 0


@dataclass(slots=True)
class ScheduleStart:
    """The input of a schedule that has fired: the store knows what is due."""

    journey: str = ""


@dataclass(slots=True)
class Occurred:
    """What came of it: the run that was begun, if one was, how many occurrences were missed, and a sentence for people."""

    run: str = ""
    missed: int = 0
    said: str = ""


@dataclass(slots=True)
class ResendStart:
    """The input of sending a delivery once more that has been uncertain since this instant (microseconds)."""

    delivery: str = ""
    since: int = 0


@dataclass(slots=True)
class WindDownStart:
    """The input of winding down a version: everybody inside ends for this reason."""

    version: str = ""
    reason: str = ""


@dataclass(slots=True)
class ReleaseStart:
    """The input of letting those go on whom a pause of a version has held; `released` is how many have been before a continuation."""

    version: str = ""
    released: int = 0


@dataclass(slots=True)
class WakeStart:
    """The input of waking those of a version that was succeeded; `woken` is how many have been before a continuation."""

    version: str = ""
    woken: int = 0


@dataclass(slots=True)
class Told:
    """A page of people who were released or woken: how many, how long to wait for the next page in seconds, and whether it was the
    last."""

    people: int = 0
    seconds: float = 0
    done: bool = False


@dataclass(slots=True)
class LeftAlone:
    """A workflow or an entrant for whom nothing could be done, with the code of the reason and a sentence."""

    id: str = ""
    code: str = ""
    sentence: str = ""


MOST_LEFT_ALONE = 100
"""So many are named; the others are counted."""


@dataclass(slots=True)
class Repaired:
    """What a sweep or a reconciliation came to, in people.

    `checked` were looked at; `told` got a signal; `started` got their workflow again; `ended` were ended in the store, since their
    workflow was ended from outside; `adopted` got a row in the store; `busy` were left to their workflow, which is at work or waits for
    a worker. `left` names those for whom nothing could be done, `left_alone` counts them.
    """

    checked: int = 0
    told: int = 0
    started: int = 0
    ended: int = 0
    adopted: int = 0
    busy: int = 0
    left_alone: int = 0
    left: list[LeftAlone] = field(default_factory=list)

    def plus(self, more: Repaired) -> Repaired:
        """Both together."""
        return Repaired(
            self.checked + more.checked, self.told + more.told, self.started + more.started, self.ended + more.ended,
            self.adopted + more.adopted, self.busy + more.busy, self.left_alone + more.left_alone,
            [*self.left, *more.left][:MOST_LEFT_ALONE],
        )  # fmt: skip

    def said(self) -> str:
        """A sentence for people."""
        return (
            f"{self.checked} looked at: {self.told} told, {self.started} started again, {self.ended} ended, {self.adopted} adopted, "
            f"{self.busy} at work, {self.left_alone} left alone"
        )


@dataclass(slots=True)
class SweepStart:
    """The input of a sweep. It looks after people who are so many seconds past their due (`patience`), the oldest first and `most` of
    them, and after those whose workflow was ended from outside within the last `back` seconds."""

    patience: float = 60
    most: int = 2000
    back: float = 900


@dataclass(slots=True)
class ReconcilePage:
    """What a reconciliation compares next: entrants of the store behind the id `after`, then running workflows of the server behind the
    page token `after`; an empty side is the end. `wake`: everybody is asked to compare what they know with the store."""

    side: str = "store"
    after: str = ""
    wake: bool = False


@dataclass(slots=True)
class Reconciled:
    """What one page came to, and the next one."""

    repaired: Repaired = field(default_factory=Repaired)
    following: ReconcilePage = field(default_factory=ReconcilePage)


@dataclass(slots=True)
class ReconcileStart:
    """The input of a reconciliation, and of its continuation: where it goes on, and what it came to so far."""

    page: ReconcilePage = field(default_factory=ReconcilePage)
    so_far: Repaired = field(default_factory=Repaired)
