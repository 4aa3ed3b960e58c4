"""What can be wrong with the paths of a journey: gates, circles, and what no path leads to. It knows no rules."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import dropwhile

from journey import durations
from journey.arrows import Paths, arrows
from journey.findings import Finding, error, warning
from journey.graph import Journey, Listening, Node, ReadSegment, Wait
from journey.until import UntilRule


def check(journey: Journey) -> Iterator[Finding]:
    """Everything that the paths alone can tell."""
    yield from _gates(journey)
    yield from _cycles(journey)
    yield from _unreachable(journey)
    yield from _too_late(journey)


def _gates(journey: Journey) -> Iterator[Finding]:
    """Each gate that some arrow leads to: one timeout at most, and better one than none."""
    found: dict[Finding, None] = {}
    for node in journey.nodes:
        for _, targets in arrows(node):
            members = [journey.node(target) for target in dict.fromkeys(targets) if target in journey.by_id]
            listening = [member for member in members if isinstance(member, Listening)]
            if listening and len(listening) == len(members):
                found |= dict.fromkeys(_gate(listening))
    yield from found


def _gate(nodes: list[Listening]) -> Iterator[Finding]:
    timed = [node for node in nodes if node.timeout is not None and not (isinstance(node, Wait) and node.until is None)]
    waits = [node for node in nodes if isinstance(node, Wait) and not isinstance(node.until, UntilRule)]
    for second in timed[1:]:
        said = f"{timed[0].id} has a timeout already, and it holds for all that stands in parallel with it: remove this one."
        yield error("two_timeouts", second.id, "timeout", said)
    if not timed and not waits:
        said = "Whoever does nothing stays here until the global timeout: add a timeout, unless that is meant."
        yield warning("no_timeout", nodes[0].id, "timeout", said)
    ends: list[tuple[Listening, str, int | None]] = [(node, "for", durations.if_any(node.duration)) for node in waits if node.until is None]
    ends += [(node, "timeout.after", durations.if_any(node.timeout.after)) for node in timed[:1] if node.timeout is not None]
    known = [(node, field, length) for node, field, length in ends if length]
    if len(known) < 2:
        return
    soonest = min(known, key=lambda end: end[2])  # the first of two equals: a wait stands before a timeout (G2)
    for node, field, _ in known:
        if node is not soonest[0]:
            said = f"This never comes due: {soonest[0].id}, in parallel with it, is over before. Make this shorter, or take it out."
            yield warning("never_due", node.id, field, said)


def _cycles(journey: Journey) -> Iterator[Finding]:
    """One finding for each arrow that closes a circle, found by a walk in depth."""
    done: set[str] = set()
    for start in journey.by_id:
        if start in done:
            continue
        path: dict[str, None] = {start: None}
        todo: list[tuple[str, list[tuple[str, str]]]] = [(start, _steps(journey, start))]
        while todo:
            node_id, steps = todo[-1]
            if not steps:
                todo.pop()
                del path[node_id]
                done.add(node_id)
                continue
            field, target = steps.pop(0)
            if target in path:
                circle = " -> ".join([*dropwhile(target.__ne__, path), target])
                said = f"The path leads back to where it was: {circle}. A journey has no circles: lead one of these arrows onward."
                yield error("cycle", node_id, field, said)
            elif target not in done:
                path[target] = None
                todo.append((target, _steps(journey, target)))


def _steps(journey: Journey, node_id: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for field, targets in arrows(journey.node(node_id)):
        for target in targets:
            if target in journey.by_id:
                found.setdefault(target, field)
    return [(field, target) for target, field in found.items()]


def _unreachable(journey: Journey) -> Iterator[Finding]:
    entry = journey.entry_node
    if entry is None:
        return
    seen = Paths(journey).reachable(entry.id)
    for node_id, node in journey.by_id.items():
        if node_id not in seen and not isinstance(node, ReadSegment):  # a second entry has a finding of its own
            yield warning("unreachable", node_id, "id", f"No path leads to {node_id}: connect it, or take it out.")


def _too_late(journey: Journey) -> Iterator[Finding]:
    """The first nodes that nobody can come to in time: what must be waited for before them is longer than a journey may take."""
    longest, entry = durations.if_any(journey.global_timeout), journey.entry_node
    if longest is None or entry is None:
        return
    soonest: dict[str, int] = {}
    late: dict[str, None] = {}
    todo: list[tuple[int, str]] = [(0, entry.id)]
    while todo:
        at, node_id = heappop(todo)
        if node_id in soonest:
            continue
        soonest[node_id] = at
        for length, targets in _lengths(journey.node(node_id)):
            for target in targets:
                if target not in journey.by_id or length > longest:  # of a single one that is too long another finding tells
                    continue
                if at + length > longest:
                    late[target] = None
                else:
                    heappush(todo, (at + length, target))
    for node_id in late:
        if node_id not in soonest:
            said = f"Nobody comes here: what is waited for before takes longer than the global timeout {journey.global_timeout}."
            yield warning("never_in_time", node_id, "id", said)


def _lengths(node: Node) -> Iterator[tuple[int, tuple[str, ...]]]:
    """How long it takes at least, in seconds, to leave a node by each of its arrows; what happens may happen at once."""
    for field, targets in arrows(node):
        after = ""
        if field == "timeout.next" and isinstance(node, Listening) and node.timeout is not None:
            after = node.timeout.after
        elif field == "next" and isinstance(node, Wait) and node.until is None:
            after = node.duration
        yield durations.if_any(after) or 0, targets
