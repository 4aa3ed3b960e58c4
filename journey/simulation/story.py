"""What the simulator is told and what it tells: a script of what somebody does, and the story of how they walked. It knows no walk.

Every instant is in microseconds after the admission; where an event lets people in, after the beginning of the script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from journey import durations
from journey.calls import Response
from journey.events import EventDefinition, Instant
from journey.gate import MICROSECONDS
from journey.lifecycle import LONGEST_PAUSE, Pause
from journey.messages import MessageDocument
from journey.policies import NONE, Policies
from journey.rule_tree import Rule


@dataclass(frozen=True, slots=True)
class Occurs:
    """An event about this person is accepted. Without an id it gets one of its own; the same (source, id) again is a repeat."""

    at: Instant
    name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    source: str = "script"


@dataclass(frozen=True, slots=True)
class Reacts:
    """This person does something with the message of node `of`, or its provider says something of it: `to` is CHANNEL.KIND, as
    `email.opened`; `link` is what was clicked, `soft` that it came back for now alone."""

    at: Instant
    of: str
    to: str
    link: str = ""
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """The profile of this person is written: attributes are laid over those that are there, and None takes one out."""

    at: Instant
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Qualifies:
    """This person enters, or leaves, the segment by which the journey begins, whatever their attributes are."""

    at: Instant


@dataclass(frozen=True, slots=True)
class Reviews:
    """Somebody reviews what node `of` holds for this person: approves or discards it."""

    at: Instant
    of: str
    verdict: Literal["approve", "discard"]


@dataclass(frozen=True, slots=True)
class Pauses:
    """The journey is paused: whoever comes to an action is held, or ends there. It lasts for `length`, in microseconds, at the most."""

    at: Instant
    what: Pause = "hold"
    length: Instant = durations.seconds(LONGEST_PAUSE) * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Resumes:
    """The pause of the journey ends, and those whom it has held go on."""

    at: Instant


Happening = Occurs | Reacts | Changes | Qualifies | Reviews | Pauses | Resumes


def happening_name(happening: Happening) -> str:
    """What a happening is called in a sentence."""
    match happening:
        case Reacts():
            return f"{happening.to} of {happening.of}"
        case Changes():
            return f"the profile ({', '.join(happening.attributes)})"
        case Reviews():
            return f"{happening.verdict} {happening.of}"
        case Qualifies():
            return "the segment"
        case Pauses():
            return "pause" if happening.what == "hold" else f"pause {happening.what}"
        case Resumes():
            return "resume"
    return happening.name or happening.id or "an event"


@dataclass(frozen=True, slots=True)
class Script:
    """What happens, and how well it goes. What is held for review at a node is approved at once, unless the node is `reviewed` in what
    happens: then it waits for that.

    `stops` is how long a stop takes: from the decision that leads to it until the person arrives at the next place. Its key is the
    node that acts, or the place arrived at when none does (`purchase`); a stop that is not named takes no time. `failing` and
    `uncertain` are deliveries, as (node, channel), that the provider refuses for good, or of which nobody knows.
    """

    happenings: tuple[Happening, ...] = ()
    stops: Mapping[str, Instant] = field(default_factory=dict)
    failing: frozenset[tuple[str, str]] = frozenset()
    uncertain: frozenset[tuple[str, str]] = frozenset()
    until: Instant | None = None

    @property
    def reviewed(self) -> frozenset[str]:
        """The nodes at which somebody reviews."""
        return frozenset(one.of for one in self.happenings if isinstance(one, Reviews))


@dataclass(frozen=True, slots=True)
class World:
    """What stands around the journey: messages and segments by id, event definitions beside those of the version, barred (channel,
    address).

    `segments` are rules by id, for `in_segment`. `begins` is the instant of the admission, for what looks at a date or a clock.
    `responses` are what webhooks answer in the end, by node; one that is not named answers 200 and nothing more.
    `policies` hold within this journey alone. `renders` False takes every message for one that can be made out, which is quicker.
    """

    messages: Mapping[str, MessageDocument] = field(default_factory=dict)
    definitions: tuple[EventDefinition, ...] = ()
    suppressed: frozenset[tuple[str, str]] = frozenset()
    consent_explicit: bool = False
    segments: Mapping[str, Rule] = field(default_factory=dict)
    begins: Instant = 0
    responses: Mapping[str, Response] = field(default_factory=dict)
    policies: Policies = NONE
    renders: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery: `status` is sent, excluded, failed or uncertain, claimed while the stop lasts; `reason` says why it was not sent.

    A call of a webhook is one too, on the channel `webhook`, without a message.
    """

    id: str
    node: str
    message: str
    channel: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of one happening of the script.

    `code` is enters, decided (then `node` says which), exits (it has met an exit criterion), kept, duplicate, no_delivery (a reaction to
    what was never sent: an address that does not exist), approved, discarded, paused, resumed, settles (a write of the profile that makes
    true what an event before it waits for), no_effect (a write of the profile that nobody waits for, a review where nothing waited for it,
    a pause or its end where there is none), or the code of a discard. `was_kept` says that it was kept first.
    """

    code: str
    node: str = ""
    was_kept: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the story."""

    at: Instant
    sentence: str


@dataclass(frozen=True, slots=True)
class Story:
    """How one person walked.

    `path` is every node that was left, as NODE:EXIT. `end` is the reason of the end, empty when the person is still inside; then
    `place` is where, `waiting` whether at a gate, and `wakes_at` when time alone would move them on. `end_node` is the end that was
    drawn, if one was. `held` is the node before which a pause holds them. Whoever never `entered` has none of these. `effects` are in
    the order of the script's happenings. `attributes` are those of the profile as it is then.
    """

    entrant: str
    path: tuple[str, ...]
    deliveries: tuple[Told, ...]
    effects: tuple[Effect, ...]
    timeline: tuple[Moment, ...]
    end: str = ""
    end_node: str = ""
    ended_at: Instant | None = None
    place: str = ""
    waiting: bool = False
    wakes_at: Instant | None = None
    held: str = ""
    entered: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sent(self) -> tuple[str, ...]:
        """What reached the person, as NODE:CHANNEL in the order of sending."""
        return tuple(f"{told.node}:{told.channel}" for told in self.deliveries if told.status in ("sent", "uncertain"))
