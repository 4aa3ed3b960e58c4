"""Whether one more message may go to a person under the frequency caps. Pure: what went before, and the instant, are arguments.

A window slides: at most `most` messages lie in any stretch of the length `within`, to the microsecond. What is on its way counts as what
has gone. Whoever waits for a place stands in line, by the priority of the journey and then by who came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from journey.events import Instant
from journey.gate import MICROSECONDS
from journey.policies import CAPPED, Cap, length

LOOK_AGAIN = 60 * MICROSECONDS
"""Whoever finds a place free and somebody before them in line looks again after this: by then that one has taken it, or is gone."""
SOON = MICROSECONDS
"""Somebody in line whose time comes within this is not overtaken."""

Rank = tuple[int, Instant, str, int, str]
"""The place in line, the smaller the earlier: priority (negative), when it was asked for, and the delivery."""


@dataclass(frozen=True, slots=True)
class Place:
    """A delivery that counts under the caps. `at` is when it went or is to go; `rank` is set for one that stands in line for a place."""

    channel: str
    at: Instant
    rank: Rank | None = None


@dataclass(frozen=True, slots=True)
class Capped:
    """A delivery has no place: it may be tried again at `until`; None when it is to be left out. `reason` says why."""

    until: Instant | None
    reason: str = CAPPED


def rank(priority: int, asked_at: Instant, entrant: str, n: int, channel: str) -> Rank:
    """The place in line of a delivery of a journey with this priority."""
    return -priority, asked_at, entrant, n, channel


def judge(caps: Sequence[Cap], mine: Rank, asked_at: Instant, places: Iterable[Place], now: Instant) -> Capped | None:
    """Whether a cap forbids the delivery of this rank now, and until when; None when none does.

    `places` are all others of the person that may lie in a window, in any order; `asked_at` is when this one was first to be sent.
    """
    known = list(places)
    channel = mine[-1]
    until = now
    for cap in caps:
        frees = _frees(cap, mine, known, now) if cap.covers(channel) else None
        if frees is None:
            continue
        if cap.then == "drop" or (cap.then == "retry" and frees > asked_at + length(cap.retry_for)):
            return Capped(None)
        until = max(until, frees)
    return Capped(until) if until > now else None


def _frees(cap: Cap, mine: Rank, places: Sequence[Place], now: Instant) -> Instant | None:
    """When there may be a place under this cap; None when there is one now."""
    within = length(cap.within)
    here = [place for place in places if cap.covers(place.channel)]
    taken = sorted(place.at for place in here if place.rank is None and place.at > now - within)
    before = [place for place in here if place.rank is not None and place.rank < mine]
    coming = sum(place.at <= now + SOON for place in before)
    if len(taken) + coming < cap.most:
        return None
    if len(taken) < cap.most:
        return now + LOOK_AGAIN
    return taken[min(len(taken) - cap.most + len(before), len(taken) - 1)] + within
