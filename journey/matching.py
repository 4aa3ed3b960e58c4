"""Which events fit which nodes, and whose an event is. It knows no store and no clock: gate.py decides what a fitting event does.

A workflow must not import this module: reading a rule from text breaks the sandbox.
"""

from __future__ import annotations

from journey import walk
from journey.events import Event, EventDefinition
from journey.gate import Fits, Won, order
from journey.graph import EventNode, Node, Reaction
from journey.profiles import is_identity
from journey.rule_text import parse
from journey.rule_tree import Rule
from journey.rules import Scope, evaluate, look_up
from journey.version import Version


def definition_fits(definition: EventDefinition, event: Event) -> bool:
    """Is this the event that the definition describes? A definition that says nothing fits nothing, a reaction fits none."""
    if event.is_reaction or not (definition.match or definition.rule is not None):
        return False
    if definition.match and event.name != definition.match:
        return False
    return definition.rule is None or _true_of(definition.rule, event)


def fits(version: Version, entrant: str) -> Fits:
    """Tells whether an event fits a node of this version, for this entrant: a reaction must be to a message of their own (G5)."""

    def fits_node(node: Node, event: Event) -> bool:
        match node:
            case EventNode():
                return _fits_event_node(version, node, event)
            case Reaction():
                return _answers(node, entrant, event)
        return False

    return fits_node


def person_of(definition: EventDefinition, event: Event) -> tuple[str, str] | None:
    """The identity (namespace, value) that a definition reads from the data of an event; None when it names or finds none.

    A whole number is taken as its digits; any other value that is no identity names nobody.
    """
    if not definition.namespace or not definition.key:
        return None
    value = look_up(event.data, definition.key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return (definition.namespace, value) if isinstance(value, str) and is_identity(value) else None


def is_kept(version: Version, place: walk.Place, entrant: str, event: Event) -> bool:
    """Does an entrant under way keep this event for the next gate (G6)?

    Kept is what a definition of the version describes, and a reaction that a node still ahead of the place listens to.
    """
    if not event.is_reaction:
        return any(definition_fits(definition, event) for definition in _definitions(version))
    ahead = (version.journey.node(node) for node in walk.ahead(version.journey, place))
    return any(isinstance(node, Reaction) and _answers(node, entrant, event) for node in ahead)


def stays_kept(version: Version, place: walk.Place, entrant: str, event: Event, won: Won | None) -> bool:
    """Does somebody who arrives at the gate of this place keep an event on, though it did not decide it?

    A reaction stays as long as a node ahead listens to it (docs/decisions/0005). Any other event finds them on the way to the next gate
    when it came after the one that decides this one: it stays when an event node behind that one listens to it (0009).
    """
    if event.is_reaction:
        return is_kept(version, place, entrant, event)
    if won is None or order(event) < order(won.event):
        return False
    behind = (version.journey.node(node) for node in walk.ahead(version.journey, walk.follow(version.journey, won.outcome)))
    return any(isinstance(node, EventNode) and _fits_event_node(version, node, event) for node in behind)


def _definitions(version: Version) -> list[EventDefinition]:
    named = {node.event for node in version.journey.nodes if isinstance(node, EventNode)}
    return [definition for name, definition in version.events.items() if name in named]


def _fits_event_node(version: Version, node: EventNode, event: Event) -> bool:
    definition = version.events.get(node.event)
    if definition is None or not definition_fits(definition, event):
        return False
    return node.where is None or _true_of(node.where, event)


def _answers(node: Reaction, entrant: str, event: Event) -> bool:
    return (
        event.is_reaction and event.data.get("entrant") == entrant and event.data.get("node") == node.of and event.data.get("to") == node.to
    )


def _true_of(rule: str | Rule, event: Event) -> bool:
    """A frozen rule is a tree; one of a live definition may be text. A tree is evaluated as it is: it was checked when it was put."""
    return evaluate(parse(rule) if isinstance(rule, str) else rule, Scope.of_event(event.data))
