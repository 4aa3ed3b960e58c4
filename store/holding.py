"""Whether the policies let a delivery go now: quiet hours first, then frequency caps, by what its person has got from all journeys.

It reads and judges; store/claims.py writes down what comes of it. A place under a cap is taken by the claim itself: on SQLite nobody else
writes meanwhile, on PostgreSQL a lock of the person is held, after that of the entrant, until the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from journey import caps, quiet_hours
from journey.calls import ToCall
from journey.caps import Capped, Place
from journey.events import Instant
from journey.messages import MessageDocument
from journey.policies import CAPPED, Cap, Policies
from journey.profiles import Profile
from journey.quiet_hours import Quiet
from store import schema
from store.engines import POSTGRESQL
from store.entrants import Entrant
from store.statements import Statement
from store.work import Work


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery does not go now. It may at `until`; None when it is left out. `reason` is what its row says."""

    reason: str
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """A message that somebody is to get in step `n`, or a call, and the policies that hold. `asked_at` is when it was first to be sent."""

    entrant: Entrant
    n: int
    document: MessageDocument | ToCall
    profile: Profile
    policies: Policies
    asked_at: Instant
    now: Instant

    @property
    def exempt(self) -> bool:
        """A transactional message is held back by nothing, and counts for nothing; so is a call."""
        return self.document.kind == "transactional"

    @property
    def host(self) -> str:
        """Where a call goes; empty for a message."""
        return self.document.host if isinstance(self.document, ToCall) else ""

    @property
    def counts(self) -> bool:
        """Whether what is sent counts under the caps: test entrants are held to them and never count."""
        return not self.exempt and self.entrant.mode == "live"

    @property
    def priority(self) -> int:
        return self.entrant.frozen.journey.priority


def judge(work: Work, asking: Asking, channels: Sequence[str]) -> dict[str, Held]:
    """For each of these channels that must not be sent on now: why, and until when. Whatever is not named has its place."""
    if asking.exempt:
        return {}
    found: dict[str, Held] = {}
    for channel in channels:
        quiet = quiet_hours.judge(asking.policies.quiet_hours, channel, quiet_hours.zone_of(asking.profile), asking.asked_at, asking.now)
        if quiet is not None:
            found[channel] = _bounded(asking, quiet)
    rest = [channel for channel in channels if channel not in found]
    holding = [cap for cap in asking.policies.caps if any(cap.covers(channel) for channel in rest)]
    if holding:
        found |= _capped(work, asking, rest, holding)
    return found


def _capped(work: Work, asking: Asking, channels: Sequence[str], holding: Sequence[Cap]) -> dict[str, Held]:
    """One channel after the other: what goes by the first counts for the next."""
    places = _places(work, asking, channels)
    found: dict[str, Held] = {}
    for channel in channels:
        mine = caps.rank(asking.priority, asking.asked_at, asking.entrant.id, asking.n, channel)
        verdict = caps.judge(holding, mine, asking.asked_at, places, asking.now)
        if verdict is not None:
            found[channel] = _bounded(asking, verdict)
        else:
            places.append(Place(channel, asking.now))
    return found


def _places(work: Work, asking: Asking, channels: Sequence[str]) -> list[Place]:
    """What else of the person counts, under the lock of the person: of two who ask at once the second sees what the first has taken."""
    if work.connection.dialect.name == POSTGRESQL:
        _LOCK.first(work.connection, {"person": f"sojourn person {asking.profile.id}"})
    since = asking.now - asking.policies.longest_window
    own = {(asking.entrant.id, asking.n, channel) for channel in channels}
    found: list[Place] = []
    for row in _COUNTING.all(work.connection, {"person": asking.profile.id, "since": since}):
        if (row.entrant, row.n, row.channel) in own:
            continue
        in_line = row.status == "claimed" and row.reason == CAPPED and not row.token
        rank = caps.rank(row.priority, row.asked_at or row.counts_at, row.entrant, row.n, row.channel) if in_line else None
        found.append(Place(row.channel, row.counts_at, rank))
    return found


def _bounded(asking: Asking, verdict: Quiet | Capped) -> Held:
    """Nobody waits beyond the end of their journey: what could not go until then is left out."""
    deadline = asking.entrant.global_deadline
    if verdict.until is None or asking.now >= deadline:
        return Held(verdict.reason)
    return Held(verdict.reason, min(verdict.until, deadline))


_LOCK = Statement(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("person"), 0))))
_COUNTING = Statement(
    select(
        schema.deliveries.c.entrant, schema.deliveries.c.n, schema.deliveries.c.channel, schema.deliveries.c.status,
        schema.deliveries.c.reason, schema.deliveries.c.token, schema.deliveries.c.priority, schema.deliveries.c.asked_at,
        schema.deliveries.c.counts_at,
    ).where(
        schema.deliveries.c.profile == bindparam("person"), schema.deliveries.c.counts_at > bindparam("since"),
        schema.COUNTING,
    )
)  # fmt: skip
