"""A report as lines of a table that a spreadsheet reads: one number each. It knows no file and no wire format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

HEADINGS = ("node", "kind", "channel", "number", "count")
_OF_A_NODE = ("arrived", "inside", "errors", "timed_out", "held", "parked", "in_review", "moved_in", "no_time")
_OF_ALL = ("entered", "moved_in", "inside", "finished", "moved_out", "held")

Line = tuple[str, str, str, str, float]
"""Node and kind, empty for the whole version; the channel, empty where it is about none; the number and what it is."""


def lines(report: Mapping[str, Any]) -> Iterator[Line]:
    """Every number of a report as the API answers it. What is by exit, reason, share or code is NUMBER.NAME, as `left.timeout`."""
    yield from _numbers("", "", report["totals"], _OF_ALL, ("ended", "excluded", "discards"))
    for node in report["nodes"]:
        yield from _numbers(node["node"], node["kind"], node, _OF_A_NODE, ("left", "ended", "planned", "real"))


def _numbers(name: str, kind: str, of: Mapping[str, Any], plain: tuple[str, ...], by_name: tuple[str, ...]) -> Iterator[Line]:
    for number in plain:
        yield name, kind, "", number, of[number]
    for number in by_name:
        for what, count in of[number].items():
            yield name, kind, "", f"{number}.{what}", count
    for channel, counts in of["channels"].items():
        for number, count in counts.items():
            if isinstance(count, Mapping):
                yield from ((name, kind, channel, f"{number}.{what}", times) for what, times in count.items())
            else:
                yield name, kind, channel, number, count
