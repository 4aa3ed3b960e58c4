"""What never happens: a branch or a node of a gate behind one that takes everything, a rule that nothing makes true."""

from __future__ import annotations

from collections.abc import Iterator

from journey.arrows import arrows
from journey.findings import Finding, warning
from journey.graph import Condition, EventNode, Journey, Node, Qualification, Reaction, Wait
from journey.rule_check import all_leaves
from journey.rule_meaning import contradicts_itself, implies, same
from journey.rule_tree import Rule
from journey.until import UntilRule
from journey.validation.rules import tree

_FIELD = {"event": "event", "reaction": "to", "qualification": "segment"}
"""What each kind of node listens to is written there."""


def check(journey: Journey) -> Iterator[Finding]:
    """Each condition, and each gate."""
    for node in journey.nodes:
        match node:
            case Condition():
                yield from _branches(node)
            case EventNode():
                yield from never_true(node.where, node.id, "where")
            case Wait(until=UntilRule() as until):
                yield from never_true(until.rule, node.id, "until.rule")
            case _:
                pass
    for index, criterion in enumerate(journey.exit_criteria):
        yield from never_true(criterion.where, "", f"exit_criteria[{index}].where")
    yield from _gates(journey)
    yield from _ended_before(journey)


def never_true(written: str | Rule | None, node: str, field: str) -> Iterator[Finding]:
    """A rule that asks for two things of which only one can be; of one that asks for nothing another finding tells."""
    rule = tree(written)
    if rule is not None and any(all_leaves(rule)) and contradicts_itself(rule):
        said = "Nothing makes this rule true, whatever the values: it asks one field for two things at once. Correct one of its tests."
        yield warning("rule_never_true", node, field, said)


def _branches(node: Condition) -> Iterator[Finding]:
    before: list[tuple[str, Rule]] = []
    for index, branch in enumerate(node.branches):
        rule = tree(branch.when)
        if rule is None:
            continue
        taken_by = next((other for other, earlier in before if same(rule, earlier) or implies(rule, earlier)), "")
        why = ""
        if contradicts_itself(rule):
            why = "its rule can be true of nobody. Correct it, or take the branch out."
        elif taken_by:
            why = f"{taken_by}, above it, takes all of whom its rule is true. Put it above {taken_by}, or change one of the two rules."
        if why:
            said = f"The branch {branch.id} is never taken: {why}"
            yield warning("branch_never_taken", node.id, f"branches[{index}].when", said)
        before.append((branch.id, rule))


def _gates(journey: Journey) -> Iterator[Finding]:
    """A node is told of when it is behind another in every gate that it stands in: where it stands alone it is heard."""
    shadows: dict[str, str] = {}
    heard: set[str] = set()
    for node in journey.by_id.values():
        for _, targets in arrows(node):
            members = [journey.node(target) for target in dict.fromkeys(targets) if target in journey.by_id]
            for index, member in enumerate(members):
                first = next((other.id for other in members[:index] if _hears_all(other, member)), "")
                if first:
                    shadows.setdefault(member.id, first)
                else:
                    heard.add(member.id)
    for node_id, first in shadows.items():
        if node_id not in heard:
            kind = journey.node(node_id).kind
            said = f"This never wins: {first}, before it in the same list, hears everything that it hears. Take one of them out."
            yield warning("never_wins", node_id, _FIELD[kind], said)


def _ended_before(journey: Journey) -> Iterator[Finding]:
    """Exit criteria stand before the nodes: what meets one ends a person, wherever they wait for it."""
    for node in journey.by_id.values():
        if node is journey.entry_node:
            continue
        for criterion in journey.exit_criteria:
            match node:
                case EventNode() if node.event and criterion.event == node.event and _fits_all(criterion.where, node.where):
                    ends = f"exit criterion ends everybody at the event {node.event}"
                case Qualification() if (criterion.segment, criterion.direction) == (node.segment, node.direction) and node.segment:
                    ends = f"exit criterion ends everybody who {'enters' if node.direction == 'enter' else 'leaves'} {node.segment}"
                case _:
                    continue
            said = f"This never wins: an {ends}, before any node hears of it. Take one of the two out."
            yield warning("never_wins", node.id, _FIELD[node.kind], said)
            break


def _fits_all(wide: str | Rule | None, narrow: str | Rule | None) -> bool:
    """Is one rule about an event true of everything of which another is? No rule is true of everything."""
    if wide is None:
        return True
    one, other = tree(narrow), tree(wide)
    return one is not None and other is not None and (same(one, other) or implies(one, other))


def _hears_all(first: Node, second: Node) -> bool:
    """Does the first of two in a gate fit every event that the second fits?"""
    match first, second:
        case Reaction(), Reaction():
            return bool(first.of and first.to) and (first.of, first.to) == (second.of, second.to)
        case Qualification(), Qualification():
            return bool(first.segment) and (first.segment, first.direction) == (second.segment, second.direction)
        case EventNode(), EventNode():
            looks_no_further = second.since in ("", first.since)
            return bool(first.event) and first.event == second.event and looks_no_further and _fits_all(first.where, second.where)
    return False
