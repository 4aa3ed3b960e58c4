"""The version that a simulated person walks: from when to when it lets people in, and when everybody inside ends. It knows no person.

store/dates.py does the same to a version for real; both ask lifecycle.py what may be.
"""

from __future__ import annotations

from dataclasses import dataclass

from journey import dates, lifecycle
from journey.events import Instant
from journey.graph import Journey
from journey.lifecycle import State


@dataclass
class Life:
    """A version by the clock of a story: instants count from its beginning, so what is past already is below 0."""

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    state: State = "live"

    @classmethod
    def of(cls, journey: Journey, begins: Instant) -> Life:
        """The life of a journey whose story begins at this instant. Raises BadInput where a date of it is none."""
        opens, ends = dates.opens(journey), dates.ends(journey)
        return cls(None if opens is None else opens - begins, None if ends is None else ends - begins)

    def refusal(self, now: Instant) -> str:
        """Why nobody may enter now, as the code of a discard; empty when people may."""
        return lifecycle.refusal(self.state, now, self.starts_at, self.ends_at)

    @property
    def is_entered(self) -> bool:
        """Does what would let somebody in come to something, if only to a discard with its reason? A closed version is not looked at."""
        return self.state == "live"

    def at_most(self, at: Instant) -> Instant:
        """That instant, or the end if that is earlier."""
        return at if self.ends_at is None else min(at, self.ends_at)

    @property
    def turns_at(self) -> Instant | None:
        """When the clock alone changes something for those inside; None when it does not."""
        return self.ends_at if lifecycle.can(self.state, "end") and self.state != "closed" else None

    def turn(self) -> None:
        """What the clock brings then."""
        self.state = lifecycle.after("the journey", self.state, "end")
