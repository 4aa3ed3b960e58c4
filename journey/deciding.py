"""Which way somebody goes at a node that decides: a condition by its rules, a split by their key. It knows no store and no time.

The store's stop and the simulator call this one function, so that neither has a way of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from journey import lots, rules
from journey.graph import Journey, Split
from journey.rule_text import as_tree
from journey.rules import Scope
from journey.walk import condition


def decide(journey: Journey, node_id: str, key: str, scope: Callable[[], Scope]) -> str:
    """The exit of a condition or a split. `scope` gives what the rules look at; a split does not ask for it."""
    node = journey.node(node_id)
    if isinstance(node, Split):
        return lots.share(node.shares, lots.place(journey.id, node.id, key))
    seen = scope()
    for branch in condition(node).branches:
        if branch.when is not None and rules.evaluate(as_tree(branch.when), seen):
            return branch.id
    return "otherwise"
