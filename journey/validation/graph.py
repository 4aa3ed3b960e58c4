"""What can be wrong with the nodes of a journey and where their arrows point. It knows no rules and nothing outside the graph."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from journey import dates, durations
from journey.arrows import arrows
from journey.errors import BadInput
from journey.events import Instant
from journey.findings import Finding, error
from journey.graph import (
    LISTENING,
    Condition,
    EventNode,
    ExitCriterion,
    Journey,
    Listening,
    Node,
    Qualification,
    ReadSegment,
    Split,
    Wait,
)
from journey.nearest import meant
from journey.until import timed
from journey.validation import splits, waits

_NEEDED: dict[str, tuple[str, ...]] = {
    "read_segment": ("segment", "next"),
    "event": ("event",),
    "qualification": ("segment",),
    "reaction": ("of", "to"),
    "message": ("message",),
    "condition": ("branches",),
    "split": ("shares",),
    "update_profile": ("set",),
    "webhook": ("url", "method"),
    "jump": ("journey",),
}


def check(journey: Journey) -> Iterator[Finding]:
    """Everything that the nodes alone can tell."""
    yield from _whole(journey)
    yield from _criteria(journey)
    yield from _entries(journey)
    for node in journey.nodes:
        yield from _fields(node)
        yield from _targets(journey, node)
        yield from _lengths(journey, node)


def _whole(journey: Journey) -> Iterator[Finding]:
    if not journey.namespace:
        yield error("namespace_missing", "", "namespace", "The journey names no namespace: say which identity its people are known by.")
    try:
        durations.seconds(journey.global_timeout)
    except BadInput as fault:
        yield error("duration_invalid", "", "global_timeout", fault.sentence)
    if journey.reentry.after:
        try:
            durations.seconds(journey.reentry.after)
        except BadInput as fault:
            yield error("duration_invalid", "", "reentry.after", fault.sentence)
    if not _is_timezone(journey.timezone):
        said = f"There is no time zone {journey.timezone!r}: write one as America/New_York or UTC."
        yield error("timezone_unknown", "", "timezone", said)
    yield from _dates(journey)
    first: dict[str, int] = {}
    for index, node in enumerate(journey.nodes):
        if node.id in first:
            where = f"nodes[{first[node.id]}] and nodes[{index}]"
            yield error("duplicate_id", node.id, "id", f"Two nodes are called {node.id} ({where}): rename one.")
        first.setdefault(node.id, index)


def _dates(journey: Journey) -> Iterator[Finding]:
    found: list[Instant] = []
    for field, text in (("start", journey.start), ("end", journey.end)):
        try:
            found += [dates.instant(text, journey.timezone)] if text else []
        except BadInput as fault:
            if fault.code == "date_invalid":  # of the zone is told where it stands
                yield error("date_invalid", "", field, fault.sentence)
    if len(found) == 2 and found[1] <= found[0]:
        said = f"The journey ends at {journey.end}, which is not after its start at {journey.start}: correct one of the two."
        yield error("dates_reversed", "", "end", said)


def _criteria(journey: Journey) -> Iterator[Finding]:
    """Each exit criterion is an event or a segment."""
    for index, criterion in enumerate(journey.exit_criteria):
        field = f"exit_criteria[{index}]"
        if not criterion.event and not criterion.segment:
            yield error("field_missing", "", field, "The exit criterion says nothing: write an event or a segment.")
        elif _says_too_much(criterion):
            said = "An exit criterion is an event, with where if need be, or a segment: make two of it, any one of them ends a person."
            yield error("exit_criterion_ambiguous", "", field, said)


def _says_too_much(criterion: ExitCriterion) -> bool:
    return bool(criterion.segment) and (bool(criterion.event) or criterion.where is not None)


def _is_timezone(name: str) -> bool:
    """A machine that has no time zone data at all can refuse nothing."""
    for tried in (name, "UTC"):
        try:
            ZoneInfo(tried)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        return tried == name
    return True


def _entries(journey: Journey) -> Iterator[Finding]:
    entry = journey.entry_node
    if entry is None:
        said = "Nobody can enter: let the first node be a read_segment, an event or a qualification, by which people come in."
        yield error("no_entry", "", "nodes", said)
        return
    entries = {entry.id, *(node.id for node in journey.nodes if isinstance(node, ReadSegment))}
    pointed_at = {target for node in journey.nodes for _, targets in arrows(node) for target in targets}
    for node in journey.nodes:
        if node is not entry and (isinstance(node, ReadSegment) or (node is journey.nodes[0] and node.id not in pointed_at)):
            said = f"People enter at {entry.id} already, and a journey has one entry: take one out, or make a journey of its own of it."
            yield error("two_entries", node.id, "kind", said)
        for field, targets in arrows(node):
            if entries.intersection(targets):
                said = "An arrow leads back to the entry, before which nothing stands: lead it to another node."
                yield error("entry_not_first", node.id, field, said)
    if isinstance(entry, EventNode | Qualification):
        yield from _entered_by(entry)


def _entered_by(entry: EventNode | Qualification) -> Iterator[Finding]:
    """Nobody is inside yet who could wait or look back."""
    if not entry.next:
        yield _missing(entry.id, "next")
    for field in ("timeout", "since"):
        if getattr(entry, field, None):
            said = f"People enter here, so nobody waits and nothing lies behind them: leave {field} out."
            yield error("entry_waits", entry.id, field, said)


def _fields(node: Node) -> Iterator[Finding]:
    """Fields that a draft may lack and a version may not, and those that are not built yet."""
    for name in _NEEDED.get(node.kind, ()):
        if not getattr(node, name):
            yield _missing(node.id, name)
    match node:
        case Wait():
            if node.until is None and not node.duration:
                yield _missing(node.id, "for")
            yield from waits.check(node)
        case Condition():
            yield from _branches(node)
        case Split():
            yield from splits.check(node)
        case _:
            pass
    if isinstance(node, Listening) and node.timeout is not None and not node.timeout.after:
        yield _missing(node.id, "timeout.after")


def _missing(node: str, field: str) -> Finding:
    return error("field_missing", node, field, f"The field {field} is missing: {_MEANT.get(field, 'fill it in')}.")


_MEANT = {
    "segment": "name the segment that is meant",
    "next": "say where people go from here",
    "event": "name the event that is waited for",
    "of": "name the message whose reaction is waited for",
    "to": "write a channel and what happens there, as email.opened",
    "message": "name the message that is sent",
    "branches": "a condition has at least one branch",
    "shares": "a split has at least one share",
    "set": "name the attributes that are written, each with its value",
    "url": "write the address that is called, as https://crm.example.com/people/{{ profile.id }}",
    "method": "write how it is called, as POST",
    "journey": "name the journey that its people enter as well",
    "for": "write a duration, as P1D or PT30M, or what is waited for under until",
    "timeout.after": "write a duration, as P1D or PT30M",
}


def _branches(node: Condition) -> Iterator[Finding]:
    yield from splits.names(node.id, "branches", [branch.id for branch in node.branches])
    for index, branch in enumerate(node.branches):
        if branch.when is None:
            said = f"The branch {branch.id} has no rule: write one under when."
            yield error("field_missing", node.id, f"branches[{index}].when", said)


def _targets(journey: Journey, node: Node) -> Iterator[Finding]:
    for field, targets in arrows(node):
        for target in dict.fromkeys(targets):
            if target not in journey.by_id:
                said = f"There is no node {target!r} in this journey: draw it, or correct the name.{meant(target, journey.by_id)}"
                yield error("unknown_node", node.id, field, said)
            if targets.count(target) > 1:
                yield error("target_twice", node.id, field, f"{target} stands twice in one list: name it once.")
        if len(targets) < 2:
            continue
        for target in dict.fromkeys(targets):
            if target in journey.by_id and journey.node(target).kind not in LISTENING:
                kind = journey.node(target).kind
                said = (
                    f"{target} is {'an' if kind[0] in 'eu' else 'a'} {kind}, and only events, qualifications, reactions and waits stand in "
                    f"parallel: lead to it alone, or from one of those."
                )
                yield error("next_not_listening", node.id, field, said)


def _lengths(journey: Journey, node: Node) -> Iterator[Finding]:
    written: list[tuple[str, str]] = []
    if isinstance(node, Wait):
        written.append(("for", node.duration))
        until = timed(node.until)
        written.append(("until.spread", until.spread if until is not None else ""))
    if isinstance(node, Listening) and node.timeout is not None:
        written.append(("timeout.after", node.timeout.after))
    for field, text in written:
        if not text:
            continue
        try:
            length = durations.seconds(text)
        except BadInput as fault:
            yield error("duration_invalid", node.id, field, fault.sentence)
            continue
        if length > (durations.if_any(journey.global_timeout) or length):
            said = f"{text} is longer than the global timeout {journey.global_timeout}, which ends it before: change one of the two."
            yield error("duration_too_long", node.id, field, said)
