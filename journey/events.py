"""Events and how they are recognised. It knows no store and no wire format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from journey import ids
from journey.graph import Document, NamespaceOrNone, RuleOrText, ThingId
from journey.profiles import AttributeType

Instant = int
"""Microseconds since 1970 in UTC, by the store's clock."""
PROFILE_CHANGED = "profile.changed"
"""The name of the event that a write of a profile is (journey/changes.py)."""


REACTIONS = (
    "email.opened", "email.clicked", "email.delivered", "email.bounced", "email.complained", "email.unsubscribed",
    "push.opened", "push.clicked", "push.unsubscribed",
)  # fmt: skip
"""What can come back of a message: what people do with it, and what its provider says of it (journey/feedback.py)."""


class EventDefinition(Document):
    """How an arriving event is recognised: by its name (`match`) or by a rule over its data; one of the two."""

    id: ThingId
    name: str = ""
    match: str = ""
    rule: RuleOrText | None = None
    fields: dict[str, AttributeType] = Field(default_factory=dict)
    namespace: NamespaceOrNone = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One arrived fact about one person, unique by (source, id). `accepted_at` is 0 until the store has accepted it.

    A reaction is one too: its source is `sojourn` and its data says which message of which entrant it answers. So is a write of a profile
    that somebody waits for; its data says which segments the person has entered and left by it.
    """

    source: str
    id: str
    name: str
    data: dict[str, Any] = field(default_factory=dict)
    profile: str = ""
    occurred_at: Instant | None = None
    accepted_at: Instant = 0

    @property
    def is_reaction(self) -> bool:
        return self.source == ids.REACTIONS and self.name != PROFILE_CHANGED

    @property
    def is_change(self) -> bool:
        """Is it a write of its person's profile?"""
        return self.source == ids.REACTIONS and self.name == PROFILE_CHANGED


def came_true(entrant: str, n: int) -> Event:
    """What a rule is on record as that was true already when its person came to wait for it. It stands before all that was kept: had
    they come earlier, it would have let them on earlier. A simulation begins at 0, so that is not early enough."""
    return Event(ids.REACTIONS, ids.came_true(entrant, n), PROFILE_CHANGED, accepted_at=-1)


def reaction(delivery: str, node: str, kind: str, *, profile: str, link: str = "", bounce: str = "") -> Event:
    """The event of what came back of a delivery. `kind` is the second part of a reaction, as opened; `bounce` is hard or soft."""
    name = ids.read_delivery(delivery)
    data: dict[str, Any] = {"entrant": name.entrant, "node": node, "to": f"{name.channel}.{kind}", "n": name.n}
    if link:
        data["link"] = link
    if bounce:
        data["bounce"] = bounce
    return Event(ids.REACTIONS, ids.reaction(delivery, kind, link), f"{name.channel}.{kind}", data, profile)
