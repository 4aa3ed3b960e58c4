"""Reads what people write of what happens, as `sojourn simulate` and scenario files take it, into a script. It knows no folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

from journey import dates, durations, gate, lifecycle, local_time, review
from journey.calls import Response
from journey.errors import BadInput
from journey.events import REACTIONS, Instant
from journey.graph import EventNode, Message, Reaction, Webhook
from journey.lifecycle import Pause
from journey.simulation.explore import entering, entry_example, example
from journey.simulation.story import Changes, Happening, Occurs, Pauses, Reacts, Resumes, Reviews
from journey.version import Version

HOW = (
    "write AFTER CHANNEL.KIND [NODE], as in 'PT2H email.opened', or AFTER EVENT [DATA], as in 'P2D purchase {\"total\": 12}', "
    'or AFTER profile ATTRIBUTES, as in \'P1D profile {"city": "Boston"}\', or AFTER approve NODE, or AFTER discard NODE, '
    "or AFTER pause [hold|discard] [DURATION], or AFTER resume"
)
PROFILE = "profile"
"""Stands for a write of the profile, unless an event definition is called so."""
PAUSE, RESUME = "pause", "resume"
"""Stand for a pause of the journey and its end, likewise."""
VERDICTS: Mapping[str, Literal["approve", "discard"]] = {"approve": "approve", "discard": "discard"}
"""Stand for a review of what a node holds, likewise."""


def happenings(texts: Iterable[str], version: Version) -> tuple[Happening, ...]:
    """What people write one after the other, each as `happening` reads it. A journey that begins with an event begins so here too: by the
    first one written, or at once by one that is made up. One that begins with a segment does so at once, unless a write of the profile
    is what happens first."""
    found: list[Happening] = []
    for number, text in enumerate(texts):
        found.append(happening(text, number, version, entry_in(found, version)))
    by_a_write = bool(version.begins_with_segment and found and isinstance(found[0], Changes))
    begun = entering(version) if entry_in(found, version) is None and not by_a_write else ()
    return (*begun, *found)


def entry_in(found: Iterable[Happening], version: Version) -> Mapping[str, Any] | None:
    """The data of the event by which people enter, if it is among these."""
    entry = version.journey.entry_node
    if not isinstance(entry, EventNode):
        return None
    name = version.events[entry.event].match or entry.event
    return next((one.data for one in found if isinstance(one, Occurs) and one.name == name), None)


def happening(text: str, number: int, version: Version, entry: Mapping[str, Any] | None = None) -> Happening:
    """One happening: `PT2H email.opened first`, `P2D purchase {"total": 12}`, or `P1D profile {"city": "Boston"}`. AFTER counts from the
    admission, `0` is at once.

    What an event's rule asks for need not be written: it is filled in. `number` makes the id of the event, `entry` is the data of the one
    by which they entered. Raises BadInput.
    """
    after, _, rest = text.strip().partition(" ")
    what, _, more = rest.strip().partition(" ")
    if not what:
        raise BadInput(f"{text!r} says no more than when: {HOW}.")
    at, more = instant(after), more.strip()
    if what in (PAUSE, RESUME) and what not in version.events:
        return _steers(at, text, what, more)
    if "." in what and what not in version.events:
        return reacts(at, what, more, version)
    if what in VERDICTS and what not in version.events:
        return reviews(at, VERDICTS[what], more, version)
    data = _data(text, more)
    if what == PROFILE and what not in version.events:
        return changes(at, data)
    return occurs(at, what, data, str(data.pop("$id", f"{what}-{number + 1}")), version, entry=entry)


def occurs(
    at: Instant, what: str, data: Mapping[str, Any], event_id: str, version: Version, source: str = "script",
    entry: Mapping[str, Any] | None = None,
) -> Occurs:  # fmt: skip
    """An event by the id of its definition, whose rule is satisfied as far as `data` does not say otherwise; else by its own name."""
    if what not in version.events:
        return Occurs(at, what, data, event_id, source)
    definition = version.events[what]
    wheres = [node.where for node in version.journey.nodes if isinstance(node, EventNode) and node.event == what]
    made = example(definition, wheres[0] if wheres else None, entry_example(version) if entry is None else entry) | dict(data)
    return Occurs(at, definition.match or what, made, event_id, source)


def changes(at: Instant, attributes: Mapping[str, Any]) -> Changes:
    """A write of the profile; null takes an attribute out. Raises BadInput when nothing is written."""
    if not attributes:
        raise BadInput(f"Nothing is written into the profile: {HOW}.")
    return Changes(at, attributes)


def reacts(at: Instant, to: str, of: str, version: Version, link: str = "") -> Reacts:
    """A reaction, CHANNEL.KIND, to the message of a node; without one, to the message that is meant. A bounce is a hard one, unless it
    is written `email.soft_bounce`. Raises BadInput."""
    soft = to == "email.soft_bounce"
    to = "email.bounced" if soft else to
    if to not in REACTIONS:
        raise BadInput(f"{to!r} is no reaction: there are {', '.join(REACTIONS)}, and email.soft_bounce.")
    node = version.journey.by_id.get(of)
    if of and not isinstance(node, Message):
        raise BadInput(f"{of} is no message of {version.journey.id}: name the node that sends what is reacted to.")
    return Reacts(at, of or _reacted_to(version, to), to, link, soft)


def reviews(at: Instant, verdict: Literal["approve", "discard"], of: str, version: Version) -> Reviews:
    """A review of what a node holds; without one, of what the only node that holds anything does. Raises BadInput."""
    held = [node.id for node in version.journey.nodes if review.holds(version.journey, node.id)]
    if (of or len(held) == 1) and (of in held or not of):
        return Reviews(at, of or held[0], verdict)
    named = ", ".join(held) or "none"
    raise BadInput(f"{verdict} {of}".strip() + f": name a node whose message is held for review (hold_for_review; there are: {named}).")


def pauses(at: Instant, what: Pause, length: str = "") -> Pauses:
    """A pause of the journey, as long as one may last unless it is said. Raises BadInput."""
    return Pauses(at, what, lifecycle.pause_length(length or lifecycle.LONGEST_PAUSE) * gate.MICROSECONDS)


def _steers(at: Instant, text: str, what: str, more: str) -> Pauses | Resumes:
    words = more.split()
    if what == RESUME and not words:
        return Resumes(at)
    kind: Pause = "discard" if "discard" in words[:1] else "hold"
    length = words[1:] if words[:1] in (["hold"], ["discard"]) else words
    if what == RESUME or len(length) > 1:
        raise BadInput(f"{text!r} is no pause, and no end of one: {HOW}.")
    return pauses(at, kind, *length)


def begins(text: str, version: Version) -> Instant:
    """The instant of the admission: a date-time, on the journey's clock where it has no offset. Raises BadInput."""
    found = local_time.read(text, local_time.zone(version.journey.timezone) or ZoneInfo("UTC"))
    if found is None:
        raise BadInput(f"{text!r} is no date-time: write it as 2026-03-02T09:00, or with an offset.")
    return found


def begins_at(text: str, version: Version, otherwise: Instant) -> Instant:
    """As `begins`. Where no date-time is given that is the other instant, or the start of the journey if that is later."""
    return begins(text, version) if text else max(otherwise, dates.opens(version.journey) or 0)


def instant(text: str) -> Instant:
    """A duration from the admission, in microseconds; `0` is none at all."""
    return 0 if text == "0" else durations.seconds(text) * gate.MICROSECONDS


def written(at: Instant) -> str:
    """An instant as `instant` reads it, in days, hours, minutes and seconds; what is less than a second is left out."""
    seconds = at // gate.MICROSECONDS
    days, rest = divmod(seconds, 86400)
    parts = ((rest // 3600, "H"), (rest % 3600 // 60, "M"), (rest % 60, "S"))
    time = "".join(f"{count}{unit}" for count, unit in parts if count)
    return ("P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")) if seconds else "0"


def responses(texts: Iterable[str], version: Version) -> dict[str, Response]:
    """What webhooks answer: `get-score=200 {"score": 7}`, or a status alone, each for its node. Raises BadInput."""
    found: dict[str, Response] = {}
    for text in texts:
        name, equals, answer = text.partition("=")
        status, _, body = answer.strip().partition(" ")
        if not equals or not (status.isascii() and status.isdigit()) or not isinstance(version.journey.by_id.get(name), Webhook):
            raise BadInput(f"{text!r} is no answer: write NODE=STATUS [JSON] with a webhook of {version.journey.id}, as in 'crm=200 {{}}'.")
        try:
            found[name] = response(int(status), json.loads(body) if body.strip() else None)
        except ValueError as error:
            raise BadInput(f"{body!r} in {text!r} is no JSON.") from error
    return found


def response(status: int, body: Any) -> Response:
    """What a webhook answers. Raises BadInput for a status that is none."""
    if not 200 <= status <= 599:
        raise BadInput(f"{status} is no status that a webhook answers in the end: write 200, 404, 503 and the like.")
    return Response(status, body)


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
