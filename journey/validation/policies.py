"""What is wrong with policies: caps and quiet hours that cannot be kept, or that would let nothing through. It knows no journey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from journey import durations, local_time
from journey.errors import BadInput
from journey.findings import Finding, error, warning
from journey.messages import CHANNELS
from journey.policies import ALL, WEEKDAYS, Cap, Policies, QuietHours
from journey.quiet_hours import time_of_day

_DAY = 24 * 60
_WEEK = 7 * _DAY


def of_policies(policies: Policies) -> Iterator[Finding]:
    """Every finding; `field` is its path in the document. An error forbids to put them."""
    seen: set[str] = set()
    for index, cap in enumerate(policies.caps):
        if cap.id in seen:
            yield error("duplicate_id", "", f"caps[{index}].id", f"Two caps are called {cap.id}: rename one.")
        seen.add(cap.id)
        yield from _cap(cap, f"caps[{index}]")
    for index, quiet in enumerate(policies.quiet_hours):
        where = "quiet_hours" if len(policies.quiet_hours) == 1 else f"quiet_hours[{index}]"
        yield from _quiet(quiet, where)
    for channel in CHANNELS:
        covered = _minutes(policies.quiet_hours, channel)
        if len(covered) == _WEEK:
            said = f"Quiet hours hold at every hour of the week, so that nothing would ever be sent by {channel}: leave some out."
            yield error("quiet_hours_always", "", "quiet_hours", said)


def _cap(cap: Cap, where: str) -> Iterator[Finding]:
    yield from _channels(cap.channels, f"{where}.channels")
    yield from _duration(cap.within, f"{where}.within", f"The cap {cap.id} does not say within what time: write within, as P7D.")
    if cap.then == "retry":
        said = f"The cap {cap.id} does not say for how long it is tried again: write retry_for, as P2D."
        yield from _duration(cap.retry_for, f"{where}.retry_for", said)
    elif cap.retry_for:
        said = f"The cap {cap.id} has retry_for and does not try again: write then: retry, or take it out."
        yield warning("retry_for_unused", "", f"{where}.retry_for", said)


def _quiet(quiet: QuietHours, where: str) -> Iterator[Finding]:
    yield from _channels(quiet.channels, f"{where}.channels")
    for name, written in (("from", quiet.start), ("to", quiet.end)):
        if not written:
            said = f"The quiet hours do not say {'when they begin' if name == 'from' else 'when they end'}: write {name}, as 21:00."
            yield error("field_missing", "", f"{where}.{name}", said)
        elif time_of_day(written) is None:
            yield error(
                "time_invalid", "", f"{where}.{name}", f"{written!r} is no time of day: write hours and minutes, as 08:00 or 21:30."
            )
    if local_time.zone(quiet.zone) is None and local_time.zone("UTC") is not None:  # no machine without any can refuse one
        said = f"There is no time zone {quiet.zone!r}: write one as America/New_York or UTC."
        yield error("timezone_unknown", "", f"{where}.zone", said)
    yield from _duration(
        quiet.longest, f"{where}.longest", "The quiet hours do not say how long a message may wait: write longest, as P7D."
    )
    if quiet.then == "queue" and _too_short(quiet):
        said = "A message that is due early in these quiet hours is left out, because longest is shorter than they are: make it longer."
        yield warning("longest_too_short", "", f"{where}.longest", said)


def _channels(channels: Sequence[str], where: str) -> Iterator[Finding]:
    if not channels:
        yield error("field_missing", "", where, "The list of channels is empty: name some, or write all.")
    for channel in dict.fromkeys(channels):
        if channel != ALL and channel not in CHANNELS:
            known = ", ".join(CHANNELS)
            yield error("unknown_channel", "", where, f"There is no channel {channel!r}: it is one of {known}, or all.")
        if channels.count(channel) > 1:
            yield error("channel_twice", "", where, f"The channel {channel} is named twice: name it once.")


def _duration(text: str, where: str, missing: str) -> Iterator[Finding]:
    if not text:
        yield error("field_missing", "", where, missing)
        return
    try:
        durations.seconds(text)
    except BadInput as fault:
        yield error("duration_invalid", "", where, fault.sentence)


def _too_short(quiet: QuietHours) -> bool:
    longest = durations.if_any(quiet.longest)
    length = _length(quiet)
    return longest is not None and length is not None and longest < length * 60


def _length(quiet: QuietHours) -> int | None:
    """How many minutes they last; a whole day when they end at the time at which they begin."""
    start, end = time_of_day(quiet.start), time_of_day(quiet.end)
    if start is None or end is None:
        return None
    return (end.hour * 60 + end.minute - start.hour * 60 - start.minute) % _DAY or _DAY


def _minutes(quiet: Sequence[QuietHours], channel: str) -> set[int]:
    """The minutes of a week, as the clock on the wall shows them, that are quiet on a channel."""
    found: set[int] = set()
    for one in quiet:
        start, length = time_of_day(one.start), _length(one)
        if start is None or length is None or not one.covers(channel):
            continue
        for day in one.weekdays or WEEKDAYS:
            begins = WEEKDAYS.index(day) * _DAY + start.hour * 60 + start.minute
            found.update(minute % _WEEK for minute in range(begins, begins + length))
    return found
