"""What one attempt at a step may send, and when it should look after the rest. It decides nothing (store/claims.py does)."""

from __future__ import annotations

from dataclasses import dataclass, field

from journey.events import Instant


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one delivery, until its lease runs out."""

    channel: str
    token: str
    delivery: str
    tries: int = 0


@dataclass(slots=True)
class Taken:
    """What an attempt may send now, in how many seconds it should look after the rest, and by when all of it should be done.

    `held` are the channels that are held back, with the reason, as long as there is nothing to look after earlier. `kept_back` says that
    there is something to send that may not be sent while the journey is paused. `in_review` are the channels that wait for their review
    (store/in_review.py), `to_render` those of them that are to be made out for it.
    """

    claims: list[Claim] = field(default_factory=list)
    look: float | None = None
    due: Instant = 0
    held: dict[str, str] = field(default_factory=dict)
    _held: dict[str, str] = field(default_factory=dict)
    kept_back: bool = False
    in_review: list[str] = field(default_factory=list)
    to_render: tuple[str, ...] = ()

    def look_in(self, seconds: float, channel: str = "", reason: str = "") -> None:
        if reason:
            self._held[channel] = reason
        if self.look is None or seconds + 0.01 < self.look:
            self.look = seconds + 0.01
            self.held = self._held if reason else {}
