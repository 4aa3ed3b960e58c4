"""What can be wrong with what the nodes of a journey refer to: segments, events, messages, reactions, rules. It knows no store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from journey import liquid_text, past
from journey.arrows import Paths
from journey.events import REACTIONS
from journey.findings import Finding, error, warning
from journey.graph import Condition, EventNode, Journey, Message, Qualification, Reaction, ReadSegment, UpdateProfile, Wait, Webhook
from journey.keeping import ENTRY
from journey.messages import CHANNELS, MessageDocument
from journey.nearest import absent
from journey.rule_tree import Rule
from journey.surroundings import Surroundings
from journey.until import UntilRule
from journey.validation import event_fields, waits
from journey.validation.calls import of_call, of_update, out_of_reach
from journey.validation.content import about_event, of_event, of_message, of_segment, parts_of
from journey.validation.rules import PAST, About, about_people, tree
from journey.validation.rules import check as check_rule


def check(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    """What is wrong with the references of each node, and with the rules written into it."""
    about = about_people(surroundings.attributes).with_beside(event={}, calls={}).within(surroundings)
    people = _asking(about, journey, surroundings)
    paths = Paths(journey)
    for node in journey.nodes:
        match node:
            case ReadSegment() if node.segment:
                if node.segment not in surroundings.segments:
                    yield error("unknown_segment", node.id, "segment", absent("segment", node.segment, surroundings.segments))
                elif node.segment in surroundings.nobody_in:
                    said = f"Nobody is in the segment {node.segment} now: a run would let in nobody. Look at its rule, or import people."
                    yield warning("segment_empty", node.id, "segment", said)
            case EventNode() if node.event:
                yield from _event(journey, node.event, node.where, node.id, "", surroundings)
                yield from _since(journey, node, paths)
            case Qualification() if node.segment:
                yield from _heard(node.segment, node.id, "segment", surroundings)
            case Wait(until=UntilRule() as until):
                yield from check_rule(until.rule, _written(journey, surroundings).at(node.id, "until.rule"))
            case Message() if node.message:
                if node.message not in surroundings.messages:
                    yield error("unknown_message", node.id, "message", absent("message", node.message, surroundings.messages))
                else:
                    yield from _entry_shown(journey, node, surroundings)
                    yield from _class(journey, node, surroundings.messages[node.message])
                yield from _channels(node, surroundings.messages.get(node.message))
            case Reaction() if node.of and node.to:
                yield from _reaction(journey, node, surroundings, paths)
            case Condition():
                yield from _branches(node, people)
            case Wait():
                yield from waits.against(node, surroundings.attributes, by_event=isinstance(journey.entry_node, EventNode))
            case UpdateProfile():
                yield from of_update(node, surroundings)
            case Webhook():
                yield from of_call(node, surroundings)
            case _:
                pass
        yield from out_of_reach(journey, node, surroundings, paths)
        yield from event_fields.check(journey, node, surroundings, paths)
    yield from _criteria(journey, surroundings)
    yield from _links(journey, surroundings)


def content(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    """What is wrong inside the documents that the nodes refer to, told at the node."""
    for node in journey.nodes:
        match node:
            case ReadSegment() | Qualification() if node.segment in surroundings.segments:
                yield from _told(node.id, "segment", node.segment, of_segment(surroundings.segments[node.segment], surroundings))
            case EventNode() if node.event in surroundings.events:
                yield from _told(node.id, "event", node.event, of_event(surroundings.events[node.event]))
            case Message() if node.message in surroundings.messages:
                yield from _told(node.id, "message", node.message, of_message(surroundings.messages[node.message], surroundings))
            case _:
                pass
    for index, criterion in enumerate(journey.exit_criteria):
        field = f"exit_criteria[{index}]"
        if criterion.segment in surroundings.segments:
            yield from _told("", "segment", criterion.segment, of_segment(surroundings.segments[criterion.segment], surroundings), field)
        if criterion.event in surroundings.events:
            yield from _told("", "event", criterion.event, of_event(surroundings.events[criterion.event]), field)


def _told(node: str, what: str, name: str, findings: Iterator[Finding], around: str = "") -> Iterator[Finding]:
    """`around` is the part of the journey that refers to it, where that is no node."""
    field = f"{around}.{what}" if around else what
    for finding in findings:
        yield replace(finding, node=node, field=field, sentence=f"In the {what} {name}: {finding.sentence}")


def _event(
    journey: Journey, event: str, where: str | Rule | None, node: str, around: str, surroundings: Surroundings
) -> Iterator[Finding]:  # fmt: skip
    """An event that a node, or a part of the journey, waits for."""
    prefix = f"{around}." if around else ""
    definition = surroundings.events.get(event)
    if definition is None:
        yield error("unknown_event", node, f"{prefix}event", absent("event", event, surroundings.events))
    elif definition.namespace and journey.namespace and definition.namespace != journey.namespace:
        said = f"The event knows people by {definition.namespace}, the journey by {journey.namespace}: write the same in both."
        yield error("namespace_differs", node, f"{prefix}event", said)
    if where is not None:
        about = about_event(definition) if definition is not None else About("event")
        about = about.with_beside(profile=about_people(surroundings.attributes).types).within(surroundings)
        if journey.entry_node is not None and node == journey.entry_node.id:
            about = about.without("entry", "this event itself is the entry, write its fields without the word")
        else:
            about = _asking(about, journey, surroundings)
        yield from check_rule(where, about.at(node, f"{prefix}where"))


def _heard(segment: str, node: str, field: str, surroundings: Surroundings) -> Iterator[Finding]:
    """A segment that is listened to: who enters or leaves it is heard when their profile is written."""
    if segment not in surroundings.segments:
        yield error("unknown_segment", node, field, absent("segment", segment, surroundings.segments))
        return
    rules = {name: found for name, one in surroundings.segments.items() if (found := tree(one.rule)) is not None}
    if past.looks_back(segment, rules):
        said = (
            f"The segment {segment} asks what people did: who enters or leaves it by that is heard at the next write of their profile. "
            f"Listen to the event itself where that is too late."
        )
        yield warning("segment_looks_back", node, field, said)


def _criteria(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    for index, criterion in enumerate(journey.exit_criteria):
        field = f"exit_criteria[{index}]"
        if criterion.event:
            yield from _event(journey, criterion.event, criterion.where, "", field, surroundings)
        if criterion.segment:
            yield from _heard(criterion.segment, "", f"{field}.segment", surroundings)


def _since(journey: Journey, node: EventNode, paths: Paths) -> Iterator[Finding]:
    """It looks back to the admission, or to a node where its people have been."""
    if not node.since or node.since == ENTRY or node is journey.entry_node:
        return
    if node.since not in journey.by_id:
        yield error("unknown_node", node.id, "since", f"There is no node {node.since!r} in this journey: name one before, or write entry.")
    elif node.id == node.since or node.id not in paths.reachable(node.since):
        said = f"No path leads from {node.since} to here, so nobody has been there: name a node before, or write entry."
        yield error("since_not_before", node.id, "since", said)


def _written(journey: Journey, surroundings: Surroundings) -> About:
    """What a rule that is waited for can ask: what a write of the profile can make true."""
    about = about_people(surroundings.attributes)
    for word in ("event", "now", PAST):
        about = about.without(word, _BY_A_WRITE)
    return _asking(about, journey, surroundings)


def _asking(about: About, journey: Journey, surroundings: Surroundings) -> About:
    """The same with what it can ask of the event by which people have entered."""
    if not isinstance(journey.entry_node, EventNode):
        return about.without("entry", _NO_ENTRY_EVENT)
    definition = surroundings.events.get(journey.entry_node.event)
    return about.with_beside(entry=definition.fields if definition is not None else {})


_BY_A_WRITE = "what is waited for comes true by a write of the profile, and by nothing else"
_NO_ENTRY_EVENT = "people enter this journey by no event that could be asked"


def _entry_shown(journey: Journey, node: Message, surroundings: Surroundings) -> Iterator[Finding]:
    """What a message shows of the event by which people have entered, where there is none."""
    if isinstance(journey.entry_node, EventNode):
        return
    for part, text in parts_of(surroundings.messages[node.message]).items():
        shown = liquid_text.fields_of("entry", text)
        if shown:
            said = f"{part} of {node.message} shows entry.{shown[0]}: {_NO_ENTRY_EVENT}."
            yield error("field_out_of_reach", node.id, "message", said)


def _class(journey: Journey, node: Message, message: MessageDocument) -> Iterator[Finding]:
    if journey.purpose == "transactional" and message.kind != "transactional":
        said = (
            f"The journey is transactional and the message {message.id} is not, so caps and quiet hours hold it back all the same: "
            f"write class: transactional into the message, if that is what it is."
        )
        yield warning("class_differs", node.id, "message", said)
    if node.hold_for_review and "transactional" in (journey.purpose, message.kind):
        whose = f"The message {message.id}" if message.kind == "transactional" else f"The journey of {message.id}"
        said = f"{whose} is transactional, and it would wait for somebody to review it: take hold_for_review out."
        yield warning("transactional_in_review", node.id, "hold_for_review", said)


def _channels(node: Message, message: MessageDocument | None) -> Iterator[Finding]:
    for index, channel in enumerate(node.channels):
        field = f"channels[{index}]"
        if node.channels.index(channel) < index:
            yield error("channel_twice", node.id, field, f"The channel {channel} stands twice: name it once.")
        elif channel not in CHANNELS:
            yield error("unknown_channel", node.id, field, f"There is no channel {channel!r}: there are {' and '.join(CHANNELS)}.")
        elif message is not None and channel not in message.channels:
            said = f"The message {message.id} has no content for {channel}: write it, or take {channel} out of channels."
            yield error("channel_missing", node.id, field, said)


def _reaction(journey: Journey, node: Reaction, surroundings: Surroundings, paths: Paths) -> Iterator[Finding]:
    channel = node.to.partition(".")[0]
    if node.to not in REACTIONS:
        yield error("unknown_reaction", node.id, "to", f"There is no reaction {node.to!r}: there are {', '.join(REACTIONS)}.")
    sent = journey.by_id.get(node.of)
    if not isinstance(sent, Message):
        said = f"{node.of} is no message node of this journey: name the node that sends it."
        yield error("reaction_without_message", node.id, "of", said)
        return
    if node.id not in paths.reachable(sent.id):
        said = f"The message {sent.id} is not sent before, no path leads from it to here: name another, or draw a path."
        yield error("reaction_without_message", node.id, "of", said)
        return
    message = surroundings.messages.get(sent.message)
    if message is not None and node.to in REACTIONS and channel not in (sent.channels or message.channels):
        said = f"The message {sent.id} is not sent by {channel}: send it by {channel} too, or wait for another reaction."
        yield error("reaction_channel_missing", node.id, "to", said)
    entry = journey.entry_node
    if entry is not None and node.id in paths.reachable(entry.id, without=sent.id):
        said = f"Some paths lead here without the message {sent.id}, and whoever comes that way cannot react to it: lead them elsewhere."
        yield warning("message_not_on_every_path", node.id, "of", said)


def _branches(node: Condition, people: About) -> Iterator[Finding]:
    for index, branch in enumerate(node.branches):
        if branch.when is not None:
            yield from check_rule(branch.when, people.at(node.id, f"branches[{index}].when"))


def _links(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    if not is_loopback(surroundings.public_url):
        return
    messages = [surroundings.messages.get(node.message) for node in journey.nodes if isinstance(node, Message)]
    if any(message is not None and message.email is not None for message in messages):
        said = f"Links in e-mails will lead to {surroundings.public_url}, which only this machine can open: set SOJOURN_PUBLIC_URL."
        yield warning("loopback_links", "", "", said)


def is_loopback(url: str) -> bool:
    """Does this address lead to the machine itself?"""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
