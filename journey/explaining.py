"""Says why an event fits a definition or a node, or does not: every condition with the value that it met. It decides nothing.

matching.py decides; what is said here is the same rules evaluated aloud, and a property test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

from journey import changes, matching
from journey.continuing import same_message
from journey.events import Event, EventDefinition
from journey.graph import EventNode, Node, Qualification, Reaction, Wait
from journey.matching import NOTHING, About
from journey.rule_explaining import Explanation, explain
from journey.rule_text import as_tree
from journey.rules import Scope
from journey.until import UntilRule
from journey.version import Version


@dataclass(frozen=True, slots=True)
class Said:
    """Whether something fits, a sentence that says why, and the rule that was asked with all its values, where there is one."""

    fits: bool
    sentence: str
    rule: Explanation | None = None


@dataclass(frozen=True, slots=True)
class NodeSaid:
    """What a node of a gate has to say to an event."""

    node: str
    kind: str
    said: Said


def definition(of: EventDefinition, event: Event) -> Said:
    """Is this the event that the definition describes?"""
    if event.is_reaction:
        return Said(False, "It is a reaction to a message, and no definition describes these.")
    if event.is_change:
        return Said(False, "It is a write of the profile, and no definition describes these.")
    if not (of.match or of.rule is not None):
        return Said(False, f"The definition {of.id} says neither a name nor a rule.")
    if of.match and event.name != of.match:
        return Said(False, f"It is named {event.name!r}, and {of.id} describes events named {of.match!r}.")
    if of.rule is None:
        return Said(True, f"Its name is the one that {of.id} describes.")
    told = explain(as_tree(of.rule), Scope.of_event(event.data))
    return Said(told.verdict, f"The rule of {of.id} is {_word(told)} of its data.", told)


def node(version: Version, entrant: str, at: Node, event: Event, about: About = NOTHING) -> NodeSaid:
    """Would this node be decided by the event, for this entrant? `about` is what a `where` may ask beside the event."""
    match at:
        case EventNode():
            said = _event_node(version, at, event, about)
        case Reaction():
            said = _reaction(version, entrant, at, event)
        case Qualification():
            said = _qualification(at, event)
        case Wait(until=UntilRule()):
            said = Said(False, "It waits for a rule to come true: every write of the profile is asked, and no event.")
        case Wait():
            said = Said(False, "It waits for its time, whatever happens.")
        case _:
            said = Said(matching.fits(version, entrant, about)(at, event), f"It is a {at.kind}, which events of this kind do not decide.")
    return NodeSaid(at.id, at.kind, said)


def entry(at: EventNode, described: EventDefinition, event: Event, about: About = NOTHING) -> Said:
    """Is this what an event node asks for? `described` is what its event is: now, where people enter; as it was frozen, further on."""
    said = definition(described, event)
    if not said.fits or at.where is None:
        return said
    rule = as_tree(at.where)
    told = explain(rule, matching.scope(rule, event, about))
    return Said(told.verdict, f"It is a {at.event}, and what the node asks of it is {_word(told)}.", told)


def _event_node(version: Version, at: EventNode, event: Event, about: About) -> Said:
    described = version.events.get(at.event)
    if described is None:
        return Said(False, f"The version holds no definition {at.event}.")
    return entry(at, described, event, about)


def _qualification(at: Qualification, event: Event) -> Said:
    if not event.is_change:
        return Said(False, "It is no write of the profile; this node waits for one.")
    if changes.moved(event, at.segment, at.direction):
        return Said(True, f"The person has {_MOVED[at.direction]} {at.segment} by it.")
    return Said(False, f"The person has not {_MOVED[at.direction]} {at.segment} by it.")


_MOVED = {"enter": "entered", "leave": "left"}


def _reaction(version: Version, entrant: str, at: Reaction, event: Event) -> Said:
    if not event.is_reaction:
        return Said(False, f"It is no reaction; this node waits for {at.to} of {at.of}.")
    if event.data.get("entrant") != entrant:
        return Said(False, "It is a reaction to a message of another passage through a journey.")
    if not same_message(version.journey, at.of, event.data.get("node", "")):
        return Said(False, f"It is a reaction to the message of {event.data.get('node')}; this node waits for one to that of {at.of}.")
    if event.data.get("to") != at.to:
        return Said(False, f"It is {event.data.get('to')}; this node waits for {at.to}.")
    return Said(matching.fits(version, entrant)(at, event), f"It is {at.to} of {at.of}.")


def _word(told: Explanation) -> str:
    return "true" if told.verdict else "not true"
