"""Finds the nodes that got another id: they say so (`continues`), or do the same between the same neighbours. It knows nothing of how a
change is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from journey.diff_parts import COSMETIC, parts_of_node
from journey.graph import Journey, Message, Next, Node, exits

Ways = frozenset[tuple[str, str]]
"""Where a node is reached from: (node, exit)."""
Arrows = Mapping[str, Sequence[tuple[str, str]]]
"""By node, where it is reached from, directly."""

_ARROWS = ("next", "error", "otherwise")
_REFERENCES = ("of", "since")


def ways_out(node: Node) -> dict[str, Next]:
    """Where each drawn exit leads. A timeout that goes the way of `next` has none of its own (G8)."""
    found = {taken: way for taken, way in exits(node) if way}
    timeout = getattr(node, "timeout", None)
    if timeout is not None and not timeout.next:
        found.pop("timeout", None)
    return found


def leading_to(journey: Journey) -> Arrows:
    """By node, each exit that leads to it: the node that has it, and its name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for source in journey.by_id.values():
        for taken, way in ways_out(source).items():
            for target in dict.fromkeys(way):
                found.setdefault(target, []).append((source.id, taken))
    return found


def ways_in(leading: Arrows, node: str, known: Collection[str]) -> Ways:
    """By which exits of known nodes it is reached; nodes that are not known are passed over, as if each were an arrow. `leading` is
    `leading_to` of the journey."""
    ways: set[tuple[str, str]] = set()
    seen: set[str] = set()
    todo = [node]
    while todo:
        for source, taken in leading.get(todo.pop(), ()):
            if source in known:
                ways.add((source, taken))
            elif source not in seen:
                seen.add(source)
                todo.append(source)
    return frozenset(ways)


def find(older: Journey, newer: Journey) -> dict[str, str]:
    """New ids by old ones. A message node may say which it was. Of others, where several would fit, those whose neighbours fit are taken; a
    pair whose neighbours do not is none."""
    gone = [node for node in older.by_id.values() if node.id not in newer.by_id]
    come = [node for node in newer.by_id.values() if node.id not in older.by_id]
    renames = _said(gone, come)
    for wanted in (2, 1):  # first those between the very same neighbours, then those that share what stands before or behind them
        found = True
        while found:
            found = False
            for old in gone:
                fitting = [new for new in come if old.id not in renames and _fits(older, newer, old, new, renames) >= wanted]
                fitting = [new for new in fitting if new.id not in renames.values()]
                if len(fitting) == 1:
                    renames[old.id] = fitting[0].id
                    found = True
    return renames


def _said(gone: Iterable[Node], come: Iterable[Node]) -> dict[str, str]:
    """Those that a document names itself, the newer one or, where it is compared with what came before it, the older."""
    was, now = ({node.id: node.continues for node in nodes if isinstance(node, Message)} for nodes in (gone, come))
    renames: dict[str, str] = {}
    for new, continued in now.items():
        found = [old for old in was if (old in continued or new in was[old]) and old not in renames]
        renames |= {found[0]: new} if found else {}
    return renames


def apply(journey: Journey, renames: Mapping[str, str]) -> Journey:
    """The journey with the new ids, wherever one is named."""
    if not renames:
        return journey
    nodes = tuple(_renamed(node, renames) for node in journey.nodes)  # built anew: a copy would carry along the cached nodes by id
    return Journey.model_validate({name: getattr(journey, name) for name in Journey.model_fields} | {"nodes": nodes})


def _fits(older: Journey, newer: Journey, old: Node, new: Node, renames: Mapping[str, str]) -> int:
    """How well a node that is gone fits one that has come: 2 when it stands between the same neighbours, 1 when one side is the same,
    0 when neither is, or it does something else."""
    if old.kind != new.kind or _content(_renamed(old, renames)) != _content(new):
        return 0
    before, after = apply(older, {**renames, old.id: new.id}), newer
    known = set(before.by_id) & set(after.by_id)  # a neighbour that has another id itself, and is not found yet, is not looked at
    reached = _directly(before, new.id, known), _directly(after, new.id, known)
    leading = _leading(before.node(new.id), known), _leading(after.node(new.id), known)
    same_in, same_out = reached[0] == reached[1], leading[0] == leading[1]
    if same_in and same_out:
        return 2 if reached[1] or leading[1] else 0
    return 1 if (same_in and reached[1]) or (same_out and leading[1]) else 0


def _directly(journey: Journey, node: str, known: set[str]) -> Ways:
    sources = (source for source in journey.by_id.values() if source.id in known)
    return frozenset((source.id, taken) for source in sources for taken, way in ways_out(source).items() if node in way)


def _leading(node: Node, known: set[str]) -> dict[str, tuple[str, ...]]:
    ways = {taken: tuple(target for target in way if target in known) for taken, way in ways_out(node).items()}
    return {taken: way for taken, way in ways.items() if way}


def _content(node: Node) -> tuple[Any, ...]:
    parts = parts_of_node(node)
    values = {name: part.value for name, part in parts.parts.items() if name not in COSMETIC}
    return values, parts.orders, tuple(ways_out(node))


def _renamed(node: Node, renames: Mapping[str, str]) -> Node:
    changed: dict[str, Any] = {}
    if node.id in renames:
        changed["id"] = renames[node.id]
    for name in _ARROWS:
        way = getattr(node, name, None)
        if way:
            changed[name] = _mapped(way, renames)
    for name in _REFERENCES:
        target = getattr(node, name, "")
        if target in renames:
            changed[name] = renames[target]
    timeout = getattr(node, "timeout", None)
    if timeout is not None:
        changed["timeout"] = timeout.model_copy(update={"next": _mapped(timeout.next, renames)})
    for name in ("branches", "shares"):
        items = getattr(node, name, None)
        if items:
            changed[name] = tuple(item.model_copy(update={"next": _mapped(item.next, renames)}) for item in items)
    return node.model_copy(update=changed)


def _mapped(way: Iterable[str], renames: Mapping[str, str]) -> Next:
    return tuple(renames.get(target, target) for target in way)
