"""How often people do something, as `--rate` says it, and the lots that decide who does: the same for the same seed. It knows no walk."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from journey import calls, events, gate, matching
from journey.errors import BadInput
from journey.events import Event, Instant
from journey.graph import EventNode, Message, Node, Qualification, Webhook
from journey.messages import CHANNELS
from journey.simulation import script_text
from journey.simulation.explore import example
from journey.version import Version

REACTIONS = ("bounced", "delivered", "opened", "clicked", "complained", "unsubscribed")
"""In the order in which a message meets them: of one that came back nothing else is heard."""
ANSWERS = ("failed", "uncertain")
WRITES = "profile"
"""Stands for a write of the profile, unless an event definition is called so."""
HOW = (
    "write WHAT=SHARE, as in email.opened=0.3, purchase=0.1, profile=0.1 or email.failed=0.01; WHAT:NODE for one node; "
    "a mean delay behind it"
)
_SHAPE = re.compile(r"(?P<what>[^=:\s]+)(?::(?P<node>[^=:\s]+))?=(?P<share>[0-9.]+%?)(?:\s+(?P<delay>\S+))?")
_HOUR = 3600 * gate.MICROSECONDS
_DELAY_OF_A_REACTION: Instant = 4 * _HOUR
_DELAY_OF_A_PROVIDER: Instant = _HOUR // 60
_DELAY_OF_AN_EVENT: Instant = 48 * _HOUR


@dataclass(frozen=True, slots=True)
class Rate:
    """The share (0 to 1) of those who could do something that do it. `node` is empty for every node.

    `what` is CHANNEL.opened and the like: of the messages sent by that channel; the id of an event: of those who come to a node that
    waits for it; `profile`: of those who come to a node that waits for a rule or a segment; CHANNEL.failed or CHANNEL.uncertain: of the
    messages that its provider is given. It happens after a time that is `delay` on average and spread as waiting times are
    (exponentially).
    """

    what: str
    node: str
    share: float
    delay: Instant


@dataclass(frozen=True, slots=True)
class Lots:
    """The lots of one person. Each is its own: a rate more or less leaves all others as they were."""

    seed: int
    person: int

    def draw(self, *about: str) -> float:
        """A number from 0 to below 1, the same each time it is drawn about the same."""
        text = "\0".join((str(self.seed), str(self.person), *about))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56

    def happens_after(self, rate: Rate, *about: str) -> Instant | None:
        """How long after they could, this person does what the rate is about; None when they do not. Whole seconds, one at least."""
        if self.draw("share", *about) >= rate.share:
            return None
        seconds = -math.log(1 - self.draw("delay", *about)) * rate.delay / gate.MICROSECONDS
        return max(1, round(seconds)) * gate.MICROSECONDS


def read(texts: Iterable[str], version: Version, channels: Iterable[str] = CHANNELS) -> tuple[Rate, ...]:
    """The rates of the command line. `channels` are those that the journey's messages have. Raises BadInput for the first that is none."""
    sendable = tuple(channels)
    rates = tuple(_rate(text, version, sendable) for text in texts)
    named = [(rate.what, rate.node) for rate in rates]
    for twice in named:
        if named.count(twice) > 1:
            raise BadInput(f"The rate of {':'.join(part for part in twice if part)} is given twice.")
    return rates


def of(rates: Iterable[Rate], what: str, node: str) -> Rate | None:
    """The rate of something at a node: the one for this node before the one for all."""
    fitting = [rate for rate in rates if rate.what == what and rate.node in ("", node)]
    return max(fitting, key=lambda rate: rate.node, default=None)


def _rate(text: str, version: Version, channels: tuple[str, ...]) -> Rate:
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is no rate: {HOW}.")
    what, node, delay = found["what"], found["node"] or "", found["delay"]
    drawn = version.journey.by_id.get(node)
    if what in version.events:
        if node and not (isinstance(drawn, EventNode) and drawn.event == what):
            raise BadInput(f"{text!r}: {node} is no node of {version.journey.id} that waits for {what}.")
        _can_be_made(what, version)
        usual = _DELAY_OF_AN_EVENT
    elif what == WRITES:
        if not any(_hears_writes(one, version) for one in ([drawn] if node else version.journey.nodes)):
            named = f"{node} is no node" if node else "there is no node"
            raise BadInput(f"{text!r}: {named} of {version.journey.id} that waits for a rule or a segment.")
        usual = _DELAY_OF_AN_EVENT
    else:
        channel, _, kind = what.partition(".")
        if channel not in channels or not (what in events.REACTIONS or kind in (("failed",) if channel == calls.CHANNEL else ANSWERS)):
            opened = [f"{one}.opened" for one in channels if one != calls.CHANNEL]
            written = [WRITES] if any(_hears_writes(one, version) for one in version.journey.nodes) else []
            known = ", ".join([*sorted(version.events), *written, *opened, *(f"{one}.failed" for one in channels)])
            raise BadInput(f"{text!r}: nobody does {what} in {version.journey.id}; there is {known} and the like.")
        if node and not isinstance(drawn, Webhook if channel == calls.CHANNEL else Message):
            raise BadInput(f"{text!r}: {node} is no {'webhook' if channel == calls.CHANNEL else 'message'} of {version.journey.id}.")
        usual = _DELAY_OF_A_PROVIDER if kind in ("bounced", "delivered") else _DELAY_OF_A_REACTION
    return Rate(what, node, _share(text, found["share"]), script_text.instant(delay) if delay else usual)


def _hears_writes(node: Node | None, version: Version) -> bool:
    """Does somebody wait here for a write? Nobody waits at the entry."""
    if node is None or node == version.journey.entry_node:
        return False
    return isinstance(node, Qualification) or matching.waits_for_rule(node)


def _share(text: str, written: str) -> float:
    try:
        share = float(written.removesuffix("%")) / (100 if written.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadInput(f"{text!r}: {written} is no share: write a number from 0 to 1, as in 0.3, or 30%.")
    return share


def _can_be_made(event: str, version: Version) -> None:
    """Raises BadInput where no example of the event would be recognised: its rule asks for more than equality."""
    definition = version.events[event]
    made = Event("population", "1", definition.match or event, example(definition))
    if not matching.definition_fits(definition, made):
        raise BadInput(f"Nobody can be made to do {event}: its rule asks for more than that a field equals something.")
