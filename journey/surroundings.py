"""What a journey refers to and does not hold itself. It knows no store and no folder: whoever validates or freezes fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from journey.events import EventDefinition, Instant
from journey.graph import Journey
from journey.messages import MessageDocument
from journey.profiles import Attribute
from journey.segments import SegmentDocument


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything by its id. `public_url` is where the links of mails point to, empty when it is not known, as in a folder; `now` is
    the instant at which it is judged, 0 when nothing is to be said about the past. `journeys` are the others
    as they let people in now; those of them that do not, drafts, are `not_live`. `earlier` are the versions of the judged
    journey so far, the oldest first, and `nobody_in` segments of which it is known that nobody is in them; a folder knows neither."""

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    segments: Mapping[str, SegmentDocument] = field(default_factory=dict)
    events: Mapping[str, EventDefinition] = field(default_factory=dict)
    messages: Mapping[str, MessageDocument] = field(default_factory=dict)
    public_url: str = ""
    now: Instant = 0
    journeys: Mapping[str, Journey] = field(default_factory=dict)
    not_live: frozenset[str] = frozenset()
    earlier: tuple[Journey, ...] = ()
    nobody_in: frozenset[str] = frozenset()
