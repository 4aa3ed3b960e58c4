"""Compares two versions of a journey by what they mean: what was added, removed, renamed or moved, and what is done otherwise.

It knows no store: a draft is compared as well as a version, also one that is not valid. Names, notes and positions are cosmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from journey import diff_renames
from journey.diff_parts import Parts, parts_of_event, parts_of_journey, parts_of_node, spelled
from journey.diff_renames import Arrows, Ways, leading_to, ways_in, ways_out
from journey.events import EventDefinition
from journey.graph import Condition, Journey, Message, Node, Split, exits

Kind = Literal[
    "added", "removed", "renamed", "kind_changed", "moved", "way_changed", "timeout_changed", "rule_changed", "message_changed",
    "setting_changed", "event_changed", "journey_changed", "cosmetic",
]  # fmt: skip

_NAMES = {
    "read_segment": "an entry", "event": "an event", "qualification": "a qualification", "reaction": "a reaction",
    "message": "a message", "wait": "a wait", "condition": "a condition", "split": "a split", "update_profile": "an update of the profile",
    "webhook": "a webhook", "jump": "a jump", "end": "an end",
}  # fmt: skip
_ONE_OF = {"branches": "branch", "shares": "share"}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a version's graph or a draft, with the event definitions it waits for, as far as they are known."""

    journey: Journey
    events: Mapping[str, EventDefinition]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. `node` is its id on the newer side, on the older for one that is gone; empty for the journey itself.

    `was` is the id on the older side, empty for a node that is new. `field` is dotted (`timeout.after`), an exit for a way. `before` and
    `after` are as people say them, empty where there was or is nothing.
    """

    kind: Kind
    sentence: str
    node: str = ""
    was: str = ""
    field: str = ""
    before: str = ""
    after: str = ""


def compare(older: Side, newer: Side) -> tuple[Change, ...]:
    """Everything that differs: of the journey, of its nodes in the order of the newer document with those that are gone behind them, then
    of event definitions. Nothing when the two are the same document; what only looks different is `cosmetic`."""
    renames = diff_renames.find(older.journey, newer.journey)
    before = diff_renames.apply(older.journey, renames)
    found = [*_of_journey(before, newer.journey), *_of_nodes(before, newer.journey, renames), *_of_events(older, newer)]
    if not found and spelled(older.journey) != spelled(newer.journey):
        found.append(Change("cosmetic", "It is written in another way, or another order, and means the same."))
    return tuple(found)


def _of_journey(before: Journey, after: Journey) -> Iterator[Change]:
    for field, then, now, is_cosmetic in parts_of_journey(before).against(parts_of_journey(after)):
        kind: Kind = "cosmetic" if is_cosmetic else "journey_changed"
        yield Change(kind, _said("The journey", field, then, now), field=field, before=then, after=now)


def _of_nodes(before: Journey, after: Journey, renames: Mapping[str, str]) -> Iterator[Change]:
    was = {now: then for then, now in renames.items()}
    both = set(before.by_id) & set(after.by_id)
    led, leading = leading_to(before), leading_to(after)
    for node in after.by_id.values():
        old = before.by_id.get(node.id)
        if old is None:
            yield Change("added", _new(node, leading), node.id)
            continue
        then = was.get(node.id, node.id)
        if then != node.id:
            yield Change("renamed", f"{then} is called {node.id} now.", node.id, then, "id", then, node.id)
        if old.kind != node.kind:
            said = f"{node.id} is {_NAMES[node.kind]} now; it was {_NAMES[old.kind]}."
            yield Change("kind_changed", said, node.id, then, "kind", old.kind, node.kind)
            continue
        settings = [*_settings(old, node, then), *_continues(old, node, then)]
        yield from settings
        meant = [change for change in settings if change.kind != "cosmetic"]
        moved = None if meant else _moved(_Side(before, led), _Side(after, leading), node.id, then, both)
        if moved is not None:
            yield moved
        else:
            yield from _ways(old, node, then)
    for node in before.by_id.values():
        if node.id not in after.by_id:
            yield Change("removed", f"{node.id}, {_NAMES[node.kind]}, is gone.", node.id, node.id)


def _of_events(older: Side, newer: Side) -> Iterator[Change]:
    for event in sorted(set(older.events) & set(newer.events)):
        before, after = parts_of_event(older.events[event]), parts_of_event(newer.events[event])
        for field, then, now, is_cosmetic in before.against(after):
            kind: Kind = "cosmetic" if is_cosmetic else "event_changed"
            said = _said(f"The event {event}", field, then, now)
            yield Change(kind, said, field=f"events.{event}.{field}", before=then, after=now)


# ---- one node --------------------------------------------------------------------------------------------------------------------


def _settings(old: Node, new: Node, was: str) -> Iterator[Change]:
    before, after = parts_of_node(old), parts_of_node(new)
    for field, then, now, is_cosmetic in before.against(after):
        kind = "cosmetic" if is_cosmetic else _kind(field, before, after)
        items, _, item = field.partition(".")
        if items in _ONE_OF and item and "." not in item:
            said = _came_or_went(old, new, items, item, then, now)
        elif field == "branches":
            said = f"{new.id} tries its branches in another order: {now}; it was {then}."
        else:
            said = _said(new.id, field, then, now)
        yield Change(kind, said, new.id, was, field, then, now)


def _continues(old: Node, new: Node, was: str) -> Iterator[Change]:
    """Earlier nodes that it is now too. One that it names no more it continues all the same, and the one it was called is told already."""
    if isinstance(old, Message) and isinstance(new, Message):
        more = [name for name in new.continues if name not in (*old.continues, was)]
        if more:
            before, after = ", ".join(old.continues), ", ".join(new.continues)
            yield Change("setting_changed", f"{new.id} continues {_to(more)} too.", new.id, was, "continues", before, after)


def _came_or_went(old: Node, new: Node, items: str, item: str, before: str, after: str) -> str:
    if after:
        return f"{new.id} has a new {_ONE_OF[items]}, {item}: {after}, which leads to {_to(dict(exits(new)).get(item, ()))}."
    return f"{new.id} has no {_ONE_OF[items]} {item} any more; it was {before} and led to {_to(dict(exits(old)).get(item, ()))}."


def _kind(field: str, before: Parts, after: Parts) -> Kind:
    if field.startswith("timeout"):
        return "timeout_changed"
    if field in before.rules or field in after.rules:
        return "rule_changed"
    return "message_changed" if field == "message" else "setting_changed"


def _ways(old: Node, new: Node, was: str) -> Iterator[Change]:
    """Exits that lead elsewhere. One that only one of them has, as a timeout or a branch, came or went with a setting."""
    before, after = dict(exits(old)), dict(exits(new))
    for taken in dict.fromkeys((*before, *after)):
        then, now = before.get(taken, ()), after.get(taken, ())
        follows_next = taken == "timeout" and taken not in ways_out(old) and taken not in ways_out(new)
        if then == now or follows_next or (_is_setting(new, taken) and not (taken in before and taken in after)):
            continue
        said = f"{new.id} leads by {taken} to {_to(now)}; it was {_to(then)}."
        if sorted(then) == sorted(now):
            said = f"{new.id} leads by {taken} to {_to(now)}, the first that an event fits, in this order; it was {_to(then)}."
        yield Change("way_changed", said, new.id, was, taken, ", ".join(then), ", ".join(now))


def _is_setting(node: Node, taken: str) -> bool:
    """Is the exit itself part of what the node is set to, a timeout, a branch or a share?"""
    return taken == "timeout" or (isinstance(node, Condition | Split) and taken != "otherwise")


@dataclass(frozen=True, slots=True)
class _Side:
    journey: Journey
    leading: Arrows


def _moved(before: _Side, after: _Side, node: str, was: str, both: set[str]) -> Change | None:
    """A node that does the same, and is reached from elsewhere and leads elsewhere. Nodes that came or went between are passed over."""
    came_from, comes_from = ways_in(before.leading, node, both), ways_in(after.leading, node, both)
    led_to, leads_to = _beyond(before.journey, node, both), _beyond(after.journey, node, both)
    if came_from == comes_from or led_to == leads_to:
        return None
    then = f"from {_from(came_from)} to {_to(sorted(led_to))}"
    now = f"from {_from(comes_from)} to {_to(sorted(leads_to))}"
    return Change("moved", f"{node} stands elsewhere: it leads {now}; it led {then}.", node, was, "", then, now)


def _beyond(journey: Journey, node: str, both: set[str]) -> frozenset[str]:
    """The nodes known to both sides that come next, whatever stands between."""
    beyond: set[str] = set()
    seen: set[str] = set()
    todo = [target for way in ways_out(journey.node(node)).values() for target in way]
    while todo:
        target = todo.pop()
        if target in seen:
            continue
        seen.add(target)
        if target in both:
            beyond.add(target)
        elif target in journey.by_id:
            todo += [further for way in ways_out(journey.node(target)).values() for further in way]
    return frozenset(beyond)


# ---- words -----------------------------------------------------------------------------------------------------------------------


def _said(whose: str, field: str, before: str, after: str) -> str:
    if not before:
        return f"{whose} has {field} {after} now; it had none."
    if not after:
        return f"{whose} has no {field} any more; it was {before}."
    return f"{whose}: {field} is {after}; it was {before}."


def _new(node: Node, leading: Arrows) -> str:
    reached = frozenset(leading.get(node.id, ()))
    leads = sorted({target for way in ways_out(node).values() for target in way})
    return f"{node.id} is new: {_NAMES[node.kind]}" + (f", reached from {_from(reached)}" if reached else "") + (
        f", leading to {_to(leads)}." if leads else "."
    )  # fmt: skip


def _from(ways: Ways) -> str:
    named = [source if taken == "next" else f"{source} ({taken})" for source, taken in sorted(ways)]
    return " and ".join(named) or "nowhere"


def _to(targets: tuple[str, ...] | list[str]) -> str:
    return " and ".join(targets) or "nothing"
