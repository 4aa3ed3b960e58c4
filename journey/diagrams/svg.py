"""A diagram as one SVG that needs nothing else: no font, no script, no picture from elsewhere. It knows no journey.

It follows the light or dark of whoever looks at it, and is safe inside a page: every text is escaped, every style bound to its class.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape as as_html

from journey.diagrams.diagram import KINDS, Arrow, Box, Diagram
from journey.diagrams.icons import ICONS, STYLE
from journey.diagrams.layout import WIDTH, Layout, lay_out

_MARGIN = 28.0
_TITLE = 46.0
_HEIGHT = 64.0
_COUNTED = 88.0
_BETWEEN = 78.0
_FRAME = 16.0
_HINT = 12.0
_SPOTS = (0.5, 0.34, 0.66, 0.22, 0.78, 0.12, 0.88)
"""Where on its line a label may stand, the best first."""
_Point = tuple[float, float]


def render(diagram: Diagram) -> str:
    """The picture, as tall and wide as it needs to be."""
    paper = _Paper(diagram, lay_out(diagram))
    parts = [*paper.frames(), *paper.lines(), *paper.boxes(), *paper.labels()]
    title = _escape(diagram.title)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sojourn" viewBox="0 0 {paper.width:.0f} {paper.height:.0f}" '
        f'width="{paper.width:.0f}" height="{paper.height:.0f}" role="img" aria-label="{title}">'
    )
    marks = "".join(
        f'<marker id="sojourn-{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="tip {name}" d="M0 0.8 L9.4 5 L0 9.2 Z"/></marker>'
        for name in ("next", "timeout", "error", "branch")
    )
    ground = f'<rect class="ground" width="{paper.width:.0f}" height="{paper.height:.0f}" rx="14"/>'
    named = f'<text class="title" x="{_MARGIN:.0f}" y="{_MARGIN + 12:.0f}">{title}</text>'
    return "\n".join(
        [head, f"<title>{title}</title>", f"<style>{STYLE}</style>", f"<defs>{marks}</defs>", ground, named, *parts, "</svg>\n"]
    )


class _Paper:
    """The layout in pixels."""

    def __init__(self, diagram: Diagram, layout: Layout) -> None:
        self.diagram = diagram
        self.layout = layout
        self.by_id = {box.id: box for box in diagram.boxes}
        self.layer = {name: index for index, row in enumerate(layout.layers) for name in row}
        self.tall = _COUNTED if any(box.numbers is not None for box in diagram.boxes) else _HEIGHT
        least = len(diagram.title) * 9.5
        self.left = _MARGIN + _FRAME + max(0.0, (least - layout.width) / 2)
        self.width = max(layout.width, least) + 2 * (_MARGIN + _FRAME)
        self.starts = self._exits()
        self.height = _TITLE + _MARGIN + len(layout.layers) * (self.tall + _BETWEEN) - _BETWEEN + 2 * _FRAME + _MARGIN / 2

    def top(self, layer: int) -> float:
        return _TITLE + _MARGIN + layer * (self.tall + _BETWEEN)

    def centre(self, name: str) -> float:
        return self.left + self.layout.centres[name]

    def frames(self) -> Iterator[str]:
        """A frame around each gate: one of these happens first, and decides."""
        for gate in self.layout.framed:
            x, y, width = self._frame(gate)
            height = self.tall + 2 * _FRAME + _HINT
            yield f'<rect class="frame" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="18"/>'
            yield f'<text class="hint" x="{x + _FRAME + 2:.1f}" y="{y + 17:.1f}">the first to happen decides</text>'

    def lines(self) -> Iterator[str]:
        for index, arrow in enumerate(self.layout.arrows):
            yield f'<path class="line {arrow.manner}" marker-end="url(#sojourn-{arrow.manner})" d="{self._way(index, arrow)}"/>'

    def boxes(self) -> Iterator[str]:
        for box in self.diagram.boxes:
            yield self._box(box)

    def labels(self) -> Iterator[str]:
        """On its line, where it covers no other, or as little of others as may be."""
        spans: list[tuple[float, float, float]] = []  # left and right end, and height
        for index, arrow in enumerate(self.layout.arrows):
            words = [arrow.label] if arrow.label else []
            words += [f"{arrow.count:,}"] if arrow.count is not None else []
            if not words:
                continue
            text = _shortened(" · ".join(words), 30)
            half = 8 + 3.3 * len(text)
            spots = [self._spot(index, share) for share in _SPOTS]
            x, y = min(spots, key=lambda spot: _covered(spot, half, spans))
            spans.append((x - half - 4, x + half + 4, y))
            yield (
                f'<g class="label {arrow.manner}" transform="translate({x:.1f} {y:.1f})">'
                f'<rect x="{-half:.1f}" y="-10" width="{2 * half:.1f}" height="20" rx="10"/><text y="4">{_escape(text)}</text></g>'
            )

    def _box(self, box: Box) -> str:
        x, y = self.centre(box.id) - WIDTH / 2, self.top(self.layer[box.id])
        kind = KINDS[box.kind]
        told = [kind, box.title] + ([box.detail] if box.detail else [])
        lines = [
            f'<g class="box {box.kind}" transform="translate({x:.1f} {y:.1f})"><title>{_escape(" — ".join(told))}</title>',
            f'<rect class="card" width="{WIDTH:.0f}" height="{self.tall:.0f}" rx="12"/>',
            '<rect class="tile" x="10" y="12" width="40" height="40" rx="10"/>',
            f'<g class="icon" transform="translate(18 20)">{ICONS[box.kind]}</g>',
            f'<text class="kind" x="62" y="20">{_escape(kind)}</text>',
            f'<text class="name" x="62" y="37">{_escape(_shortened(box.title, 22))}</text>',
        ]
        if box.detail:
            lines.append(f'<text class="detail" x="62" y="53">{_escape(_shortened(box.detail, 31))}</text>')
        if box.numbers is not None:
            lines.append(f'<path class="rule" d="M10 {_HEIGHT - 2:.0f} H{WIDTH - 10:.0f}"/>')
            lines.append(f'<text class="number" x="14" y="{_HEIGHT + 15:.0f}">{box.numbers.arrived:,} <tspan>arrived</tspan></text>')
            inside = f"{box.numbers.inside:,} <tspan>inside now</tspan>"
            if box.kind != "end":  # nobody is inside an end
                lines.append(f'<text class="number right" x="{WIDTH - 14:.0f}" y="{_HEIGHT + 15:.0f}">{inside}</text>')
        return "".join([*lines, "</g>"])

    def _way(self, index: int, arrow: Arrow) -> str:
        """From the exit, straight down through its slots, to the top of what it leads to; back up at the side when that is above."""
        start, end = self.starts[index], self._entrance(arrow)
        if end[1] <= start[1]:
            side = self.width - _MARGIN / 2
            return f"M{_at(start)} C{_at((start[0], start[1] + 60))} {_at((side, start[1] + 60))} {_at((side, (start[1] + end[1]) / 2))} " \
                   f"S{_at((end[0], end[1] - 60))} {_at(end)}"  # fmt: skip
        d = [f"M{_at(start)}"]
        last = start
        for layer, middle in self.layout.routes.get(index, ()):
            x, y = self.left + middle, self.top(layer)
            d += [_curve(last, (x, y)), f"V{y + self.tall:.1f}"]
            last = (x, y + self.tall)
        return " ".join([*d, _curve(last, end)])

    def _exits(self) -> dict[int, _Point]:
        """Where each arrow begins: side by side below its box, in the order in which the ways lead from left to right."""
        of_box: dict[str, list[int]] = {}
        for index, arrow in enumerate(self.layout.arrows):
            of_box.setdefault(arrow.source, []).append(index)
        points: dict[int, _Point] = {}
        for name, indexes in of_box.items():
            indexes.sort(key=lambda index: self._towards(index)[0])
            bottom = self.top(self.layer[name]) + self.tall
            for place, index in enumerate(indexes):
                share = (0.22, 0.78)[place] if len(indexes) == 2 else (place + 1) / (len(indexes) + 1)
                points[index] = (self.centre(name) + (share - 0.5) * WIDTH, bottom)
        return points

    def _towards(self, index: int) -> _Point:
        """Where the first bow of an arrow leads: to its first slot, or to its end."""
        route = self.layout.routes.get(index)
        return (self.left + route[0][1], self.top(route[0][0])) if route else self._entrance(self.layout.arrows[index])

    def _entrance(self, arrow: Arrow) -> _Point:
        if arrow.targets in self.layout.framed:
            x, y, width = self._frame(arrow.targets)
            return x + width / 2, y - 3
        target = arrow.targets[0]
        return self.centre(target), self.top(self.layer[target]) - 3

    def _frame(self, gate: tuple[str, ...]) -> tuple[float, float, float]:
        middles = [self.centre(node) for node in gate]
        left, right = min(middles) - WIDTH / 2 - _FRAME, max(middles) + WIDTH / 2 + _FRAME
        return left, self.top(self.layer[gate[0]]) - _FRAME - _HINT, right - left

    def _spot(self, index: int, share: float) -> _Point:
        """A point on the first bow of a line."""
        start, end = self.starts[index], self._towards(index)
        if end[1] <= start[1]:
            return start[0], start[1] + 24
        steep = 3 * share**2 - 2 * share**3  # the curve leaves and arrives straight down
        down = 1.5 * share * (1 - share) ** 2 + 1.5 * share**2 * (1 - share) + share**3
        return start[0] + (end[0] - start[0]) * steep, start[1] + (end[1] - start[1]) * down


def _curve(start: _Point, end: _Point) -> str:
    if abs(start[0] - end[0]) < 0.5:
        return f"L{_at(end)}"
    bend = (end[1] - start[1]) * 0.5
    return f"C{_at((start[0], start[1] + bend))} {_at((end[0], end[1] - bend))} {_at(end)}"


def _at(point: _Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _escape(text: str) -> str:
    """Text that is no markup, without the characters that no XML may hold."""
    return as_html("".join(mark for mark in text if mark.isprintable()))


def _covered(spot: _Point, half: float, spans: list[tuple[float, float, float]]) -> float:
    """How much of the labels that stand already one there would hide, in pixels across."""
    return sum(max(0.0, min(spot[0] + half, right) - max(spot[0] - half, left)) for left, right, y in spans if abs(spot[1] - y) <= 22)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
