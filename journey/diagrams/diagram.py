"""What a picture of a journey shows: boxes, arrows and gates, with numbers if there are any. It knows no place on paper and no format.

A draft may be wrong in every way that validation names; it is drawn all the same, an arrow to nowhere to a box that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Literal

from journey import durations, schedule_words
from journey.graph import (
    LISTENING,
    THING_ID,
    Condition,
    End,
    EventNode,
    Journey,
    Jump,
    Message,
    Node,
    Qualification,
    Reaction,
    ReadSegment,
    Split,
    UpdateProfile,
    Wait,
    Webhook,
    exits,
)
from journey.messages import MessageDocument
from journey.reports import Report
from journey.until import said as until_said

Manner = Literal["next", "timeout", "error", "branch"]

KINDS = {
    "read_segment": "Read segment", "event": "Event", "qualification": "Qualification", "reaction": "Reaction", "message": "Message",
    "wait": "Wait", "condition": "Condition", "split": "Split", "update_profile": "Update profile", "webhook": "Webhook", "jump": "Jump",
    "end": "End", "missing": "Missing",
}  # fmt: skip
"""What each kind of box is called; `missing` is where an arrow leads to no node."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many came to a node, and how many are inside now."""

    arrived: int
    inside: int


@dataclass(frozen=True, slots=True)
class Box:
    """A node: its kind, what it is called, and what it does in a few words."""

    id: str
    kind: str
    title: str
    detail: str = ""
    numbers: Numbers | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """An exit of a box. It leads to one box, or to all of a gate at once; `count` is how many left by it."""

    source: str
    exit: str
    targets: tuple[str, ...]
    manner: Manner
    label: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Diagram:
    """The picture. `gates` are the nodes that stand in parallel, each in the order in which they come first."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    gates: tuple[tuple[str, ...], ...]


def draw(journey: Journey, report: Report | None = None, messages: Mapping[str, MessageDocument] | None = None) -> Diagram:
    """The picture of a journey; with the numbers of a report, and with the channels of its messages where these are known."""
    numbers = {node.node: Numbers(node.arrived, node.inside) for node in report.nodes} if report is not None else {}
    left = {node.node: node.left for node in report.nodes} if report is not None else None
    boxes = [Box(node.id, node.kind, node.name or node.id, _detail(node, messages or {}), numbers.get(node.id)) for node in _nodes(journey)]
    gates = tuple(dict.fromkeys(way for node in _nodes(journey) for _, way in _ways(node) if _is_gate(journey, way)))
    called = _called(journey)
    arrows: list[Arrow] = []
    for node in _nodes(journey):
        ways = _ways(node)
        for name, way in ways:
            label = _label(node, name) if len(ways) > 1 or name not in ("next", "otherwise") else ""
            count = None if left is None else left.get(node.id, {}).get(name, 0)
            for targets in [way] if way in gates else [(target,) for target in way]:
                drawn = tuple(called.get(target, target) for target in targets)
                arrows.append(Arrow(node.id, name, drawn, _manner(node, name), label, count))
    boxes += [Box(drawn, "missing", target, "there is no such node") for target, drawn in called.items()]
    return Diagram(journey.name or journey.id, tuple(boxes), tuple(arrows), gates)


def _nodes(journey: Journey) -> tuple[Node, ...]:
    """Of two nodes with one id the first, as everywhere."""
    return tuple(journey.by_id.values())


def _called(journey: Journey) -> dict[str, str]:
    """How each target that is no node is called in the picture: as it is written, unless that could be the id of none."""
    gone = dict.fromkeys(target for node in _nodes(journey) for _, way in _ways(node) for target in way if target not in journey.by_id)
    free = (name for number in count(1) if (name := f"missing-{number}") not in journey.by_id and name not in gone)
    return {target: target if re.fullmatch(THING_ID, target) else next(free) for target in gone}


def _ways(node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(dict.fromkeys(way))) for name, way in exits(node))


def _is_gate(journey: Journey, way: tuple[str, ...]) -> bool:
    return len(way) > 1 and all(target in journey.by_id and journey.node(target).kind in LISTENING for target in way)


def _detail(node: Node, messages: Mapping[str, MessageDocument]) -> str:
    match node:
        case ReadSegment() if not isinstance(node.schedule, str):
            return " · ".join(part for part in (node.segment, schedule_words.spoken(node.schedule)) if part)
        case ReadSegment():
            return node.segment
        case Qualification():
            return f"{'enters' if node.direction == 'enter' else 'leaves'} {node.segment}" if node.segment else ""
        case EventNode():
            return node.event
        case Reaction():
            return f"{node.to.replace('.', ' ')} · {node.of}" if node.to and node.of else node.to or node.of
        case Message():
            known = messages.get(node.message)
            channels = node.channels or (known.channels if known is not None else ())
            reviewed = "held for review" if node.hold_for_review else ""
            return " · ".join(part for part in (node.message, " and ".join(channels), reviewed) if part)
        case Wait():
            return durations.spoken(node.duration) if node.duration else until_said(node.until)
        case Condition():
            return _counted(len(node.branches), "branch", "branches")
        case Split():
            return _counted(len(node.shares), "share", "shares")
        case UpdateProfile():
            return ", ".join(node.set)
        case Webhook():
            return f"{node.method} {node.url}"
        case Jump():
            return node.journey
        case End():
            return node.label
    return ""


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _label(node: Node, name: str) -> str:
    if isinstance(node, EventNode | Qualification | Reaction | Wait) and name == "timeout" and node.timeout is not None:
        return f"timeout · {durations.spoken(node.timeout.after)}"
    if isinstance(node, Split):
        return next((f"{share.id} · {share.percent:g} %" for share in node.shares if share.id == name), name)
    return name


def _manner(node: Node, name: str) -> Manner:
    if isinstance(node, Condition | Split):
        return "branch"
    if name == "timeout":
        return "timeout"
    return "error" if name == "error" else "next"
