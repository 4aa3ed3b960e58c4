"""A report made of counters: per node, and for the whole version. It knows no store and no time: the same counters give the same report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from journey import report_messages
from journey.graph import LISTENING, Condition, Journey, Node, Split, exits
from journey.report_messages import Channels
from journey.walk import FINISHED, entry

_WAYS_OUT_OF_A_GATE = ("next", "timeout", "other", "moved")


class Counted(NamedTuple):
    """One counter of a version: how often `kind` was recorded at a node.

    `channel` is empty unless it is about one; `node` is empty for an end that no node was drawn for.
    """

    node: str
    kind: str
    channel: str
    times: int


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What happened at one node: `arrived` = `inside` + the sum of `left` + the sum of `ended`.

    A person at a gate is inside each of its nodes, and leaves or ends at each. `left` counts every exit; `other` says that another node
    of the same gate was decided, `moved` that they went on in another version; `moved_in` are those who came from one, on the way there
    or to wait there. Of these `errors` left by `error` and `timed_out` by `timeout`. `planned` is what each share of a split
    is meant to get, in percent, `real` what it got, of those who have left it; both are by share, as `left` is.
    `no_time` is how often a wait was over at once, since its field held no time that can be read. `held` are people
    whom a pause holds before the node: they have not arrived there. `parked` are those whose error there is to be mended, `in_review` those
    whose message waits for its review.
    """

    node: str
    kind: str
    name: str
    arrived: int
    inside: int
    left: dict[str, int]
    ended: dict[str, int]
    channels: Channels
    errors: int = 0
    timed_out: int = 0
    planned: dict[str, float] = field(default_factory=dict)
    real: dict[str, float] = field(default_factory=dict)
    no_time: int = 0
    held: int = 0
    parked: int = 0
    in_review: int = 0
    moved_in: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole version. `entered` + `moved_in` = `inside` + the sum of `ended` + `moved_out`; who moved went on in another version, or
    came from one. `held` are those inside whom a pause holds. `excluded` counts
    deliveries, `discards` what had no effect; `channels` are the numbers of all messages, added up by channel."""

    entered: int
    inside: int
    finished: int
    ended: dict[str, int]
    excluded: dict[str, int]
    discards: dict[str, int]
    held: int = 0
    channels: Channels = field(default_factory=dict)
    moved_in: int = 0
    moved_out: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Every node in the order of the document, and the totals."""

    totals: Totals
    nodes: tuple[NodeReport, ...]


def build(
    journey: Journey, counters: Iterable[Counted], discards: Mapping[str, int] | None = None, held: Mapping[str, int] | None = None,
    parked: Mapping[str, int] | None = None, on_the_way: Mapping[tuple[str, str], int] | None = None,
    in_review: Mapping[str, int] | None = None,
) -> Report:  # fmt: skip
    """The report of one version. Of two counters with the same key the counts are added. `held`, `parked` and `in_review` are people by
    node, `on_the_way` deliveries that have no answer yet by node and channel."""
    at: dict[str, dict[tuple[str, str], int]] = {}
    for node, kind, channel, times in counters:
        here = at.setdefault(node, {})
        here[kind, channel] = here.get((kind, channel), 0) + times
    held, parked, in_review = held or {}, parked or {}, in_review or {}
    out: dict[str, dict[str, int]] = {}
    for (node, channel), times in (on_the_way or {}).items():
        out.setdefault(node, {})[channel] = times
    nodes = tuple(
        replace(
            _node(node, at.get(node.id, {}), out.get(node.id, {})),
            held=held.get(node.id, 0), parked=parked.get(node.id, 0), in_review=in_review.get(node.id, 0),
        )
        for node in journey.nodes
    )  # fmt: skip
    entered = sum(counts.get(("entered", ""), 0) for counts in at.values())
    ended = _added(_by_suffix(counts, "ended.", "") for counts in at.values())
    excluded = _added(channel.excluded for node in nodes for channel in node.channels.values())
    moved_in, moved_out = (at.get("", {}).get((kind, ""), 0) for kind in ("moved_in", "moved_out"))
    totals = Totals(
        entered=entered,
        inside=entered + moved_in - sum(ended.values()) - moved_out,
        finished=ended.get(FINISHED, 0),
        ended=ended,
        excluded=excluded,
        discards=dict(sorted((discards or {}).items())),
        held=sum(held.values()),
        channels=report_messages.added(node.channels for node in nodes),
        moved_in=moved_in,
        moved_out=moved_out,
    )
    return Report(totals, nodes)


def differences(journey: Journey, report: Report) -> tuple[str, ...]:
    """Where the numbers contradict each other, a sentence each; none when they agree, at whatever moment they were read.

    Nobody is inside less than no times; who entered came to the entry; to every other node nobody came who did not leave an earlier
    one by an exit that leads there; nobody left by an exit that there is not. What a message's numbers must hold: report_messages.py.
    """
    came_from = _ways_in(journey, report)
    found: list[str] = []
    if report.totals.inside < 0:
        came, gone = report.totals.entered + report.totals.moved_in, sum(report.totals.ended.values()) + report.totals.moved_out
        found.append(f"{came} entered, yet {gone} ended.")
    for node in report.nodes:
        if node.inside < 0:
            found.append(f"{node.node}: {node.arrived} arrived, yet {node.arrived - node.inside} left or ended.")
        if node.arrived > came_from[node.node]:
            found.append(f"{node.node}: {node.arrived} arrived, yet only {came_from[node.node]} were on the way there.")
        unknown = [way for way in node.left if way not in _ways_out(journey.node(node.node))]
        found += [f"{node.node}: {node.left[way]} left by {way}, which is no exit of it." for way in unknown]
        found += report_messages.differences(node.node, node.arrived, node.inside, node.channels)
    return tuple(found)


def _ways_out(node: Node) -> tuple[str, ...]:
    """Every exit by which a counter may say that somebody has left a node."""
    drawn = tuple(name for name, _ in exits(node))
    if isinstance(node, Condition):
        return (*drawn, "otherwise")  # taken also where it is not drawn: then it is their end
    return (*_WAYS_OUT_OF_A_GATE, *drawn) if node.kind in LISTENING else ("next", "error", *drawn)


def _node(node: Node, counts: Mapping[tuple[str, str], int], out: Mapping[str, int]) -> NodeReport:
    left, cut_off = _by_suffix(counts, "left.", ""), {}
    if node.kind in LISTENING:  # whoever ends while waiting leaves by the reason of the end, which is no exit
        cut_off = {way: left.pop(way) for way in list(left) if way not in _WAYS_OUT_OF_A_GATE}
    ended = _added((_by_suffix(counts, "ended.", ""), cut_off))
    arrived = counts.get(("arrived", ""), 0)
    everybody = sum(left.values())
    shares = node.shares if isinstance(node, Split) else ()
    return NodeReport(
        node=node.id,
        kind=node.kind,
        name=node.name,
        arrived=arrived,
        inside=arrived - sum(left.values()) - sum(ended.values()),
        left=left,
        ended=ended,
        channels=report_messages.read(counts, out),
        errors=left.get("error", 0),
        timed_out=left.get("timeout", 0),
        planned={share.id: share.percent for share in shares},
        real={share.id: round(100 * left.get(share.id, 0) / everybody, 2) for share in shares} if everybody else {},
        no_time=counts.get(("no_time", ""), 0),
        moved_in=counts.get(("moved_in", ""), 0),
    )


def _by_suffix(counts: Mapping[tuple[str, str], int], prefix: str, channel: str) -> dict[str, int]:
    return {kind.removeprefix(prefix): count for (kind, of), count in sorted(counts.items()) if of == channel and kind.startswith(prefix)}


def _added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for key, count in part.items():
            total[key] = total.get(key, 0) + count
    return dict(sorted(total.items()))


def _ways_in(journey: Journey, report: Report) -> dict[str, int]:
    """How many have left towards each node, or came there from another version; towards the entry, how many entered."""
    came = {node.node: node.moved_in for node in report.nodes}
    came[entry(journey)] += report.totals.entered
    left = {node.node: node.left for node in report.nodes}
    for node in journey.nodes:
        for exit_name, way in exits(node):
            for target in way:
                came[target] = came.get(target, 0) + left[node.id].get(exit_name, 0)
    return came
