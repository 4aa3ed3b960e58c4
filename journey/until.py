"""What a wait can wait until: a date-time, a field that holds one, a window of hours and weekdays, a rule. The shape alone: a workflow
reads it too. local_time.py and ends.py compute, validation/waits.py judges.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from journey.rule_tree import Rule

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Zone = Literal["journey", "profile"]
"""Whose clock: the journey's time zone, or the attribute `timezone` of the person where that names one."""


def _days(raw: Any) -> Any:
    """`mon..fri` is written out; it may go over the end of the week."""
    if not isinstance(raw, list | tuple):
        return raw
    found: list[Any] = []
    for one in raw:
        first, dots, last = one.partition("..") if isinstance(one, str) else (one, "", "")
        if dots and first in WEEKDAYS and last in WEEKDAYS:
            start, count = WEEKDAYS.index(first), (WEEKDAYS.index(last) - WEEKDAYS.index(first)) % 7 + 1
            found += [WEEKDAYS[(start + step) % 7] for step in range(count)]
        else:
            found.append(one)
    return tuple(dict.fromkeys(found)) if all(isinstance(one, str) for one in found) else found


_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
_ONE_DAY = {"type": "string", "pattern": rf"^{_DAY}(\.\.{_DAY})?$"}
Weekdays = Annotated[tuple[Weekday, ...], BeforeValidator(_days), WithJsonSchema({"type": "array", "items": _ONE_DAY})]


class _Until(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class UntilAt(_Until):
    """A date-time, or a date, which is its midnight; one without an offset is read in the zone. `spread` is how long people are let on
    over, each at their own moment of it."""

    at: str = ""
    zone: Zone = "journey"
    spread: str = ""


class UntilField(_Until):
    """The date-time that a field holds: `profile.renewal_date`, `event.starts_at`; or so long `before` or `after` it."""

    field: str = ""
    before: str = ""
    after: str = ""
    zone: Zone = "journey"
    spread: str = ""


class UntilWindow(_Until):
    """The next time that the clock shows one of these hours (`09:00-17:00`, also over midnight) on one of these weekdays; what is left
    out is all of them. Hours over midnight belong to the day on which they begin."""

    hours: str = ""
    weekdays: Weekdays = ()
    zone: Zone = "journey"
    spread: str = ""


class UntilRule(_Until):
    """A rule that comes true of the person."""

    rule: Annotated[str | Rule, Field(union_mode="left_to_right")]


_TEXT, _AT, _FIELD, _WINDOW, _RULE = "a text", "a time", "a field", "a window", "a rule"
"""The members of the union; no field is called so, or the path of a fault would be taken for that of the field."""


def _kind(raw: Any) -> str:
    if isinstance(raw, str):
        return _TEXT
    if isinstance(raw, BaseModel):
        return {UntilField: _FIELD, UntilWindow: _WINDOW, UntilRule: _RULE}.get(type(raw), _AT)
    names = raw if isinstance(raw, dict) else {}
    if "rule" in names:
        return _RULE
    if "field" in names:
        return _FIELD
    return _WINDOW if "hours" in names or "weekdays" in names else _AT


Timed = UntilAt | UntilField | UntilWindow
Until = Annotated[
    Union[  # noqa: UP007 Tag needs Union
        Annotated[str, Tag(_TEXT)],
        Annotated[UntilAt, Tag(_AT)],
        Annotated[UntilField, Tag(_FIELD)],
        Annotated[UntilWindow, Tag(_WINDOW)],
        Annotated[UntilRule, Tag(_RULE)],
    ],
    Discriminator(_kind),
]
"""As it is written; a text alone is a date-time."""


def timed(until: Until | None) -> Timed | None:
    """What ends a wait by time; None for a rule, which something must make true, and for nothing."""
    if isinstance(until, str):
        return UntilAt(at=until)
    return until if isinstance(until, UntilAt | UntilField | UntilWindow) else None


def said(until: Until | None) -> str:
    """It in a few words, as a diagram shows it."""
    match until:
        case str():
            return f"until {until}"
        case UntilAt():
            return f"until {until.at or '…'}"
        case UntilField():
            shifted = f"{until.before} before " if until.before else f"{until.after} after " if until.after else ""
            return f"until {shifted}{until.field or '…'}"
        case UntilWindow():
            return f"until {' '.join(part for part in (until.hours, ', '.join(until.weekdays)) if part) or '…'}"
        case UntilRule():
            return "until a rule is true"
    return "until …"
