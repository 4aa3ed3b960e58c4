"""`sojourn simulate`: walks somebody through a journey of a folder, offline, and tells the story. It sends nothing and asks no server.

Told what happens, it tells one story, moment by moment; told nothing, it shows every way through.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands import schedules, staging
from commands.staging import Stage
from journey import durations, gate
from journey.errors import Invalid, SojournError
from journey.events import Instant
from journey.simulation import explore, script_text
from journey.simulation.explore import Way
from journey.simulation.simulate import simulate
from journey.simulation.story import Effect, Script, Story, happening_name

MOST_WAYS = 50


def run(
    path: Path, *, journey: str = "", profile: str = "", at: Sequence[str] = (), stop: Sequence[str] = (), until: str = "",
    begins: str = "", responses: Sequence[str] = (), consent_explicit: bool = False, as_json: bool = False,
) -> int:  # fmt: skip
    """Prints the story of one person; 1 when there is nothing to walk, else 0.

    `path` is a folder, or a journey's file in one. `journey` is needed when the folder has several, `profile` is the first member of
    the segment unless given. `at` is what happens (script_text.happening), `stop` how long stops take, `until` when to stop looking,
    `begins` when they enter (a date-time; now unless given), `responses` what webhooks answer (script_text.responses).
    """
    console = Console(highlight=False, soft_wrap=True)
    try:
        stage = staging.prepare(
            path, journey=journey, profile=profile, begins=begins, responses=responses, consent_explicit=consent_explicit
        )
        played = list(islice(_play(stage, at, stop, until), MOST_WAYS + 1))
    except SojournError as error:
        refuse(path, error, as_json)
        return 1
    if as_json:
        json.dump(as_data(stage, played[:MOST_WAYS], more=len(played) > MOST_WAYS), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return 0
    console.print(f"[bold]{escape(stage.version.journey.name or stage.version.journey.id)}[/], walked by {escape(stage.person.id)}")
    said = schedules.sentence(stage.version.journey, schedules.now())
    if said is not None:
        console.print(said, markup=False)
    for note in stage.notes:
        console.print(f"[yellow]{escape(note)}[/]")
    if at or stop or until:
        _tell(console, played[0])
    else:
        _list(console, played[:MOST_WAYS])
        console.print("\nTell one of them moment by moment with --at, as in --at 'PT2H email.opened' --at 'P2D purchase'.", style="dim")
        if len(played) > MOST_WAYS:
            console.print(f"There are more than these {MOST_WAYS}.")
    return 0


def as_data(stage: Stage, played: Sequence[Way], *, more: bool) -> dict[str, Any]:
    """What `--json` prints. Instants are seconds after the admission."""
    return {
        "journey": stage.version.journey.id,
        "profile": stage.person.id,
        "notes": list(stage.notes),
        "schedule": schedules.as_data(stage.version.journey, schedules.now()),
        "stories": [_story(way) for way in played],
        "more": more,
    }


def _play(stage: Stage, at: Sequence[str], stop: Sequence[str], until: str) -> Iterator[Way]:
    if not (at or stop or until):
        yield from explore.ways(stage.version, stage.profile, stage.world, key=stage.key)
        return
    happenings = script_text.happenings(at, stage.version)
    script = Script(happenings, script_text.stops(stop, stage.version), until=script_text.instant(until) if until else None)
    yield Way(happenings, simulate(stage.version, stage.profile, script, stage.world, key=stage.key))


def refuse(path: Path, error: SojournError, as_json: bool) -> None:
    """Says why nobody can walk."""
    if as_json:
        findings = [{"code": one.code, "node": one.node, "sentence": one.sentence} for one in getattr(error, "findings", ())]
        json.dump({"code": error.code, "sentence": error.sentence, "findings": findings}, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(error.sentence, style="red", markup=False)
    if isinstance(error, Invalid):
        console.print(f"Run `sojourn validate {path}` for all of it, with file and line.", markup=False)


# ---- one story -------------------------------------------------------------------------------------------------------------------


def _tell(console: Console, way: Way) -> None:
    story = way.story
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", justify="right", no_wrap=True)
    table.add_column()
    for moment in story.timeline:
        table.add_row(after(moment.at), escape(moment.sentence))
    console.print(table)
    console.print(f"[bold]path[/] {escape(_path(story))}")
    for told in story.deliveries:
        console.print(f"[bold]{escape(told.channel)}[/] {escape(f'{told.message or told.node}: {told.status}')}{_because(told.reason)}")
    for happening, effect in zip(way.happenings, story.effects, strict=True):
        console.print(f"[bold]{escape(happening_name(happening))}[/] after {after(happening.at)}: {escape(_effect(effect))}")
    console.print(f"[bold]end[/] {escape(_end(story))}")


def _list(console: Console, played: Sequence[Way]) -> None:
    """A paragraph for each way through: what happens, the path, what is sent."""
    for number, way in enumerate(played, start=1):
        happens = [f"{happening_name(one)} after {after(one.at)}" for one in way.happenings]
        console.print(f"\n[bold cyan]{number:>2}[/]  [bold]{escape(', then '.join(happens) or 'nothing happens')}[/]")
        console.print(f"    {escape(_path(way.story))}  [bold]{escape(_end(way.story))}[/]")
        for told in way.story.deliveries:
            style = "default" if told.status in ("sent", "uncertain") else "dim"
            console.print(
                f"    {told.message or told.node} by {told.channel}: {told.status}{f' ({told.reason})' if told.reason else ''}",
                style=style,
                markup=False,
            )


def _path(story: Story) -> str:
    """The nodes on the way; an exit is named when it is another than `next`."""
    parts = [way.partition(":") for way in story.path]
    return " → ".join(node if taken == "next" else f"{node} ({taken})" for node, _, taken in parts)


def _end(story: Story) -> str:
    if not story.entered:
        return "never entered"
    if story.end:
        return f"{story.end} after {after(story.ended_at)}" if story.ended_at else f"{story.end} at once"
    if story.held:
        return f"still held before {story.held}"
    if story.waiting:
        return f"still waits at {' or '.join(story.place.split('+'))}"
    return f"still under way at {story.place}"


def _effect(effect: Effect) -> str:
    return f"decides {effect.node}" if effect.code == "decided" else effect.code


def _because(reason: str) -> str:
    return f" ({escape(reason)})" if reason else ""


def after(at: Instant) -> str:
    """An instant as people say it."""
    return durations.spoken(f"PT{at // gate.MICROSECONDS}S") if at >= gate.MICROSECONDS else "at once"


def _story(way: Way) -> dict[str, Any]:
    story = way.story
    return {
        "happenings": [
            {"at": _seconds(one.at), "what": happening_name(one), "effect": effect.code, "node": effect.node}
            for one, effect in zip(way.happenings, story.effects, strict=True)
        ],
        "entrant": story.entrant,
        "path": list(story.path),
        "deliveries": [
            {
                "id": told.id,
                "node": told.node,
                "message": told.message,
                "channel": told.channel,
                "status": told.status,
                "reason": told.reason,
            }
            for told in story.deliveries
        ],
        "timeline": [{"at": _seconds(moment.at), "sentence": moment.sentence} for moment in story.timeline],
        "end": story.end,
        "end_node": story.end_node,
        "ended_at": None if story.ended_at is None else _seconds(story.ended_at),
        "place": story.place,
        "held": story.held,
    }


def _seconds(at: Instant) -> float:
    return at / gate.MICROSECONDS
