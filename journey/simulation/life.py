"""The version that a simulated person walks: when it lets people in, when it is paused, and when everybody inside ends. It knows no person.

store/dates.py and store/pausing.py do the same to a version for real; all of them ask lifecycle.py what may be.
"""

from __future__ import annotations

from dataclasses import dataclass

from journey import dates, lifecycle
from journey.events import Instant
from journey.graph import Journey
from journey.lifecycle import Pause, State
from journey.walk import Acting


@dataclass
class Life:
    """A version by the clock of a story: instants count from its beginning, so what is past already is below 0.

    `resumes` is the state that a pause goes back to, `until` when it is over by itself.
    """

    journey: Journey
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    state: State = "live"
    pause: Pause | None = None
    resumes: State = "live"
    until: Instant | None = None

    @classmethod
    def of(cls, journey: Journey, begins: Instant) -> Life:
        """The life of a journey whose story begins at this instant. Raises BadInput where a date of it is none."""
        opens, ends = dates.opens(journey), dates.ends(journey)
        return cls(journey, None if opens is None else opens - begins, None if ends is None else ends - begins)

    def refusal(self, now: Instant) -> str:
        """Why nobody may enter now, as the code of a discard; empty when people may."""
        return lifecycle.refusal(self.state, now, self.starts_at, self.ends_at)

    @property
    def is_entered(self) -> bool:
        """Does what would let somebody in come to something, if only to a discard with its reason? A closed version is not looked at."""
        return self.state == "live" or (self.state, self.resumes) == ("paused", "live")

    def door(self, now: Instant) -> str | None:
        """Why nobody may enter now; empty when people may, None when nobody looks at what would let them in."""
        return self.refusal(now) if self.is_entered else None

    def at_most(self, at: Instant) -> Instant:
        """That instant, or the end if that is earlier."""
        return at if self.ends_at is None else min(at, self.ends_at)

    # ---- pauses ------------------------------------------------------------------------------------------------------------------

    def keeps_from(self, answer: Acting) -> bool:
        """Is this an action that nobody does now?"""
        return lifecycle.may_not_act(self.state) and self.journey.node(answer.node).kind in lifecycle.ACTING

    def ends_held(self, now: Instant, deadline: Instant) -> str:
        """Why somebody ends who may not act; empty when they are held."""
        return lifecycle.ends_held(self.state, self.pause or "", now, deadline)

    def be_paused(self, what: Pause, until: Instant, *, inhabited: bool) -> bool:
        """Pause it; False where that cannot be. Once it is closed it is finished as soon as nobody is inside."""
        if not lifecycle.can(self.state, "pause") or (self.state == "closed" and not inhabited):
            return False
        self.pause, self.resumes, self.until = what, self.state, until
        self._move("pause")
        return True

    def be_resumed(self) -> bool:
        """End the pause; False where there is none."""
        if self.state != "paused":
            return False
        self._move("resume" if self.resumes == "live" else "resume_closed")
        self.pause = self.until = None
        return True

    # ---- the clock ---------------------------------------------------------------------------------------------------------------

    @property
    def turns_at(self) -> Instant | None:
        """When the clock alone brings something: the end, or that of a pause; None when it brings nothing."""
        coming = [self.ends_at] if self.state in ("live", "paused") else []
        return min((at for at in (*coming, self.until) if at is not None), default=None)

    def turn(self, at: Instant) -> lifecycle.Act:
        """What the clock brings by this instant. The end stands before all else."""
        if lifecycle.is_over(at, self.ends_at) and self.state in ("live", "paused"):
            self._move("end")
            self.pause = self.until = None
            return "end"
        self.be_resumed()
        return "resume"

    def _move(self, act: lifecycle.Act) -> None:
        self.state = lifecycle.after(self.journey.id, self.state, act)
