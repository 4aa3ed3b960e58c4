"""Whether the policies let a delivery go now: quiet hours first, then frequency caps, by what its person has got from all journeys.

It reads and judges; store/claims.py writes down what comes of it. A place under a cap is taken by the claim itself: on SQLite nobody else
writes meanwhile, on PostgreSQL a lock of the person is held, after that of the entrant, until the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from journey import caps, holding, quiet_hours
from journey.calls import ToCall
from journey.caps import Place
from journey.events import Instant
from journey.holding import Held, Wanted
from journey.messages import MessageDocument
from journey.policies import CAPPED, Policies
from journey.profiles import Profile
from store import schema
from store.engines import POSTGRESQL
from store.entrants import Entrant
from store.statements import Statement
from store.work import Work


@dataclass(frozen=True, slots=True)
class Asking:
    """A message that somebody is to get in step `n`, or a call, and the policies that hold. `asked_at` is when it was first to be sent;
    with `review` it is to be reviewed before."""

    entrant: Entrant
    n: int
    document: MessageDocument | ToCall
    profile: Profile
    policies: Policies
    asked_at: Instant
    now: Instant
    review: bool = False

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
    wanted = Wanted(
        asking.entrant.id, asking.n, asking.priority, quiet_hours.zone_of(asking.profile), asking.asked_at, asking.entrant.global_deadline,
        asking.counts,
    )  # fmt: skip
    return holding.judge(asking.policies, wanted, channels, asking.now, lambda: _places(work, asking, channels))


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
