"""What can be wrong with what a wait waits until. It knows no arrows; what the graph alone cannot tell is judged against attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from journey import durations, local_time, windows
from journey.ends import TIMEZONE
from journey.errors import BadInput
from journey.findings import Finding, error, warning
from journey.graph import Wait
from journey.profiles import Attribute
from journey.rule_check import check_field
from journey.until import UntilAt, UntilField, UntilWindow, timed

_UTC = ZoneInfo("UTC")
_HOLD_TIMES = ("string", "datetime")


def check(node: Wait) -> Iterator[Finding]:
    """What the node alone can tell."""
    if node.until is not None and node.duration:
        said = "The wait has both a duration and something to wait until: remove for or until, or put two waits in parallel."
        yield error("wait_ambiguous", node.id, "until", said)
    if node.until is None and node.timeout is not None:
        said = "A wait for a duration is over when that is: remove the timeout, or make the wait shorter."
        yield error("timeout_on_duration", node.id, "timeout", said)
    match timed(node.until):
        case UntilAt(at=at):
            where = "until" if isinstance(node.until, str) else "until.at"
            if not at:
                yield error("field_missing", node.id, where, "The wait says not until when: write a date-time, as 2026-12-01T09:00.")
            elif local_time.read(at, _UTC) is None:
                said = f"{at!r} is no date-time: write it as 2026-12-01T09:00, with an offset or as the journey's own clock shows it."
                yield error("time_invalid", node.id, where, said)
        case UntilField() as field:
            yield from _field(node.id, field.field)
            if field.before and field.after:
                said = "The wait is over before its field and after it: remove before or after."
                yield error("wait_ambiguous", node.id, "until.after", said)
            for name, written in (("before", field.before), ("after", field.after)):
                if written and durations.if_any(written) is None:
                    said = f"{written!r} is no duration: write how long {name} the field, as P7D or PT2H."
                    yield error("duration_invalid", node.id, f"until.{name}", said)
        case UntilWindow() as window:
            yield from _window(node.id, window)
        case _:
            pass


def against(node: Wait, attributes: Mapping[str, Attribute], *, by_event: bool) -> Iterator[Finding]:
    """What the declared attributes tell: a field that can hold no time, a time zone that nobody has. `by_event`: people enter by one."""
    until = timed(node.until)
    if isinstance(until, UntilField) and until.field:
        first, dot, rest = until.field.partition(".")
        name = rest if dot and first == "profile" else until.field
        if any(_field(node.id, until.field)):  # of which another finding tells
            return
        if dot and first == "entry" and not by_event:
            said = f"{until.field} means nothing here: people enter this journey by no event that could be asked."
            yield error("field_out_of_reach", node.id, "until.field", said)
        elif dot and first in ("event", "entry"):
            pass
        elif name not in attributes:
            said = f"{name} is not declared as an attribute: whoever has no such time goes on at once."
            yield warning("undeclared_attribute", node.id, "until.field", said)
        elif attributes[name].type not in _HOLD_TIMES:
            said = f"{name} is declared as {attributes[name].type}, which is no date-time: everybody would go on at once."
            yield error("attribute_type", node.id, "until.field", said)
    if until is not None and until.zone == "profile":
        declared = attributes.get(TIMEZONE)
        if declared is None:
            said = f"The attribute {TIMEZONE} is not declared: whoever has none goes by the clock of the journey."
            yield warning("undeclared_attribute", node.id, "until.zone", said)
        elif declared.type != "string":
            said = f"{TIMEZONE} is declared as {declared.type}; the name of a time zone is a string, as Europe/Zurich."
            yield error("attribute_type", node.id, "until.zone", said)


def _field(node: str, name: str) -> Iterator[Finding]:
    if not name:
        said = "The wait names no field: write which holds the date-time, as profile.renewal_date."
        yield error("field_missing", node, "until.field", said)
        return
    try:
        check_field(name)
    except BadInput as fault:
        yield error("field_invalid", node, "until.field", fault.sentence)


def _window(node: str, window: UntilWindow) -> Iterator[Finding]:
    try:
        length = windows.hours(window.hours).length.total_seconds()
    except BadInput as fault:
        yield error("hours_invalid", node, "until.hours", fault.sentence)
        return
    if window.spread and (durations.if_any(window.spread) or 0) > length:
        said = f"{window.spread} is longer than the hours {window.hours or 'of a day'}: whoever comes last would find them over."
        yield error("spread_too_long", node, "until.spread", said)
