"""Makes a version of a draft: the graph, the event definitions that it waits for, the types of what it writes, rules as trees.

It knows no store.
"""

from __future__ import annotations

from collections.abc import Iterator

from journey import past
from journey.continuing import inherited
from journey.errors import Invalid
from journey.events import EventDefinition
from journey.findings import Finding, blocking
from journey.graph import Branch, Condition, EventNode, ExitCriterion, Journey, Message, Node, UpdateProfile, Wait
from journey.rule_text import as_tree
from journey.rule_tree import Rule
from journey.surroundings import Surroundings
from journey.until import UntilRule
from journey.validation.judging import validate
from journey.version import Version


def freeze(journey: Journey, surroundings: Surroundings) -> Version:
    """The version that a publish keeps. Raises Invalid with every finding, warnings too, when one of them is an error."""
    return judged(journey, surroundings)[0]


def judged(journey: Journey, surroundings: Surroundings) -> tuple[Version, tuple[Finding, ...]]:
    """As `freeze`, with what is no error and said all the same."""
    findings = validate(journey, surroundings)
    errors = blocking(findings)
    if errors:
        count = "one error" if len(errors) == 1 else f"{len(errors)} errors"
        raise Invalid(f"The journey {journey.id} has {count}; the first: {errors[0].sentence}", findings)
    return frozen(journey, surroundings), findings


def frozen(journey: Journey, surroundings: Surroundings) -> Version:
    """The version of a journey that is known to be valid."""
    nodes = tuple(_node(_continuing(journey, node, surroundings)) for node in journey.nodes)
    # Built anew, not copied: a copy would carry along what the draft has cached of its nodes.
    kept = {name: getattr(journey, name) for name in Journey.model_fields}
    criteria = tuple(_criterion(criterion) for criterion in journey.exit_criteria)
    graph = Journey.model_validate(kept | {"nodes": nodes, "exit_criteria": criteria})
    named = {node.event for node in nodes if isinstance(node, EventNode)} | {criterion.event for criterion in criteria} - {""}
    named |= {name for name in past.needs(rule for part in (*nodes, *criteria) for rule in rules_of(part)).events if "." not in name}
    written = sorted({name for node in nodes if isinstance(node, UpdateProfile) for name in node.set})
    return Version(
        journey=graph,
        events={event: _definition(surroundings.events[event]) for event in sorted(named)},
        writes={name: surroundings.attributes[name].type for name in written},
    )


def rules_of(node: Node | ExitCriterion) -> Iterator[Rule]:
    """The rules about people and events that are written into a node, or an exit criterion."""
    if isinstance(node, EventNode | ExitCriterion) and node.where is not None:
        yield as_tree(node.where)
    if isinstance(node, Condition):
        yield from (as_tree(branch.when) for branch in node.branches if branch.when is not None)


def _continuing(journey: Journey, node: Node, surroundings: Surroundings) -> Node:
    """A message node with all that it continues, through the versions before it."""
    if not isinstance(node, Message) or not surroundings.earlier:
        return node
    continues = inherited(journey, node, surroundings.earlier)
    return node if continues == node.continues else node.model_copy(update={"continues": continues})


def _node(node: Node) -> Node:
    match node:
        case EventNode() if node.where is not None:
            return node.model_copy(update={"where": as_tree(node.where)})
        case Condition():
            return node.model_copy(update={"branches": tuple(_branch(branch) for branch in node.branches)})
        case Wait(until=UntilRule() as until):
            return node.model_copy(update={"until": until.model_copy(update={"rule": as_tree(until.rule)})})
    return node


def _branch(branch: Branch) -> Branch:
    return branch if branch.when is None else branch.model_copy(update={"when": as_tree(branch.when)})


def _criterion(criterion: ExitCriterion) -> ExitCriterion:
    return criterion if criterion.where is None else criterion.model_copy(update={"where": as_tree(criterion.where)})


def _definition(definition: EventDefinition) -> EventDefinition:
    return definition if definition.rule is None else definition.model_copy(update={"rule": as_tree(definition.rule)})
