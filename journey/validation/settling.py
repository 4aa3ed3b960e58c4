"""What can be wrong with how long an event by which people enter is asked again (`settle_for`). It knows no arrows and nothing outside the
journey."""

from __future__ import annotations

from collections.abc import Iterator

from journey import durations
from journey.errors import BadInput
from journey.findings import Finding, error, warning
from journey.graph import EventNode, Journey
from journey.matching import LONGEST_SETTLING
from journey.rule_check import all_leaves
from journey.rule_tree import InSegment, Rule
from journey.rules import fields
from journey.validation.rules import tree


def check(journey: Journey) -> Iterator[Finding]:
    """Everything about settling that the journey alone can tell."""
    for node in journey.nodes:
        if not isinstance(node, EventNode) or not node.settle_for:
            continue
        if node is not journey.entry_node:
            said = "Nobody enters here: whoever waits for this event hears it when it comes. Leave settle_for out, or put it at the entry."
            yield error("settle_not_at_entry", node.id, "settle_for", said)
            continue
        yield from _length(node)
        rule = tree(node.where)
        if node.where is None or (rule is not None and not _asks_of_the_person(rule)):
            said = (
                "Only a write of the profile can make the rule true later, and where asks nothing of the profile: ask for profile.FIELD or "
                "in_segment(...) there, or leave settle_for out."
            )
            yield warning("settle_for_nothing", node.id, "settle_for", said)


def _length(node: EventNode) -> Iterator[Finding]:
    try:
        length = durations.seconds(node.settle_for)
    except BadInput as fault:
        yield error("duration_invalid", node.id, "settle_for", fault.sentence)
        return
    if length > durations.seconds(LONGEST_SETTLING):
        said = f"{node.settle_for} is longer than {LONGEST_SETTLING}, and what is older than a day lets nobody in: make it shorter."
        yield error("settle_too_long", node.id, "settle_for", said)


def _asks_of_the_person(rule: Rule) -> bool:
    named = any(name.startswith("profile.") for name in fields(rule))
    return named or any(isinstance(leaf, InSegment) for leaf in all_leaves(rule))
