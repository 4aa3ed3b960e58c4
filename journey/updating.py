"""What an update_profile node writes: constants, Liquid and fields, each of the type that its attribute is declared as. It knows no store.

A constant is written as it is. Liquid gives a text, which is read as the type: `{{ event.total }}` into an integer. `{field: event.total}`
takes a value as it stands, with the names that rules use. Either all is written or nothing: a value that does not fit is a Misfit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journey import liquid_text
from journey.graph import UpdateProfile
from journey.profiles import AttributeType
from journey.rules import Scope

LONGEST = 16_384
"""Characters of a text, as many as a profile may be sent with."""
MISFITS = ("value_missing", "value_does_not_fit", "render_error", "no_profile")
"""Why nothing is written: there is no value, it is of another type, its Liquid cannot be filled in, the person was deleted."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}(\.0+)?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?")
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why nothing was written: the attribute, one of MISFITS, and a sentence without the value, which is personal data."""

    attribute: str
    code: str
    sentence: str


def written(
    node: UpdateProfile, types: Mapping[str, AttributeType], scope: Scope, names: Mapping[str, Any]
) -> dict[str, Any] | Misfit:  # fmt: skip
    """What to write; None takes an attribute out. `scope` is what fields stand for, `names` what Liquid sees."""
    found: dict[str, Any] = {}
    for attribute, raw in node.set.items():
        text = is_liquid(raw)
        value = raw
        if text:
            try:
                value = liquid_text.fill(raw, names)
            except liquid_text.Fault as fault:
                return Misfit(attribute, "render_error", f"{attribute} cannot be filled in: {fault.sentence}")
        elif (name := field_of(raw)) is not None:
            value = scope.find(name)
            if value is None:
                return Misfit(attribute, "value_missing", f"{attribute} has no value: {name} is missing")
        elif raw is None:
            found[attribute] = None
            continue
        fitted = fit(value, types.get(attribute), text=text)
        if fitted is _NOTHING:
            said = f"{attribute} is declared as {types.get(attribute, 'nothing')}, and what is to be written is none"
            return Misfit(attribute, "value_does_not_fit", said)
        found[attribute] = fitted
    return found


def is_liquid(raw: Any) -> bool:
    """Is the value computed from a template?"""
    return isinstance(raw, str) and ("{{" in raw or "{%" in raw)


def field_of(raw: Any) -> str | None:
    """The name in `{field: NAME}`; None for anything else."""
    return raw["field"] if isinstance(raw, Mapping) and set(raw) == {"field"} and isinstance(raw["field"], str) else None


def fits(value: Any, declared: AttributeType | None) -> bool:
    """May this constant be written into an attribute of that type? None takes it out."""
    return value is None or fit(value, declared) is not _NOTHING


def fit(value: Any, declared: AttributeType | None, *, text: bool = False) -> Any:
    """The value as the type has it, or a mark that it is none. With `text` it is the text of a template, which is read as the type."""
    if isinstance(value, str) and (len(value) > LONGEST or _UNKEEPABLE.search(value)):
        return _NOTHING
    if text and declared != "string":
        value = _read(value.strip(), declared)
    match declared:
        case "string" if isinstance(value, str):
            return value
        case "boolean" if isinstance(value, bool):
            return value
        case "integer" | "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return _number(value, declared)
        case "datetime" if isinstance(value, str) and _is_instant(value):
            return value
    return _NOTHING


def _read(text: str, declared: AttributeType | None) -> Any:
    """A text as a value of the type; itself where it cannot be read."""
    match declared:
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "integer" if _INTEGER.fullmatch(text):
            return int(text.partition(".")[0])
        case "number" if _NUMBER.fullmatch(text):
            return int(text) if text.lstrip("+-").isdigit() else float(text)
    return text


def _number(value: int | float, declared: AttributeType) -> Any:
    """JSON knows no integers: 3.0 is one."""
    if isinstance(value, float) and not math.isfinite(value):
        return _NOTHING
    if declared == "integer":
        return int(value) if value == int(value) else _NOTHING
    return value


def _is_instant(text: str) -> bool:
    """A date, or a date and time, by ISO 8601."""
    if _INSTANT.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True
