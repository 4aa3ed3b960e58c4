"""A scenario: what somebody does in a journey, and what is expected to come of it. The shape alone: judging.py plays and judges.

It is a file beside a journey, `scenarios/NAME.yaml`, and a test of that journey which needs no server.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from journey.graph import Document, Next, ThingId
from journey.profiles import ProfileDocument

EVENT_CODES = (
    "enters", "already_inside", "reentry_too_soon", "reentry_not_allowed", "exits", "kept", "late", "nobody_listening", "no_definition",
    "no_effect", "duplicate", "no_delivery", "not_yet", "approved", "discarded", "not_started", "paused", "settles", "did_not_settle",
    "resumed",
)  # fmt: skip
_NODE = "[a-z][a-z0-9-]{0,62}"
PATH_STEP = f"^{_NODE}(:{_NODE})?$"
EVENT = f"^(kept then )?(decides {_NODE}|{'|'.join(EVENT_CODES)})$"
CARRIER = rf"^{_NODE}\.[a-z][a-z0-9_]*$"

BEGINS = "2026-01-05T09:00"
"""When a scenario begins that does not say: a Monday morning, on the journey's clock, or the start of the journey if that is later."""

Step = Annotated[str, Field(pattern=PATH_STEP)]
"""A node that was left, as NODE:EXIT; NODE alone is NODE:next."""
Became = Annotated[str, Field(pattern=EVENT)]
"""What became of an event: `decides NODE`, `exits`, the code of what it had no effect for, or `kept then` and one of these."""
Carrier = Annotated[str, Field(pattern=CARRIER)]
"""A delivery of a node: NODE.CHANNEL."""
Status = Literal["sent", "excluded", "failed", "uncertain"]
End = Literal["finished", "no_branch", "exit_criteria", "error", "global_timeout", "journey_ended", "journey_paused"]


class Happens(Document):
    """One thing that happens: an event, a reaction to a message, a write of the profile, a review, or a pause of the journey and its end.
    `after` is a duration from the admission; absent, at once. Where a journey begins with an event, the first that fits is the admission,
    and `after` counts from the beginning of the scenario.

    What an event's rule asks for need not be in `data`: it is filled in. `of` is the message node, needed where several could be meant.
    `profile` are attributes that are laid over those that are there; null takes one out. `approve` and `discard` name the node whose
    message is held for review. `pause` says what becomes of whoever comes to an action, `for` how long it lasts at the most; `resume` is
    true.
    """

    after: str = ""
    event: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    id: str = ""
    source: str = "script"
    reaction: str = ""
    of: str = ""
    link: str = ""
    profile: dict[str, Any] = Field(default_factory=dict)
    approve: str = ""
    discard: str = ""
    pause: Literal["", "hold", "discard"] = ""
    length: str = Field("", alias="for")
    resume: StrictBool = False


class ExpectedDelivery(Document):
    """One delivery. What is left out may be anything."""

    message: str = ""
    node: str = ""
    channel: str = ""
    status: Status = "sent"
    reason: str = ""


class Answered(Document):
    """What a webhook answers in the end: a status, and JSON if any."""

    status: Annotated[int, Field(ge=200, le=599)] = 200
    body: Any = None


class Expectations(Document):
    """What must come of it. What is left out is not looked at; a list must be met whole, and in this order.

    `path` is every node that is left, `deliveries` all that was tried, `events` what became of each thing that happens. `waits` is the
    node, or the nodes of the gate, at which the person stands at the end of the scenario, `held` that before which a pause holds them.
    `attributes` are some of those that the
    profile has then; null is one that it has not.
    """

    path: tuple[Step, ...] | None = None
    deliveries: tuple[ExpectedDelivery, ...] | None = None
    events: tuple[Became, ...] | None = None
    end: End | None = None
    end_node: str = ""
    ended_after: str = ""
    waits: Next = ()
    held: str = ""
    attributes: dict[str, Any] = Field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return self == Expectations()


class Scenario(Document):
    """One person's story with what is expected of it. `profile` is the id of one in the folder, or a whole profile.

    `consents` stand over those of the profile; on a `suppressed` channel nothing is sent to their address. `answers` says of a delivery,
    as NODE.CHANNEL, that its provider refused it for good, or that nobody knows; `responses` what the webhook of a node answers.
    `branches` names the share that is taken at a split. `stops` is how long a stop takes, `until` when to stop looking, as durations.
    `begins` is the date-time of the admission, on the journey's clock where it has no offset; absent, BEGINS.
    """

    name: str = ""
    journey: ThingId
    note: str = ""
    profile: Annotated[str | ProfileDocument, Field(union_mode="left_to_right")] = ""
    consents: dict[str, bool] = Field(default_factory=dict)
    consent_explicit: bool = False
    suppressed: tuple[Literal["email"], ...] = ()
    answers: dict[Carrier, Literal["refused", "uncertain"]] = Field(default_factory=dict)
    responses: dict[ThingId, Answered] = Field(default_factory=dict)
    branches: dict[ThingId, ThingId] = Field(default_factory=dict)
    stops: dict[str, str] = Field(default_factory=dict)
    happens: tuple[str | Happens, ...] = ()
    until: str = ""
    begins: str = ""
    expect: Expectations
