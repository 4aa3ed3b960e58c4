"""`sojourn simulate --people N`: many people walk a journey of a folder by lot, offline; a funnel, and a picture with the counts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands import staging
from commands.folder import Folder
from commands.simulate import after, refuse
from journey import calls, past
from journey.diagrams import diagram
from journey.diagrams import svg as diagram_svg
from journey.errors import BadInput, SojournError
from journey.freezing import freeze
from journey.graph import Condition, Journey, Message, ReadSegment, Webhook
from journey.profiles import Profile
from journey.report_messages import ChannelReport
from journey.rule_text import as_tree
from journey.rule_tree import Rule
from journey.simulation import people as population_people
from journey.simulation import population
from journey.simulation import rates as population_rates
from journey.simulation.population import Population, Who
from journey.simulation.rates import Lots, Rate
from journey.simulation.story import World


@dataclass(frozen=True, slots=True)
class Asked:
    """How many people of which lots, how often they do what, where the picture is written, if at all, and what webhooks answer."""

    people: int
    seed: int = 1
    rates: Sequence[str] = ()
    svg: Path | None = None
    responses: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Funnel:
    """What came of it. `source` says in words who the people are."""

    journey: Journey
    source: str
    rates: tuple[Rate, ...]
    asked: Asked
    population: Population


def run(
    path: Path, asked: Asked, console: Console | None, *, journey: str = "", profile: str = "", begins: str = "",
    consent_explicit: bool = False,
) -> int:  # fmt: skip
    """Prints the funnel, as JSON where there is no console; 1 when there is nothing to walk, else 0. `journey`, `profile` and
    `begins` are as for one person."""
    try:
        read = staging.opened(path)
        drawn = staging.chosen(read, path, journey)
        funnel = play(read, drawn, asked, profile=profile, begins=begins, consent_explicit=consent_explicit)
        if asked.svg is not None:
            known = {name: entry.document for name, entry in read.messages.items()}
            _write(asked.svg, diagram_svg.render(diagram.draw(drawn, funnel.population.report, known)))
    except SojournError as error:
        refuse(path, error, console is None)
        return 1
    if console is None:
        json.dump(as_data(funnel), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return 0
    console.print(table(funnel))
    for sentence in sentences(funnel):
        console.print(escape(sentence))
    return 0


def play(read: Folder, drawn: Journey, asked: Asked, *, profile: str = "", begins: str = "", consent_explicit: bool = False) -> Funnel:
    """Walks the people. Raises BadInput for a rate or a profile that is none, Invalid when the journey is not valid."""
    version = freeze(drawn, read.surroundings())
    world = staging.at(staging.world(read, consent_explicit=consent_explicit), version, begins, asked.responses)
    world = replace(world, renders=False)  # of 10,000 people that takes half a minute
    rates = population_rates.read(asked.rates, version, _channels(drawn, world))
    who, source = _people(read, drawn, profile, asked.seed)
    return Funnel(drawn, source, rates, asked, population.walk_all(version, who, world, rates, people=asked.people, seed=asked.seed))


def table(funnel: Funnel) -> Table:
    """A row per node: who came and what share of all that is, how they left, who ended there, what became of messages."""
    title = f"{funnel.journey.name or funnel.journey.id}: {funnel.asked.people:,} people, {funnel.source}, seed {funnel.asked.seed}"
    made = Table(title=escape(title), title_justify="left")
    made.add_column("node")
    made.add_column("kind")
    made.add_column("came", justify="right")
    made.add_column("of all", justify="right")
    for heading in ("left", "ended", "messages"):
        made.add_column(heading)
    for node in funnel.population.report.nodes:
        share = f"{100 * node.arrived / funnel.asked.people:.1f} %"
        messages = "\n".join(f"{channel}: {_listed(_numbers(counts))}" for channel, counts in node.channels.items())
        made.add_row(
            node.node, node.kind, f"{node.arrived:,}", share, escape(_listed(node.left)), escape(_listed(node.ended)), escape(messages)
        )
    return made


def sentences(funnel: Funnel) -> Iterator[str]:
    """How they ended, how long that took, and what nobody was told to do."""
    totals = funnel.population.report.totals
    half, longest = after(funnel.population.median), after(funnel.population.longest)
    yield f"Ended: {_listed(totals.ended)}. Half of them within {half}, all within {longest}."
    if totals.excluded:
        yield f"Not written to: {_listed(totals.excluded)}."
    if not funnel.rates:
        yield "Nobody does anything: say how many do, as in --rate email.opened=0.3 --rate purchase=0.1."


def as_data(funnel: Funnel) -> dict[str, Any]:
    """What `--json` prints. Times are in seconds after the admission."""
    return {
        "journey": funnel.journey.id,
        "people": funnel.asked.people,
        "source": funnel.source,
        "seed": funnel.asked.seed,
        "rates": [
            {"what": rate.what, "node": rate.node, "share": rate.share, "mean_delay": rate.delay / 1_000_000} for rate in funnel.rates
        ],
        "median": funnel.population.median / 1_000_000,
        "longest": funnel.population.longest / 1_000_000,
        "totals": asdict(funnel.population.report.totals),
        "nodes": [asdict(node) for node in funnel.population.report.nodes],
    }


# ---- who they are ----------------------------------------------------------------------------------------------------------------


def _people(read: Folder, drawn: Journey, wanted: str, seed: int) -> tuple[Who, str]:
    """Everybody is the one who is named; else they are drawn from those whom a run would let in; else they are made up."""
    if wanted:
        one = staging.seen(staging.person(read, drawn, wanted))
        return lambda _: one, f"each like {wanted}"
    members = [staging.seen(member) for member in staging.members(read, drawn)]
    if members:
        return lambda number: _drawn(members, seed, number), f"drawn from {len(members)} of the folder"
    segment, others = _rules(read, drawn)
    source = "made up by the segment" if segment is not None else "made up"
    asked = staging.trees(read) if past.needs([*others, *([segment] if segment is not None else [])]).segments else {}
    return lambda number: population_people.make(segment, others, Lots(seed, number), asked), source


def _drawn(members: Sequence[Profile], seed: int, number: int) -> Profile:
    return members[int(Lots(seed, number).draw("who") * len(members))]


def _rules(read: Folder, drawn: Journey) -> tuple[Rule | None, list[Rule]]:
    entry = drawn.entry_node
    segment = read.segments[entry.segment].document.tree if isinstance(entry, ReadSegment) else None
    branches = [branch for node in drawn.nodes if isinstance(node, Condition) for branch in node.branches]
    return segment, [as_tree(branch.when) for branch in branches if branch.when is not None]


def _channels(drawn: Journey, world: World) -> tuple[str, ...]:
    """The channels that the journey sends or calls by."""
    sent = [world.messages[node.message] for node in drawn.nodes if isinstance(node, Message) and node.message in world.messages]
    called = [calls.CHANNEL] if any(isinstance(node, Webhook) for node in drawn.nodes) else []
    return tuple(dict.fromkeys([*(channel for document in sent for channel in document.channels), *called]))


# ---- words -----------------------------------------------------------------------------------------------------------------------


def _numbers(counts: ChannelReport) -> dict[str, int]:
    plain = {name: count for name, count in asdict(counts).items() if isinstance(count, int)}
    return plain | {f"excluded {reason}": count for reason, count in counts.excluded.items()}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise BadInput(f"{file} cannot be written: {fault.strerror}.") from fault
