"""Plays a scenario on the simulator and judges what came of it. It knows no files: whoever reads one finds the line of each mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from journey import calls
from journey.calls import Response
from journey.errors import BadInput
from journey.events import Instant
from journey.graph import EventNode, Message, Qualification, Webhook, exits
from journey.profiles import Profile
from journey.simulation import script_text
from journey.simulation.scenarios import BEGINS, ExpectedDelivery, Happens, Scenario
from journey.simulation.simulate import simulate
from journey.simulation.story import Effect, Happening, Resumes, Script, Story, Told, World
from journey.version import Version
from journey.walk import nodes_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a scenario itself: the path of the field (`expect.path[2]`), and a sentence."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One expectation that was not met: its field, and both sides in lines of words."""

    field: str
    expected: tuple[str, ...]
    happened: tuple[str, ...]


def mistakes(scenario: Scenario, version: Version, world: World) -> tuple[Mistake, ...]:
    """Everything in a scenario that names what there is not, or cannot be understood. Only one without any can be played."""
    return tuple(_mistakes(scenario, version, world))


def script(scenario: Scenario, version: Version) -> Script:
    """What a scenario says, for the simulator. Raises BadInput for the first thing that cannot be understood."""
    answers = {answer: [tuple(of.split(".", 1)) for of, said in scenario.answers.items() if said == answer] for answer in _ANSWERS}
    return Script(
        happenings=_happenings(scenario, version),
        stops={node: script_text.instant(length) for node, length in scenario.stops.items()},
        failing=frozenset((node, channel) for node, channel in answers["refused"]),
        uncertain=frozenset((node, channel) for node, channel in answers["uncertain"]),
        until=script_text.instant(scenario.until) if scenario.until else None,
    )


def play(scenario: Scenario, version: Version, profile: Profile, world: World, *, key: str = "") -> Story:
    """The story of the scenario's person; consents and suppressed channels are already in what is given."""
    return simulate(version, profile, script(scenario, version), replace(world, begins=begins(scenario, version)), key=key)


def begins(scenario: Scenario, version: Version) -> Instant:
    """The instant from which its times count. Raises BadInput."""
    return script_text.begins_at(scenario.begins, version, script_text.begins(BEGINS, version))


def around(scenario: Scenario, profile: Profile, world: World) -> tuple[Profile, World]:
    """Person and world with what the scenario says of consents, suppressed addresses and webhooks."""
    suppressed = world.suppressed | {(channel, profile.email) for channel in scenario.suppressed if profile.email}
    who = replace(profile, consents={**profile.consents, **scenario.consents})
    answers = {node: Response(one.status, one.body) for node, one in scenario.responses.items()}
    return who, replace(world, suppressed=suppressed, consent_explicit=scenario.consent_explicit, responses=answers)


def judge(scenario: Scenario, story: Story) -> tuple[Difference, ...]:
    """Every expectation that the story does not meet, in the order of the document; none when all is as it should be."""
    expect, found = scenario.expect, []
    if expect.path is not None:
        found.append(Difference("path", tuple(_whole(step) for step in expect.path), story.path))
    if expect.deliveries is not None:
        found.append(_deliveries(expect.deliveries, story.deliveries))
    if expect.events is not None:
        happened = [became(effect) for effect in story.effects]
        shown = [_loosely(one, wanted) for one, wanted in zip(happened, expect.events, strict=False)]
        found.append(Difference("events", expect.events, (*shown, *happened[len(shown) :])))
    if expect.end is not None:
        found.append(Difference("end", (expect.end,), (story.end or _inside(story),)))
    if expect.end_node:
        found.append(Difference("end_node", (expect.end_node,), (story.end_node or "none was drawn",)))
    if expect.ended_after:
        wanted = script_text.instant(expect.ended_after)
        met = story.ended_at == wanted
        happened_at = expect.ended_after if met else _length(story.ended_at)
        found.append(Difference("ended_after", (expect.ended_after,), (happened_at,)))
    if expect.waits:
        here = tuple(sorted(nodes_of(story.place))) if story.waiting else (_inside(story),)
        found.append(Difference("waits", tuple(sorted(expect.waits)), here))
    if expect.held:
        found.append(Difference("held", (expect.held,), (story.held or _inside(story),)))
    if expect.attributes:
        has = {name: story.attributes.get(name) for name in expect.attributes}
        found.append(Difference("attributes", _attributes(expect.attributes), _attributes(has)))
    return tuple(one for one in found if one.expected != one.happened)


def became(effect: Effect) -> str:
    """What became of an event, as a scenario says it."""
    now = f"decides {effect.node}" if effect.code == "decided" else effect.code
    return f"kept then {now}" if effect.was_kept else now


def told(delivery: Told) -> str:
    """A delivery in words, as `sojourn simulate` says it."""
    return f"{delivery.message or delivery.node} by {delivery.channel}: {delivery.status}" + (
        f" ({delivery.reason})" if delivery.reason else ""
    )


# ---- what happens ----------------------------------------------------------------------------------------------------------------

_ANSWERS = ("refused", "uncertain")


def _happenings(scenario: Scenario, version: Version) -> tuple[Happening, ...]:
    found: list[Happening] = []
    for number, one in enumerate(scenario.happens):
        found.append(_happening(one, number, version, script_text.entry_in(found, version)))
    return tuple(found)


def _happening(written: str | Happens, number: int, version: Version, entry: Mapping[str, Any] | None = None) -> Happening:
    if isinstance(written, str):
        return script_text.happening(written, number, version, entry)
    said = (written.event, written.reaction, written.profile, written.approve, written.discard, written.pause, written.resume)
    if sum(bool(one) for one in said) != 1:
        raise BadInput("This says what happens by one of these fields: event, reaction, profile, approve, discard, pause, or resume.")
    at = script_text.instant(written.after or "0")
    if written.length and not written.pause:
        raise BadInput("for says how long a pause lasts, and there is none: write pause beside it.")
    if written.pause:
        return script_text.pauses(at, written.pause, written.length)
    if written.resume:
        return Resumes(at)
    if written.approve or written.discard:
        return script_text.reviews(at, "approve" if written.approve else "discard", written.approve or written.discard, version)
    if written.profile:
        return script_text.changes(at, written.profile)
    if written.reaction:
        return script_text.reacts(at, written.reaction, written.of, version, written.link)
    event_id = written.id or f"{written.event}-{number + 1}"
    return script_text.occurs(at, written.event, written.data, event_id, version, written.source, entry)


# ---- mistakes --------------------------------------------------------------------------------------------------------------------


def _mistakes(scenario: Scenario, version: Version, world: World) -> Iterator[Mistake]:
    journey, expect = version.journey, scenario.expect
    for number, one in enumerate(scenario.happens):
        yield from _said(f"happens[{number}]", _happening, one, number, version)
    if isinstance(journey.entry_node, EventNode) and not scenario.happens:
        said = f"People enter {journey.id} by the event {journey.entry_node.event}: let it happen first, or something that is not enough."
        yield Mistake("happens", said)
    if isinstance(journey.entry_node, Qualification) and not scenario.happens:
        said = f"People enter {journey.id} by the segment {journey.entry_node.segment}: write a profile that makes it so first."
        yield Mistake("happens", said)
    yield from _said("until", script_text.instant, scenario.until or "0")
    yield from _said("begins", begins, scenario, version)
    for place, length in scenario.stops.items():
        yield from _said(f"stops.{place}", script_text.stops, [f"{place}={length}"], version)
    for carrier, answer in scenario.answers.items():
        yield from _carrier(carrier, answer, version, world)
    for node in scenario.responses:
        if not isinstance(journey.by_id.get(node), Webhook):
            yield Mistake(f"responses.{node}", f"{node} is no webhook of {journey.id}.")
    if expect.empty:
        yield Mistake("expect", "This expects nothing, so it can never fail: say at least a path, deliveries or an end.")
    for number, step in enumerate(expect.path or ()):
        node, _, taken = _whole(step).partition(":")
        if node not in journey.by_id:
            yield Mistake(f"expect.path[{number}]", f"There is no node {node} in {journey.id}.")
        elif taken not in (drawn := [name for name, _ in exits(journey.node(node))]) and taken not in _UNDRAWN.get(
            journey.node(node).kind, ()
        ):
            yield Mistake(f"expect.path[{number}]", f"{node} has no exit {taken}: it has {', '.join(drawn) or 'none'}.")
    for number, delivery in enumerate(expect.deliveries or ()):
        at = f"expect.deliveries[{number}]"
        if delivery.message and delivery.message not in world.messages:
            yield Mistake(f"{at}.message", f"There is no message {delivery.message} in the folder.")
        if delivery.node and not isinstance(journey.by_id.get(delivery.node), Message | Webhook):
            yield Mistake(f"{at}.node", f"{delivery.node} is no message and no webhook of {journey.id}.")
    if expect.events is not None and len(expect.events) != len(scenario.happens):
        counts = f"{len(scenario.happens)} happen, and of {len(expect.events)} is said what becomes of them"
        yield Mistake("expect.events", f"{counts}: say it of each, in the order of `happens`.")
    named = [
        (f"expect.events[{number}]", one.rpartition("decides ")[2]) for number, one in enumerate(expect.events or ()) if "decides " in one
    ]
    named += [("expect.waits", node) for node in expect.waits] + ([("expect.end_node", expect.end_node)] if expect.end_node else [])
    yield from (Mistake(path, f"There is no node {node} in {journey.id}.") for path, node in named if node not in journey.by_id)
    yield from _said("expect.ended_after", script_text.instant, expect.ended_after or "0")
    if expect.waits and expect.end is not None:
        yield Mistake("expect.waits", "Whoever has ended waits nowhere: expect an end, or where they wait.")
    if expect.waits and not scenario.until:
        yield Mistake("expect.waits", "Without `until` time goes on until everybody has ended: say when to look.")


_UNDRAWN = {"message": ("error",), "webhook": ("error",), "update_profile": ("error",), "condition": ("otherwise",)}
"""Exits that end the path where they are not drawn."""


def _said(path: str, read: Callable[..., object], *given: object) -> Iterator[Mistake]:
    """What a reader has to say against what is given to it."""
    try:
        read(*given)
    except BadInput as error:
        yield Mistake(path, error.sentence)


def _carrier(carrier: str, answer: str, version: Version, world: World) -> Iterator[Mistake]:
    name, _, channel = carrier.partition(".")
    node = version.journey.by_id.get(name)
    if isinstance(node, Webhook):
        if channel != calls.CHANNEL:
            yield Mistake(f"answers.{carrier}", f"{name} is a webhook: write {name}.{calls.CHANNEL}.")
        elif answer == "uncertain":
            yield Mistake(f"answers.{carrier}", "A webhook is never uncertain: it is called again by the same id. Write refused.")
        return
    if not isinstance(node, Message):
        yield Mistake(f"answers.{carrier}", f"{name} is no message of {version.journey.id}: write NODE.CHANNEL.")
        return
    document = world.messages.get(node.message)
    has = node.channels or (document.channels if document is not None else ())
    if channel not in has:
        yield Mistake(f"answers.{carrier}", f"{name} sends nothing by {channel}: it has {', '.join(has) or 'no channel'}.")


# ---- both sides in words ---------------------------------------------------------------------------------------------------------


def _whole(step: str) -> str:
    return step if ":" in step else f"{step}:next"


def _deliveries(expected: Iterable[ExpectedDelivery], happened: Iterable[Told]) -> Difference:
    """Of each delivery as much is said as is expected of it: what was left out may be anything."""
    wanted = tuple(expected)
    lines: list[str] = []
    for index, delivery in enumerate(happened):
        nearest = [*wanted[index : index + 1], *wanted]
        lines.append(next((_expected(one) for one in nearest if _meets(delivery, one)), told(delivery)))
    return Difference("deliveries", tuple(_expected(one) for one in wanted), tuple(lines))


def _meets(delivery: Told, wanted: ExpectedDelivery) -> bool:
    return delivery.status == wanted.status and all(
        getattr(delivery, name) == getattr(wanted, name) for name in ("message", "node", "channel", "reason") if getattr(wanted, name)
    )


def _expected(wanted: ExpectedDelivery) -> str:
    called = wanted.node if wanted.channel == calls.CHANNEL else f"the message of {wanted.node}"
    what = wanted.message or (called if wanted.node else "anything")
    return f"{what} by {wanted.channel or 'any channel'}: {wanted.status}" + (f" ({wanted.reason})" if wanted.reason else "")


def _attributes(values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{name}: {json.dumps(value, ensure_ascii=False, sort_keys=True)}" for name, value in sorted(values.items()))


def _loosely(happened: str, wanted: str) -> str:
    """Whoever does not say that an event was kept first does not ask for it."""
    return happened if wanted.startswith("kept then ") else happened.removeprefix("kept then ")


def _inside(story: Story) -> str:
    if not story.entered:
        return "never entered"
    if story.end:
        return f"ended: {story.end}"
    if story.held:
        return f"held before {story.held}"
    where = " or ".join(nodes_of(story.place))
    return f"still waits at {where}" if story.waiting else f"still under way at {where}"


def _length(at: Instant | None) -> str:
    return "not ended" if at is None else script_text.written(at)
