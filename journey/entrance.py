"""Whether somebody may enter a journey again: E1 and E2 of the design, by what is on record of their earlier entrances. It knows no store.

Runs, events, jumps and the simulator ask here, so that nobody has a rule of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from journey import dates, durations, gate, lifecycle
from journey.events import Instant
from journey.graph import Journey, reading
from journey.lifecycle import State

PAUSE_BETWEEN_EVENTS = "PT5M"
"""So long after an entrance nothing but a run lets the same person in again, where the journey says nothing: one thing that happens is
often told twice."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a key's entrances into one journey, whatever the version: how many, when the last was, and whether it is over."""

    number: int = 0
    entered_at: Instant = 0
    inside: bool = False


NEVER = Before()
"""Nothing is on record."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody is not let in: the code of a discard, and a sentence."""

    code: str
    detail: str = ""


def closed(version: str, state: State, now: Instant, starts_at: Instant | None, ends_at: Instant | None) -> Refusal | None:
    """Why nobody may enter a version now, whoever they are; None when people may."""
    code = lifecycle.refusal(state, now, starts_at, ends_at)
    match code:
        case "":
            return None
        case "not_started":
            return Refusal(code, f"{version} lets in nobody before {dates.told(starts_at or 0)}.")
        case "journey_ended":
            return Refusal(code, f"{version} has ended at {dates.told(ends_at or 0)}.")
    return Refusal(code, f"{version} is {state}: it lets nobody in.")


def may_enter(journey: Journey, before: Before, now: Instant) -> Refusal | None:
    """Why a key may not enter now; None when it may. The clock of `reentry.after` runs from the last entrance."""
    if before.inside:
        return Refusal("already_inside", f"They walk {journey.id} already.")
    if not before.number:
        return None
    if not journey.reentry.allowed:
        return Refusal("reentry_not_allowed", f"They were in {journey.id} before, and it lets nobody in twice.")
    pause = pause_between(journey)
    if now < before.entered_at + pause * gate.MICROSECONDS:
        return Refusal("reentry_too_soon", f"They entered {journey.id} less than {pause} s ago.")
    return None


def pause_between(journey: Journey) -> int:
    """Seconds between two entrances of one key; 0 where a run may let in whoever has ended."""
    if journey.reentry.after:
        return durations.seconds(journey.reentry.after)
    return 0 if reading(journey) is not None else durations.seconds(PAUSE_BETWEEN_EVENTS)
