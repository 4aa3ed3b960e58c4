"""ISO 8601 durations as journeys write them: `P[nW][nD][T[nH][nM][nS]]`. It knows no calendar: a day is 24 hours (G3)."""

from __future__ import annotations

import re
from functools import lru_cache

from journey.errors import BadInput

_SHAPE = re.compile(r"^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$", re.ASCII)
_SECONDS = (7 * 86400, 86400, 3600, 60, 1)


@lru_cache(maxsize=4096)
def seconds(text: str) -> int:
    """The length in seconds, above zero. Raises BadInput with code `duration_invalid` and a sentence that says what to write."""
    match = _SHAPE.match(text)
    if match is None or text.endswith("T"):
        months = re.match(r"^P\d+[YM]", text) is not None
        why = "write days, since months and years differ in length" if months else "write P, then weeks, days, T, hours, minutes, seconds"
        raise BadInput(f"{text!r} is no duration: {why}, as in P1D, PT30M or P1DT12H.", code="duration_invalid")
    total = sum(int(count) * unit for count, unit in zip(match.groups(default="0"), _SECONDS, strict=True))
    if total == 0:
        raise BadInput(f"{text!r} is no time at all: a duration is above zero.", code="duration_invalid")
    return total


def if_any(text: str) -> int | None:
    """The length in seconds, None when the text is no duration."""
    try:
        return seconds(text)
    except BadInput:
        return None


def spoken(duration: str) -> str:
    """A duration as people say it: `1 day`, `1 day 12 hours`; as it is written when it is none."""
    try:
        rest = seconds(duration)
    except BadInput:
        return duration or "?"
    parts: list[str] = []
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {unit}" + ("s" if count > 1 else ""))
    return " ".join(parts)
