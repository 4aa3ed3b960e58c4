"""`sojourn plan ID`: what would become of people inside if the draft were published now, as a table. It counts nothing: the API does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from commands.http import Api, journey_path
from journey import documents, yaml_text
from journey.errors import BadInput
from journey.succession import Succession

_MAP = dict[str, str]


def succession(people: str = "", mapped: Path | None = None, rate: int | None = None) -> dict[str, Any] | None:
    """What is said of people inside, as the API takes it; None when nothing is. A map alone means to migrate by it.

    Raises BadInput for a file that is no map of nodes, and for what there is not.
    """
    told: dict[str, Any] = {"people": people or "migrate", "map": read_map(mapped)} if mapped is not None else {}
    told |= {"people": people} if people else {}
    told |= {"rate": rate} if rate is not None else {}
    if told:
        documents.parse(Succession, told)
    return told or None


def read_map(path: Path) -> dict[str, str]:
    """A file of `NODE: NODE`, in YAML or JSON."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise BadInput(f"{path} cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise BadInput(f"{path} is no text in UTF-8.") from fault
    try:
        told: dict[str, str] = documents.parse_as(_MAP, yaml_text.read(text).data)
    except BadInput as fault:
        raise BadInput(f"{path} is no map of nodes: {fault.sentence} Write lines as `old-node: new-node` or `old-node: :next`.") from fault
    return told


def plan(api: Api, journey: str, told: Mapping[str, Any] | None) -> dict[str, Any]:
    """The answer of the API. Raises Invalid with every finding when the draft or the map is not valid."""
    answer: dict[str, Any] = api.post(f"{journey_path(journey)}:plan", told)
    return answer


def table(answer: Mapping[str, Any]) -> Table:
    """A row for each place where people are, and for those of which something else is to be said than that they go on."""
    made = Table(title=f"{answer['version']}, if it were published now", title_justify="left")
    for heading in ("version", "place", "people", "what becomes of them", "woken"):
        made.add_column(heading, justify="right" if heading in ("people", "woken") else "left")
    for version in answer["older"]:
        for place in version["places"]:
            if place["people"] or place["kind"] == "cannot_move":
                woken = str(place["people"]) if place["wakes"] else ""
                made.add_row(version["version"], " or ".join(place["was"]), str(place["people"]), escape(_said(place)), woken)
        made.add_section()
    return made


def sentences(answer: Mapping[str, Any]) -> Iterator[str]:
    """The sums in words, and the warnings about the draft."""
    sums = answer["sums"]
    if not sums["people"]:
        yield "Nobody is inside."
    else:
        yield f"Of {sums['people']:,} inside {', '.join(_words(sums))}."
        if sums["moves"] or sums["leaves"]:
            woken = f"{sums['woken']:,} of them {'is' if sums['woken'] == 1 else 'are'} woken" if sums["woken"] else "Nobody is woken"
            yield f"{woken}; the others go at their next stop." if sums["woken"] < sums["moves"] + sums["leaves"] else f"{woken}."
    for finding in answer["findings"]:
        yield f"warning {finding['code']}" + (f" at {finding['node']}" if finding["node"] else "") + f": {finding['sentence']}"


def _words(sums: Mapping[str, int]) -> Iterator[str]:
    """`3 go on`, `1 leaves`: what there is of each."""
    said = {"stays": ("stays", "stay"), "moves": ("goes on", "go on"), "leaves": ("leaves", "leave"), "cannot_move": ("cannot move",) * 2}
    for kind, (one, many) in said.items():
        if sums[kind]:
            yield f"{sums[kind]:,} {one if sums[kind] == 1 else many}"


def _said(place: Mapping[str, Any]) -> str:
    match place["kind"]:
        case "moves":
            return f"go on at {' or '.join(place['place'])} in {place['to']}"
        case "leaves":
            return f"leave: {place['reason']}"
        case "cannot_move":
            return f"cannot move: {place['why']}"
    return "stay"
