"""What a node, an event definition or a journey is set to, in parts that can be compared and said: field by field, without the arrows.

A rule is compared by its tree and said as text, a duration by its length. It knows no versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, TypeAdapter

from journey import durations, exit_criteria, rule_writing, schedule_words
from journey.errors import BadInput
from journey.events import EventDefinition
from journey.graph import ExitCriterion, Journey, Node
from journey.rule_text import as_tree
from journey.rule_tree import Rule
from journey.schedule import Schedule

COSMETIC = frozenset({"name", "note", "position"})
_ARROWS = frozenset({"next", "error", "otherwise"})
_DURATIONS = frozenset({"after", "for", "global_timeout"})
_RULES = frozenset({"where", "when", "rule"})
_RULES_AS_DATA: TypeAdapter[Rule] = TypeAdapter(Rule)
_SCHEDULE: TypeAdapter[Schedule] = TypeAdapter(Schedule)
_NAMED_LISTS = frozenset({"branches", "shares"})


@dataclass(frozen=True, slots=True)
class Part:
    """One field: what it is compared by, how it is written, and how people say it."""

    value: Any
    written: Any
    text: str


@dataclass(slots=True)
class Parts:
    """Fields by their dotted names. `orders` are lists whose order counts, `rules` the fields that are rules."""

    parts: dict[str, Part] = field(default_factory=dict)
    orders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rules: set[str] = field(default_factory=set)

    def against(self, newer: Parts) -> Iterator[tuple[str, str, str, bool]]:
        """Each field that differs, with what it was and is in words, and whether that is cosmetic."""
        for name in dict.fromkeys((*self.parts, *newer.parts)):
            before, after = self.parts.get(name), newer.parts.get(name)
            if name.rpartition(".")[0] in _missing(self, newer):
                continue  # told with the part around it, which only one side has
            then, now = before.text if before else "", after.text if after else ""
            if before is None or after is None or before.value != after.value:
                yield name, then, now, name in COSMETIC
            elif before.written != after.written:
                yield name, f"{before.written}", f"{after.written}", True
        for name in self.orders.keys() & newer.orders.keys():
            order, other = self.orders[name], newer.orders[name]
            kept, still = [one for one in order if one in other], [one for one in other if one in order]
            if kept != still:
                yield name, ", ".join(kept), ", ".join(still), False


def parts_of_node(node: Node) -> Parts:
    """What a node is set to, without its id, its kind, where it leads, and which earlier nodes it is."""
    return _parts(node, leave={"id", "kind", "continues"} | _ARROWS)


def parts_of_event(definition: EventDefinition) -> Parts:
    """How an event is recognised."""
    return _parts(definition, leave={"id"})


def parts_of_journey(journey: Journey) -> Parts:
    """What holds for the whole journey."""
    return _parts(journey, leave={"id", "nodes"})


def spelled(journey: Journey) -> str:
    """A journey to the letter, rules as trees: two that are spelled alike are one document."""
    return json.dumps(_with_rules_as_text(_dumped(journey), ""), sort_keys=True)


def _parts(document: BaseModel, leave: set[str] | frozenset[str]) -> Parts:
    found = Parts()
    _collect(found, "", _dumped(document), leave)
    return found


def _dumped(document: BaseModel) -> dict[str, Any]:
    data: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_none=True)
    return data


def _collect(found: Parts, prefix: str, data: Mapping[str, Any], leave: set[str] | frozenset[str]) -> None:
    for name, value in data.items():
        path = f"{prefix}{name}"
        if name in leave or value in ("", [], {}):
            continue
        if name in _RULES and value is not None:
            found.rules.add(path)
            text = _rule(value)
            found.parts[path] = Part(text, text, f"`{text}`" if text else "a rule that matches nothing")
        elif name in _DURATIONS and isinstance(value, str):
            found.parts[path] = Part(durations.if_any(value) or value, value, durations.spoken(value))
        elif name == "schedule" and isinstance(value, dict):
            found.parts[path] = Part(value, value, schedule_words.spoken(_SCHEDULE.validate_python(value)))
        elif name == "timeout" and isinstance(value, dict):
            after = value.get("after", "")
            found.parts["timeout"] = Part(True, True, f"after {durations.spoken(after)}")
            _collect(found, "timeout.", value, _ARROWS)
        elif name == "reentry" and isinstance(value, dict):
            _collect(found, "reentry.", value, frozenset())
        elif name == "until" and isinstance(value, dict):
            _collect(found, "until.", value, frozenset())
        elif name == "exit_criteria" and isinstance(value, list):
            asked = _with_rules_as_text(value, "")
            found.parts[path] = Part(asked, asked, " or ".join(_criterion(one) for one in value))
        elif name in _NAMED_LISTS and isinstance(value, list):
            _named(found, path, value)
        else:
            found.parts[path] = Part(value, value, _text(value))


def _named(found: Parts, path: str, items: list[dict[str, Any]]) -> None:
    """Branches and shares, each by its id: the whole of one that only one side has, else field by field."""
    found.orders[path] = tuple(item.get("id", "") for item in items) if path == "branches" else ()
    for item in items:
        inner = f"{path}.{item.get('id', '')}"
        percent = item.get("percent")
        whole = _rule(item["when"]) if item.get("when") is not None else f"{percent:g} %" if percent is not None else "no rule"
        found.parts[inner] = Part(True, True, f"`{whole}`" if item.get("when") is not None else whole)
        if item.get("when") is not None:
            found.rules.add(inner)
        _collect(found, f"{inner}.", item, {"id"} | _ARROWS)


def _criterion(written: dict[str, Any]) -> str:
    """An exit criterion in words."""
    said = exit_criteria.words(ExitCriterion.model_validate(written | {"where": None}))
    return said + (f" where `{_rule(written['where'])}`" if written.get("where") is not None else "")


def _missing(one: Parts, other: Parts) -> set[str]:
    """Parts with fields of their own that only one side has."""
    around = {name for name in (*one.parts, *other.parts) if name == "timeout" or name.startswith(("branches.", "shares."))}
    return {name for name in around if (name in one.parts) != (name in other.parts)}


def _rule(written: Any) -> str:
    """A rule as text, whichever way it is written; as it stands when it cannot be read."""
    try:
        return rule_writing.write(as_tree(written if isinstance(written, str) else _tree(written)))
    except BadInput:
        return written if isinstance(written, str) else _text(written)


def _tree(written: dict[str, Any]) -> Rule:
    return _RULES_AS_DATA.validate_python(written)


def _with_rules_as_text(value: Any, name: str) -> Any:
    if name in _RULES and value is not None:
        return _rule(value)
    if isinstance(value, dict):
        return {key: _with_rules_as_text(inner, key) for key, inner in value.items()}
    return [_with_rules_as_text(inner, "") for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
