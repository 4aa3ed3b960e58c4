"""Whether policies let a delivery go now: quiet hours first, then frequency caps. Pure: what went before is given when it is asked for.

The store asks it in the commit that claims (store/holding.py), the simulator on its virtual clock (journey/simulation/sending.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from journey import caps, quiet_hours
from journey.caps import Capped, Place
from journey.events import Instant
from journey.policies import Policies
from journey.quiet_hours import Quiet


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery does not go now. It may at `until`; None when it is left out. `reason` is what its row says."""

    reason: str
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody is to get in step `n` of a journey of this priority. `zone` is the person's own, `asked_at` when it was first to be
    sent, `deadline` the end of their journey. `counts` is False for what takes no place from anybody."""

    entrant: str
    n: int
    priority: int
    zone: str
    asked_at: Instant
    deadline: Instant
    counts: bool = True


def judge(
    policies: Policies, wanted: Wanted, channels: Sequence[str], now: Instant, others: Callable[[], Iterable[Place]]
) -> dict[str, Held]:  # fmt: skip
    """For each of these channels that must not be sent on now: why, and until when. Whatever is not named has its place.

    `others` are what else of the person counts under caps; asked for once, and only where there is a cap to be kept.
    """
    found: dict[str, Held] = {}
    for channel in channels:
        quiet = quiet_hours.judge(policies.quiet_hours, channel, wanted.zone, wanted.asked_at, now)
        if quiet is not None:
            found[channel] = _bounded(wanted, quiet, now)
    rest = [channel for channel in channels if channel not in found]
    holding = [cap for cap in policies.caps if any(cap.covers(channel) for channel in rest)]
    if not holding:
        return found
    places = list(others())
    for channel in rest:  # one after the other: what goes by the first counts for the next
        mine = caps.rank(wanted.priority, wanted.asked_at, wanted.entrant, wanted.n, channel)
        capped = caps.judge(holding, mine, wanted.asked_at, places, now)
        if capped is not None:
            found[channel] = _bounded(wanted, capped, now)
        elif wanted.counts:
            places.append(Place(channel, now))
    return found


def _bounded(wanted: Wanted, verdict: Quiet | Capped, now: Instant) -> Held:
    """Nobody waits beyond the end of their journey: what could not go until then is left out."""
    if verdict.until is None or now >= wanted.deadline:
        return Held(verdict.reason)
    return Held(verdict.reason, min(verdict.until, wanted.deadline))
