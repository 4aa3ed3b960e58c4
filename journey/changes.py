"""A write of a profile as an event: which segments its person has entered and left by it. It knows no store and no gate.

What such an event decides is said where it is said of every event: journey/gate.py and journey/matching.py. Only a write counts: a
segment whose rule is changed, or time that passes, moves nobody in or out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from journey import ids
from journey.events import PROFILE_CHANGED, Event, Instant

Attributes = Mapping[str, Any]
Member = Callable[[str], bool]
"""Is somebody a member of this segment?"""
ENTERED, LEFT = "entered", "left"
_MOVED = {"enter": ENTERED, "leave": LEFT}


def event(profile: str, at: Instant, segments: Sequence[str], was: Member, is_now: Member) -> Event:
    """The event that a write at this instant is. `segments` are those that somebody asks about, `was` and `is_now` tell whether the person
    was a member before it, and is one after it."""
    entered = [name for name in segments if is_now(name) and not was(name)]
    left = [name for name in segments if was(name) and not is_now(name)]
    return Event(ids.REACTIONS, ids.profile_change(profile, at), PROFILE_CHANGED, {ENTERED: entered, LEFT: left}, profile, None, at)


def nowhere(segment: str) -> bool:
    """Nobody is a member of anything without a profile."""
    return False


def moved(change: Event, segment: str, direction: str) -> bool:
    """Has its person entered (`enter`) or left (`leave`) this segment by this event?"""
    return change.is_change and segment in change.data.get(_MOVED[direction], ())
