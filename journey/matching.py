"""Which events fit which nodes, and whose an event is. It knows no store and no clock: gate.py decides what a fitting event does.

A workflow must not import this module: reading a rule from text breaks the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from journey import changes, durations, walk
from journey.changes import Attributes
from journey.continuing import same_message
from journey.events import Event, EventDefinition, Instant
from journey.gate import MICROSECONDS, Fits, Won, order
from journey.graph import EventNode, ExitCriterion, Node, Qualification, Reaction, RuleOrText, Wait
from journey.profiles import is_identity
from journey.rule_check import all_leaves
from journey.rule_text import parse
from journey.rule_tree import Rule, Test
from journey.rules import Scope, evaluate, fields, look_up
from journey.until import UntilRule
from journey.version import Version

LONGEST_SETTLING = "P1D"
"""As long as an event may be late where SOJOURN_TOO_OLD says nothing else."""
_ASKS: dict[str, frozenset[str]] = {}
_MOST_ASKS = 1024


Gather = Callable[[Scope, Rule, Event], Scope]
"""Gives the scope of a `where` with what its rule needs of the past before the event, of segments and of the clock (past.py)."""


@dataclass(frozen=True, slots=True)
class About:
    """What a `where` may ask beside the event: the attributes of its person, the data of the event that let them in, and what they did
    before."""

    profile: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    gather: Gather | None = None


NOTHING = About()


def asks(version: Version) -> frozenset[str]:
    """What the rules of a version ask beside the event, or the person: `profile`, `entry`, `past` (also of segments, or the clock), or
    nothing. Whoever hears looks up no more than that."""
    if version.hash not in _ASKS:
        if len(_ASKS) >= _MOST_ASKS:
            _ASKS.clear()
        parts = [one for one in (*version.journey.nodes, *version.journey.exit_criteria) if isinstance(one, EventNode | ExitCriterion)]
        wheres = [_tree(one.where) for one in parts if one.where is not None]
        named = {name.partition(".")[0] for where in wheres for name in fields(where) if "." in name}
        past = "now" in named or any(not isinstance(leaf, Test) for where in wheres for leaf in all_leaves(where))
        untils = [node.until for node in version.journey.nodes if isinstance(node, Wait) and isinstance(node.until, UntilRule)]
        named |= {"entry" for until in untils for name in fields(_tree(until.rule)) if name.startswith("entry.")}
        _ASKS[version.hash] = frozenset(named & {"profile", "entry"}) | ({"past", "profile"} if past else set())
    return _ASKS[version.hash]


def enters(
    version: Version, definition: EventDefinition, event: Event, profile: Mapping[str, Any], gather: Gather | None = None
) -> bool:  # fmt: skip
    """Does this event let its person into the version? `definition` is what the entry's event is now, `profile` their attributes."""
    entry = version.journey.entry_node
    if not isinstance(entry, EventNode) or not definition_fits(definition, event):
        return False
    return entry.where is None or _true_of(entry.where, event, About(profile, gather=gather))


def settles_until(version: Version, definition: EventDefinition, event: Event) -> Instant | None:
    """Until when an event that does not let its person in is asked again at each write of the profile; None where it is not, or is not the
    event by which the version begins."""
    entry = version.journey.entry_node
    if not isinstance(entry, EventNode) or not entry.settle_for or not definition_fits(definition, event):
        return None
    return event.accepted_at + durations.seconds(entry.settle_for) * MICROSECONDS


def lets_in(version: Version, change: Event) -> bool:
    """Does this write of a profile let its person into the version, which begins with a segment that is entered or left?"""
    entry = version.journey.entry_node
    return isinstance(entry, Qualification) and changes.moved(change, entry.segment, entry.direction)


def definition_fits(definition: EventDefinition, event: Event) -> bool:
    """Is this the event that the definition describes? A definition that says nothing fits nothing, a reaction fits none."""
    if event.is_reaction or event.is_change or not (definition.match or definition.rule is not None):
        return False
    if definition.match and event.name != definition.match:
        return False
    return definition.rule is None or _true_of(definition.rule, event)


def fits(version: Version, entrant: str, about: About = NOTHING, person: Attributes | None = None) -> Fits:
    """Tells whether an event fits a node of this version, for this entrant: a reaction must be to a message of their own (G5).

    `person` are their attributes after the write that the event is; only then can a rule that is waited for have come true.
    """

    def fits_node(node: Node, event: Event) -> bool:
        match node:
            case EventNode():
                return fits_definition(version, node.event, node.where, event, about)
            case Qualification():
                return changes.moved(event, node.segment, node.direction)
            case Reaction():
                return _answers(version, node, entrant, event)
            case Wait():
                return event.is_change and person is not None and holds(person, about)(node)
        return False

    return fits_node


def holds(person: Attributes, about: About = NOTHING) -> Callable[[Node], bool]:
    """Tells whether a node waits for a rule that is true of somebody with these attributes."""

    def holds_for(node: Node) -> bool:
        if not (isinstance(node, Wait) and isinstance(node.until, UntilRule)):
            return False
        return evaluate(_tree(node.until.rule), Scope.of_profile(person, entry=about.entry))

    return holds_for


def waits_for_rule(node: Node) -> bool:
    """Does it wait until a rule is true?"""
    return isinstance(node, Wait) and isinstance(node.until, UntilRule)


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

    Kept is what a definition of the version describes, and a reaction, or a segment entered or left, that a node still ahead of the place
    listens to. A rule that comes true is not kept: whoever arrives is asked whether it is true then.
    """
    if not event.is_reaction and not event.is_change:
        return any(definition_fits(definition, event) for definition in _definitions(version))
    fits_node = fits(version, entrant)
    return any(fits_node(version.journey.node(node), event) for node in walk.ahead(version.journey, place))


def stays_kept(
    version: Version, place: walk.Place, entrant: str, event: Event, won: Won | None, about: About = NOTHING
) -> bool:  # fmt: skip
    """Does somebody who arrives at the gate of this place keep an event on, though it did not decide it?

    A reaction stays as long as a node ahead listens to it (docs/decisions/0005). Any other event finds them on the way to the next gate
    when it came after the one that decides this one: it stays when an event node behind that one listens to it (0009).
    """
    if event.is_reaction:
        return is_kept(version, place, entrant, event)
    if won is None or order(event) < order(won.event):
        return False
    fits_node = fits(version, entrant, about)
    behind = walk.ahead(version.journey, walk.follow(version.journey, won.outcome))
    return any(fits_node(version.journey.node(node), event) for node in behind)


def fits_definition(version: Version, name: str, where: RuleOrText | None, event: Event, about: About = NOTHING) -> bool:
    """Is this the event that a definition of the version describes, with this rule over its data?"""
    definition = version.events.get(name)
    return definition is not None and definition_fits(definition, event) and (where is None or _true_of(where, event, about))


def _definitions(version: Version) -> list[EventDefinition]:
    """Of what somebody inside may wait for; the entry is behind them."""
    inside = [node for node in version.journey.nodes if node is not version.journey.entry_node]
    named = {node.event for node in inside if isinstance(node, EventNode)}
    return [definition for name, definition in version.events.items() if name in named]


def _answers(version: Version, node: Reaction, entrant: str, event: Event) -> bool:
    if not event.is_reaction or event.data.get("entrant") != entrant or event.data.get("to") != node.to:
        return False
    return same_message(version.journey, node.of, event.data.get("node", ""))


def scope(rule: Rule, event: Event, about: About = NOTHING) -> Scope:
    """What a rule over an event looks at."""
    found = Scope.of_event(event.data, profile=about.profile, entry=about.entry)
    return found if about.gather is None else about.gather(found, rule, event)


def _true_of(rule: str | Rule, event: Event, about: About = NOTHING) -> bool:
    tree = _tree(rule)
    return evaluate(tree, scope(tree, event, about))


def _tree(rule: str | Rule) -> Rule:
    """A frozen rule is a tree; one of a live definition may be text. A tree is taken as it is: it was checked when it was put."""
    return parse(rule) if isinstance(rule, str) else rule
