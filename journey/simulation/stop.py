"""What a simulated person is under way with, or kept from. It decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from journey.events import Instant
from journey.walk import Answer, Outcome, Place


@dataclass(frozen=True, slots=True)
class Stop:
    """What a person is under way with: what is done, at which place, and when the stop closes.

    One that sends is opened when it begins; any other is a single commit at its end, and only then has left the gate `left` that led
    here. Where a gate did, the global deadline no longer counts. `rested`: nothing of it is out, and the store is asked anew when it
    closes.
    """

    answer: Answer
    target: Place
    closes_at: Instant
    opened: bool
    left: Outcome | None
    rested: bool = False


@dataclass(frozen=True, slots=True)
class Halted:
    """A stop that a pause has kept from being opened: where it leads, what it has left, and whether a gate did so."""

    target: Place
    left: Outcome | None
    decided: bool
