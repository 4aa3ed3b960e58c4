"""What a node reads of the events that led to it, and of the one by which people entered, against what these declare. It knows no rule.

Rules over one event are judged by rules.py. Here is what several events may have led to: templates, waits, `{field: event.x}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from journey import rules, updating
from journey.arrows import Paths
from journey.findings import Finding, error, warning
from journey.graph import Condition, EventNode, Journey, Jump, Message, Node, UpdateProfile, Wait, Webhook
from journey.liquid_text import fields_of
from journey.nearest import meant
from journey.profiles import AttributeType
from journey.surroundings import Surroundings
from journey.until import UntilField, timed
from journey.validation.content import parts_of
from journey.validation.rules import tree

_HOLD_TIMES = ("string", "datetime")
_Types = Mapping[str, frozenset[AttributeType]]


def check(journey: Journey, node: Node, surroundings: Surroundings, paths: Paths) -> Iterator[Finding]:
    """Fields that no event declares which may have led here, and a wait for one that holds no time. Where one of these events declares
    nothing at all, nothing is said."""
    if not isinstance(node, Condition | Message | UpdateProfile | Wait | Webhook):
        return
    for scope in ("event", "entry"):
        known = _declared(journey, node, scope, surroundings, paths)
        if not known:
            continue
        of = "the event by which people enter" if scope == "entry" else "any event that leads here"
        told: set[tuple[str, str]] = set()
        for field, shown, name in _reads(node, scope, surroundings):
            if not _is_declared(name, known) and (field, name) not in told:
                told.add((field, name))
                said = f"{shown} {scope}.{name}, which is not declared as a field of {of}: whoever's event lacks it {_COST[node.kind]}."
                yield warning("undeclared_field", node.id, field, said + meant(name, known))
            elif isinstance(node, Wait) and name in known and not known[name] & set(_HOLD_TIMES):
                said = f"{scope}.{name} is declared as {min(known[name])}, which is no date-time: everybody would go on at once."
                yield error("field_type", node.id, field, said)


_COST = {
    "condition": "goes another way",
    "message": "cannot be sent to",
    "update_profile": "leaves this node by error",
    "wait": "goes on at once",
    "webhook": "leaves this node by error",
}


def _declared(journey: Journey, node: Node, scope: str, surroundings: Surroundings, paths: Paths) -> _Types:
    """The fields of the events that are meant, with their types; nothing when one of them is not known or declares no field. Of whoever
    jumps here the event is one of the journey that they come from."""
    entries = [one.entry_node for one in (journey, *surroundings.journeys.values()) if one is journey or _jumps(one, journey)]
    events = [entry.event for entry in entries if isinstance(entry, EventNode)] if isinstance(journey.entry_node, EventNode) else []
    if scope == "event":
        events += [one.event for one in journey.nodes if isinstance(one, EventNode) and node.id in paths.reachable(one.id)]
    found: dict[str, frozenset[AttributeType]] = {}
    for name in events:
        definition = surroundings.events.get(name)
        if definition is None or not definition.fields:
            return {}
        for field, kind in definition.fields.items():
            found[field] = found.get(field, frozenset()) | {kind}
    return found


def _jumps(one: Journey, to: Journey) -> bool:
    return any(isinstance(node, Jump) and node.journey == to.id for node in one.nodes)


def _is_declared(name: str, known: _Types) -> bool:
    """An object is declared by a part of it, and a part by the whole."""
    return any(name == one or name.startswith(f"{one}.") or one.startswith(f"{name}.") for one in known)


def _reads(node: Node, scope: str, surroundings: Surroundings) -> Iterator[tuple[str, str, str]]:
    """Each field that a node reads of `event` or `entry`: where it is written, how that is said, and the name of the field."""
    templates: dict[tuple[str, str], str] = {}
    match node:
        case Condition() if scope == "event":  # of `entry` the rule's own check tells
            for index, branch in enumerate(node.branches):
                rule = tree(branch.when)
                for name in rules.fields(rule) if rule is not None else ():
                    if name.startswith("event."):
                        yield f"branches[{index}].when", f"The rule of {branch.id} asks for", name.removeprefix("event.")
        case Message() if (message := surroundings.messages.get(node.message)) is not None:
            templates = {("message", f"{part} of {message.id} shows"): text for part, text in parts_of(message).items()}
        case UpdateProfile():
            templates = {(f"set.{name}", f"set.{name} reads"): raw for name, raw in node.set.items() if updating.is_liquid(raw)}
            for name, raw in node.set.items():
                read = updating.field_of(raw) or ""
                if read.startswith(f"{scope}."):
                    yield f"set.{name}", f"set.{name} reads", read.removeprefix(f"{scope}.")
        case Webhook():
            headers = {(f"headers.{name}", f"headers.{name} reads"): value for name, value in node.headers.items()}
            templates = {("url", "url reads"): node.url, ("body", "body reads"): node.body} | headers
        case Wait() if isinstance(until := timed(node.until), UntilField) and until.field.startswith(f"{scope}."):
            yield "until.field", "The wait reads", until.field.removeprefix(f"{scope}.")
        case _:
            pass
    for (field, shown), text in templates.items():
        for name in fields_of(scope, text):
            yield field, shown, name
