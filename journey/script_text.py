"""Reads what people write of what happens, as `sojourn simulate` and scenario files take it, into a script. It knows no folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from journey import durations, gate
from journey.errors import BadInput
from journey.events import Instant
from journey.explore import example
from journey.graph import EventNode, Message, Reaction
from journey.story import Happening, Occurs, Reacts
from journey.version import Version

HOW = "write AFTER CHANNEL.KIND [NODE], as in 'PT2H email.opened', or AFTER EVENT [DATA], as in 'P2D purchase {\"total\": 12}'"


def happening(text: str, number: int, version: Version) -> Happening:
    """One happening: `PT2H email.opened first`, or `P2D purchase {"total": 12}`. AFTER counts from the admission, `0` is at once.

    What an event's rule asks for need not be written: it is filled in. `number` makes the id of the event. Raises BadInput.
    """
    after, _, rest = text.strip().partition(" ")
    what, _, more = rest.strip().partition(" ")
    if not what:
        raise BadInput(f"{text!r} says no more than when: {HOW}.")
    at, more = instant(after), more.strip()
    if "." in what and what not in version.events:
        return Reacts(at, more or _reacted_to(version, what), what)
    data = _data(text, more)
    event_id = data.pop("$id", f"{what}-{number + 1}")
    if what in version.events:
        definition = version.events[what]
        wheres = [node.where for node in version.journey.nodes if isinstance(node, EventNode) and node.event == what]
        return Occurs(at, definition.match or what, example(definition, wheres[0] if wheres else None) | data, str(event_id))
    return Occurs(at, what, data, str(event_id))


def instant(text: str) -> Instant:
    """A duration from the admission, in microseconds; `0` is none at all."""
    return 0 if text == "0" else durations.seconds(text) * gate.MICROSECONDS


def stops(texts: Iterable[str], version: Version) -> dict[str, Instant]:
    """How long stops take: `thanks=PT5S`, each for the node that acts or is arrived at."""
    found: dict[str, Instant] = {}
    for text in texts:
        name, equals, length = text.partition("=")
        unknown = [node for node in name.split("+") if node not in version.journey.by_id]
        if not equals or unknown:
            raise BadInput(f"{text!r} names no stop: write NODE=DURATION with a node of {version.journey.id}, as in 'thanks=PT5S'.")
        found[name] = instant(length)
    return found


def _reacted_to(version: Version, to: str) -> str:
    """The message that is meant when none is named: the one that is listened to, else the only one there is."""
    heard = dict.fromkeys(node.of for node in version.journey.nodes if isinstance(node, Reaction) and node.to == to)
    sent = list(heard) or [node.id for node in version.journey.nodes if isinstance(node, Message)]
    if len(sent) != 1:
        named = ", ".join(sent) or "none"
        raise BadInput(f"{to} of which message? Name its node behind it (there are: {named}).")
    return sent[0]


def _data(text: str, written: str) -> dict[str, Any]:
    if not written:
        return {}
    try:
        data = json.loads(written)
    except ValueError as error:
        raise BadInput(f"{written!r} in {text!r} is no JSON: {HOW}.") from error
    if not isinstance(data, dict):
        raise BadInput(f"{written!r} in {text!r} is no JSON object: {HOW}.")
    return data
