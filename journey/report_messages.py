"""What became of messages, in numbers: of one message on one channel, and added up; and what these numbers must hold. It knows no walk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields

from journey import feedback
from journey.events import REACTIONS

_ANSWERS = ("sent", "failed", "uncertain")
_AMONG = {"sent_again": "sent", feedback.HARD: "bounced"}
_BACK = tuple(dict.fromkeys(one.partition(".")[2] for one in REACTIONS))


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """What became of a message on one channel. A person counts once; opened and clicked count people, not openings.

    `targeted` = `sent` + the sum of `excluded` + `failed` + `uncertain` + `on_the_way`, which are those of people who are at the node: they
    are counted elsewhere when all channels of their message have an answer. `sent_again` are those of `sent` that may have arrived twice,
    `resent` those that were uncertain and that somebody had sent once more by hand, `bounced_hard` those of `bounced` that came back for
    good. What a machine that says it is one did is `opened_by_machine` and `clicked_by_machine`, and none of the others. `rates` are
    percent of what went out, which is `sent` + `uncertain`; empty where nothing did.
    """

    targeted: int = 0
    sent: int = 0
    sent_again: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    uncertain: int = 0
    on_the_way: int = 0
    resent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    opened_by_machine: int = 0
    clicked_by_machine: int = 0
    bounced: int = 0
    bounced_hard: int = 0
    complained: int = 0
    unsubscribed: int = 0
    rates: dict[str, float] = field(default_factory=dict)


Channels = dict[str, ChannelReport]
"""The numbers by channel."""
_COUNTED = tuple(one.name for one in fields(ChannelReport) if one.name not in ("targeted", "excluded", "on_the_way", "rates"))


def read(counts: Mapping[tuple[str, str], int], on_the_way: Mapping[str, int]) -> Channels:
    """The numbers of one node, from its counters by kind and channel, and from what has no answer yet by channel."""
    channels = sorted({channel for _, channel in counts if channel} | set(on_the_way))
    return {channel: _channel(counts, channel, on_the_way.get(channel, 0)) for channel in channels}


def added(nodes: Iterable[Channels]) -> Channels:
    """The numbers of all messages, by channel."""
    together: dict[tuple[str, str], int] = {}
    out: dict[str, int] = {}
    for channels in nodes:
        for channel, one in channels.items():
            numbers = {name: getattr(one, name) for name in _COUNTED} | {f"excluded.{why}": times for why, times in one.excluded.items()}
            for kind, times in numbers.items():
                together[kind, channel] = together.get((kind, channel), 0) + times
            out[channel] = out.get(channel, 0) + one.on_the_way
    return read(together, out)


def differences(node: str, arrived: int, inside: int, channels: Channels) -> Iterator[str]:
    """Where the numbers of a message contradict each other, a sentence each. `inside` are those who are there: each has something on the
    way, and on one channel one thing at the most."""
    for channel, one in channels.items():
        if one.targeted > arrived:
            yield f"{node}: {arrived} arrived, yet {channel} has {one.targeted} deliveries."
        if one.on_the_way > inside:
            yield f"{node}: {inside} are there, yet {one.on_the_way} deliveries by {channel} are on the way."
        for name in _BACK:
            if getattr(one, name) > one.targeted - sum(one.excluded.values()):
                yield f"{node}: {getattr(one, name)} were {name} by {channel}, yet fewer went out."
        for name, of in _AMONG.items():
            if getattr(one, name) > getattr(one, of) + one.on_the_way:
                yield f"{node}: {getattr(one, name)} were {name} by {channel}, yet fewer were {of}."
    if channels and inside > sum(one.on_the_way for one in channels.values()):
        yield f"{node}: {inside} are there, yet fewer deliveries are on the way."


def _channel(counts: Mapping[tuple[str, str], int], channel: str, on_the_way: int) -> ChannelReport:
    plain = {kind: counts.get((kind, channel), 0) for kind in _COUNTED}
    excluded = {
        kind.removeprefix("excluded."): times
        for (kind, of), times in sorted(counts.items())
        if of == channel and kind.startswith("excluded.") and times
    }
    targeted = sum(plain[name] for name in _ANSWERS) + sum(excluded.values()) + on_the_way
    went = plain["sent"] + plain["uncertain"]
    back = [name for name in _BACK if f"{channel}.{name}" in REACTIONS]
    rates = {name: round(100 * plain[name] / went, 2) for name in back} if went else {}
    return ChannelReport(targeted=targeted, excluded=excluded, on_the_way=on_the_way, rates=rates, **plain)
