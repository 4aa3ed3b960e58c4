"""Where the boxes of a diagram stand: in layers from the top, with few crossings, and straight where it can be. It knows no format.

After Sugiyama: layers by the longest path, an order within each by the middle of the neighbours, then the horizontal places that move
each box as little as possible from the middle of its neighbours. A long arrow passes through a slot of its own in every layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from journey.diagrams.diagram import Arrow, Box, Diagram

WIDTH = 264.0
GAP = 40.0
SLOT = 28.0
_BESIDE_FRAME = 24.0
_SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """`layers` are box ids from the top and the left; `centres` the horizontal middle of each box; `routes` the middle of each slot
    that an arrow passes through, as (layer, middle), by the index of the arrow; `width` the whole. `arrows` are those of the diagram, but
    one to a gate that no frame can hold is one to each of its nodes; the first of them has the label."""

    layers: tuple[tuple[str, ...], ...]
    centres: Mapping[str, float]
    routes: Mapping[int, tuple[tuple[int, float], ...]]
    framed: tuple[tuple[str, ...], ...]
    arrows: tuple[Arrow, ...]
    width: float


def lay_out(diagram: Diagram) -> Layout:
    """The layout of a diagram. The same diagram always gets the same."""
    framed = tuple(gate for gate in diagram.gates if sum(bool(set(gate) & set(other)) for other in diagram.gates) == 1)
    depth = _depths(diagram.boxes, diagram.arrows, framed)
    if depth is None:  # a gate of which one node leads to another: no frame can hold it
        framed, depth = (), _depths(diagram.boxes, diagram.arrows, ()) or {}
    arrows = tuple(single for arrow in diagram.arrows for single in ([arrow] if arrow.targets in framed else _singly(arrow)))
    slots: dict[int, list[str]] = {}
    links: list[tuple[str, str]] = []
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for box in _in_order(diagram, depth):
        rows[depth[box]].append(box)
    for index, arrow in enumerate(arrows):
        top, bottom = depth[arrow.source], min(depth[target] for target in arrow.targets)
        last = arrow.source
        for layer in range(top + 1, bottom):
            slot = f"{index}:{layer}"  # no id of a node holds a colon
            slots.setdefault(index, []).append(slot)
            rows[layer].append(slot)
            links.append((last, slot))
            last = slot
        if bottom > top:
            links += [(last, target) for target in arrow.targets]
    rows = _fewest_crossings(rows, links, framed)
    centres = _centres(rows, links, framed)
    left = min((centres[name] - _width(name) / 2 for row in rows for name in row), default=0.0)
    moved = {name: centre - left for name, centre in centres.items()}
    return Layout(
        layers=tuple(tuple(name for name in row if ":" not in name) for row in rows),
        centres={name: centre for name, centre in moved.items() if ":" not in name},
        routes={index: tuple((int(name.split(":")[1]), moved[name]) for name in names) for index, names in slots.items()},
        framed=framed,
        arrows=arrows,
        width=max((moved[name] + _width(name) / 2 for row in rows for name in row), default=WIDTH),
    )


def _singly(arrow: Arrow) -> Iterator[Arrow]:
    for index, target in enumerate(arrow.targets):
        yield replace(arrow, targets=(target,)) if not index else replace(arrow, targets=(target,), label="", count=None)


def _depths(boxes: Sequence[Box], arrows: Sequence[Arrow], framed: Sequence[tuple[str, ...]]) -> dict[str, int] | None:
    """The layer of each box: below all that lead to it, the nodes of a gate side by side. Arrows that close a cycle do not count.

    None when the nodes of a gate cannot stand side by side.
    """
    onward: dict[str, list[str]] = {box.id: [] for box in boxes}
    for arrow in arrows:
        onward[arrow.source] += arrow.targets
    forward = _without_cycles(onward)
    depth = dict.fromkeys(onward, 0)
    for _ in range(len(boxes) + 1):
        before = dict(depth)
        for source, target in forward:
            depth[target] = max(depth[target], depth[source] + 1)
        for gate in framed:
            deepest = max(depth[node] for node in gate)
            depth.update(dict.fromkeys(gate, deepest))
        if depth == before:
            return depth
    return None


def _without_cycles(onward: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Every link but those that lead back to where the way came from."""
    forward: list[tuple[str, str]] = []
    done: set[str] = set()
    for root in onward:
        if root in done:
            continue
        trail: dict[str, Iterator[str]] = {root: iter(onward[root])}
        while trail:
            node = next(reversed(trail))
            target = next(trail[node], None)
            if target is None:
                done.add(node)
                del trail[node]
            elif target not in trail:
                forward.append((node, target))
                if target not in done:
                    trail[target] = iter(onward[target])
    return forward


def _in_order(diagram: Diagram, depth: Mapping[str, int]) -> list[str]:
    """Boxes in the order in which somebody who follows the arrows meets them: the first order within the layers."""
    led_to = {target for arrow in diagram.arrows for target in arrow.targets}
    ways: dict[str, list[str]] = {}
    for arrow in diagram.arrows:
        ways.setdefault(arrow.source, []).extend(arrow.targets)
    found: dict[str, None] = {}
    todo = [box.id for box in diagram.boxes if box.id not in led_to][::-1]
    while todo or len(found) < len(depth):
        node = todo.pop() if todo else next(box.id for box in diagram.boxes if box.id not in found)
        if node not in found:
            found[node] = None
            todo += reversed(ways.get(node, []))
    return list(found)


def _fewest_crossings(rows: list[list[str]], links: Sequence[tuple[str, str]], framed: Sequence[tuple[str, ...]]) -> list[list[str]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in links:
        below.setdefault(source, []).append(target)
        above.setdefault(target, []).append(source)
    best, fewest = rows, _crossings(rows, links)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        rows = [list(row) for row in rows]
        downward = sweep % 2 == 0
        for layer in range(1, len(rows)) if downward else range(len(rows) - 2, -1, -1):
            beside = {name: float(index) for index, name in enumerate(rows[layer - 1 if downward else layer + 1])}
            rows[layer] = _sorted_by_middle(rows[layer], above if downward else below, beside, framed)
        crossings = _crossings(rows, links)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _sorted_by_middle(
    row: list[str], neighbours: Mapping[str, list[str]], beside: Mapping[str, float], framed: Sequence[tuple[str, ...]]
) -> list[str]:  # fmt: skip
    """A gate moves as one, its nodes in the order of `next`: the earlier wins when both fit."""
    together = {name: gate for gate in framed for name in gate}

    def middle(index: int, names: Sequence[str]) -> float:
        places = [beside[other] for name in names for other in neighbours.get(name, ()) if other in beside]
        return sum(places) / len(places) if places else float(index)

    units: dict[tuple[str, ...], float] = {}
    for index, name in enumerate(row):
        unit = together.get(name, (name,))
        if unit not in units:
            units[unit] = middle(index, unit)
    return [name for unit in sorted(units, key=lambda unit: units[unit]) for name in unit]


def _crossings(rows: Sequence[Sequence[str]], links: Sequence[tuple[str, str]]) -> int:
    place = {name: (layer, index) for layer, row in enumerate(rows) for index, name in enumerate(row)}
    spans: dict[int, list[tuple[int, int]]] = {}
    for source, target in links:
        spans.setdefault(place[source][0], []).append((place[source][1], place[target][1]))
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0 for span in spans.values() for index, one in enumerate(span) for other in span[:index]
    )


def _centres(rows: Sequence[Sequence[str]], links: Sequence[tuple[str, str]], framed: Sequence[tuple[str, ...]]) -> dict[str, float]:
    centres: dict[str, float] = {}
    together = {name: gate for gate in framed for name in gate}
    for row in rows:
        _place(row, centres, [0.0] * len(row), together)
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in links:
        below.setdefault(source, []).append(target)
        above.setdefault(target, []).append(source)
    for sweep in range(_SWEEPS * 2 + 1):  # the last goes down, so that what hangs on one box hangs straight
        upward = sweep % 2 == 0 and sweep < _SWEEPS * 2
        near = below if upward else above
        for row in reversed(rows) if upward else rows:
            wanted = []
            for name in row:
                gate = together.get(name, (name,))
                offset = (gate.index(name) - (len(gate) - 1) / 2) * (WIDTH + GAP)
                around = [(centres[other], _pull(name, other)) for member in gate for other in near.get(member, ())]
                weight = sum(pull for _, pull in around)
                middle = sum(centre * pull for centre, pull in around) / weight if around else centres[name] - offset
                wanted.append(middle + offset)
            _place(row, centres, wanted, together)
    return centres


def _pull(name: str, other: str) -> int:
    """A long arrow would rather be straight than a short one."""
    return 1 + 3 * (":" in name) * (":" in other)


def _place(row: Sequence[str], centres: dict[str, float], wanted: Sequence[float], together: Mapping[str, tuple[str, ...]]) -> None:
    """Give a row the places nearest to what is wanted that keep the order and the gaps: neighbours that would overlap are pooled."""
    offsets: list[float] = []
    for index, name in enumerate(row):
        gap = GAP + (_BESIDE_FRAME if index and together.get(name) != together.get(row[index - 1]) else 0.0)
        offsets.append(0.0 if index == 0 else offsets[-1] + (_width(row[index - 1]) + _width(name)) / 2 + gap)
    pools: list[tuple[float, int]] = []
    for index, place in enumerate(wanted):
        total, count = place - offsets[index], 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    index = 0
    for total, count in pools:
        for _ in range(count):
            centres[row[index]] = total / count + offsets[index]
            index += 1


def _width(name: str) -> float:
    return SLOT if ":" in name else WIDTH
