"""Which way somebody goes at a node that decides: a condition by its rules, a split by their key. It knows no store and no time.

The store's stop and the simulator call this one function, so that neither has a way of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from journey import lots
from journey.graph import Journey, Split
from journey.rule_explaining import as_data, explain
from journey.rule_text import as_tree
from journey.rule_tree import Rule
from journey.rules import Scope
from journey.walk import condition


@dataclass(frozen=True, slots=True)
class Decision:
    """The exit that is taken, and why: of each branch up to the one that is taken its id and the verdict of its rule, with the values
    that were found. These are personal: they stay in the store."""

    exit: str
    why: tuple[dict[str, Any], ...] = ()


def decide(journey: Journey, node_id: str, key: str, scope: Callable[[Sequence[Rule]], Scope]) -> Decision:
    """The way out of a condition or a split. `scope` gives what these rules look at; a split does not ask for it."""
    node = journey.node(node_id)
    if isinstance(node, Split):
        return Decision(lots.share(node.shares, lots.place(journey.id, node.id, key)))
    rules = [(branch.id, as_tree(branch.when)) for branch in condition(node).branches if branch.when is not None]
    seen = scope([rule for _, rule in rules])
    why: list[dict[str, Any]] = []
    for branch, rule in rules:
        explained = explain(rule, seen)
        why.append({"branch": branch, **as_data(explained)})
        if explained.verdict:
            return Decision(branch, tuple(why))
    return Decision("otherwise", tuple(why))
