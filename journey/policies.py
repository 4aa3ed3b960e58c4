"""What holds at the moment of sending for everybody, across journeys: the document of frequency caps and quiet hours. It judges nobody.

caps.py and quiet_hours.py are its meaning; validation/policies.py says what is wrong with one. Messages of the class transactional are
exempt from all of it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StrictInt, WithJsonSchema

from journey import durations
from journey.events import Instant
from journey.gate import MICROSECONDS
from journey.graph import Document, ThingId

ALL = "all"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CAPPED = "capped"
QUIET_HOURS = "quiet_hours"
HELD = (CAPPED, QUIET_HOURS)
"""The reasons of a delivery that the policies hold back, or have excluded."""


def _as_tuple(raw: Any) -> Any:
    return (raw,) if isinstance(raw, str | dict) else raw


def _as_written(items: tuple[Any, ...]) -> Any:
    return items[0] if len(items) == 1 else list(items)


_NAMES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Channels = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), PlainSerializer(_as_written), WithJsonSchema(_NAMES)]
"""Names of channels, or `all`."""


def length(text: str) -> Instant:
    """A duration in microseconds. Raises BadInput."""
    return durations.seconds(text) * MICROSECONDS


class Cap(Document):
    """At most so many messages to one person within a sliding window, on these channels together, from whatever journey.

    `then` says what becomes of one more: `drop` leaves it out, `retry` tries again when the window frees, if that is within
    `retry_for`, `wait` waits for as long as it takes.
    """

    id: ThingId
    channels: Channels = (ALL,)
    most: Annotated[StrictInt, Field(ge=1)]
    within: str = ""
    then: Literal["drop", "retry", "wait"] = "drop"
    retry_for: str = ""

    def covers(self, channel: str) -> bool:
        return ALL in self.channels or channel in self.channels


class QuietHours(Document):
    """Hours of the day, `HH:MM`, in which nobody is written to on these channels: from `start` on and before `end`, which may be on the
    next day. `weekdays` are the days on which they begin, all when absent. `zone` is that of people who have none of their own.

    `queue` waits for their end, at most `longest` from when the message was due, `discard` leaves the message out.
    """

    channels: Channels = (ALL,)
    start: str = Field("", alias="from")
    end: str = Field("", alias="to")
    weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    zone: str = "UTC"
    then: Literal["queue", "discard"] = "queue"
    longest: str = "P7D"

    def covers(self, channel: str) -> bool:
        return ALL in self.channels or channel in self.channels


QuietHoursOrSeveral = Annotated[tuple[QuietHours, ...], BeforeValidator(_as_tuple), PlainSerializer(_as_written)]


class Policies(Document):
    """All of them. Several quiet hours hold side by side."""

    caps: tuple[Cap, ...] = ()
    quiet_hours: QuietHoursOrSeveral = ()

    @property
    def longest_window(self) -> Instant:
        """How far back a cap looks at most; 0 when there is none."""
        return max((length(cap.within) for cap in self.caps), default=0)


NONE = Policies()
"""Nobody has set any."""
