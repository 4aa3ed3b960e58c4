"""`sojourn validate`: judges a folder, or one journey in it, and says file and line of each finding. It works offline."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from commands import folder, schedules
from commands.folder import Entry, Folder, Placed
from journey.errors import BadInput
from journey.findings import Finding, error
from journey.graph import ExitCriterion, Journey, Node
from journey.validation import judging
from journey.validation.policies import of_policies

_UNKNOWN = {
    "unknown_segment": ("segments", "segment"), "unknown_event": ("events", "event"), "unknown_message": ("messages", "message"),
    "unknown_journey": ("journeys", "journey"),
}  # fmt: skip


def validate(path: Path) -> list[Placed]:
    """Every finding about a folder, or about one file in it and what that refers to; by file, first what is about the whole, then by line.

    Raises BadInput when the path is nothing that can be judged.
    """
    if not path.exists():
        raise BadInput(f"There is no file or folder {path}.")
    root = folder.root_of(path)
    read = folder.read(root)
    only = None if path.is_dir() else path.resolve()
    if only is not None and not _holds(read, only):
        raise BadInput(f"{path} is none of ours: a document lies in journeys/, messages/, segments/ or events/.")
    found = list(dict.fromkeys((*read.faults, *_judged(read))))  # of a name that a rule asks for twice it is told once
    if only is not None:
        wanted = _concerned(read, only)
        found = [one for one in found if one.file.resolve() in wanted]
    return sorted(found, key=lambda one: (str(one.file), bool(one.finding.node), one.line, one.finding.grade, one.finding.code))


def run(path: Path, as_json: bool) -> int:
    """Prints the findings; 1 when one of them is an error, else 0."""
    console = Console(soft_wrap=True, highlight=False)
    try:
        found = validate(path)
    except BadInput as fault:
        found = [Placed(path, fault.line, error(fault.code, "", "", fault.sentence))]
    errors = sum(one.finding.grade == "error" for one in found)
    warnings = len(found) - errors
    if as_json:
        json.dump([_as_json(one) for one in found], sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return 1 if errors else 0
    for one in found:
        console.print(_line(one))
    for said in when(path) if path.exists() else ():
        console.print(Text(said))
    verdict = "[green]valid[/]" if not errors else "[red]not valid[/]"
    console.print(f"{escape(str(path))} is {verdict}: {_count(errors, 'error')}, {_count(warnings, 'warning')}.")
    return 1 if errors else 0


def when(path: Path) -> Iterator[str]:
    """For each journey that is judged and on a schedule: the next times at which it lets people in."""
    for entry in folder.read(folder.root_of(path)).journeys.values():
        if path.is_dir() or path.resolve() == entry.file.resolve():
            said = schedules.sentence(entry.document, schedules.now())
            if said is not None:
                yield said


def _judged(read: Folder) -> Iterator[Placed]:
    """Each document by itself: what is wrong with a message is told in the file of the message, and there alone."""
    around = read.surroundings(now=schedules.now())
    if read.policies is not None:
        yield from _placed(read.policies, of_policies(read.policies.document))
    for segment in read.segments.values():
        yield from _placed(segment, judging.of_segment(segment.document, around))
    for event in read.events.values():
        yield from _placed(event, judging.of_event(event.document))
    for message in read.messages.values():
        yield from _placed(message, judging.of_message(message.document, around))
    for journey in read.journeys.values():
        findings = judging.of_journey(journey.document, around)
        for finding in findings:
            if not _explained(read, journey, finding):
                path = _path(journey, finding)
                yield Placed(journey.file, journey.source.line(path), finding)


def _placed(entry: Entry[Any], findings: Iterator[Finding]) -> Iterator[Placed]:
    for finding in findings:
        yield Placed(entry.file, entry.source.line(finding.field), finding)


def _path(entry: Entry[Journey], finding: Finding) -> str:
    """The path of a finding's field in the document; of two nodes with one id the finding is about the second."""
    if not finding.node:
        return finding.field
    places = [index for index, node in enumerate(entry.document.nodes) if node.id == finding.node]
    index = places[-1] if finding.code == "duplicate_id" and finding.field == "id" else places[0]
    return f"nodes[{index}].{finding.field}" if finding.field else f"nodes[{index}]"


def _explained(read: Folder, entry: Entry[Journey], finding: Finding) -> bool:
    """Is this only the echo of a file with faults, which are told already? Its document is not unknown, it cannot be read."""
    if finding.code not in _UNKNOWN:
        return False
    kind, field = _UNKNOWN[finding.code]
    names = [getattr(part, field, "") for part in _parts(entry.document, finding.node)]
    return any((kind, name) in read.unreadable for name in names)


def _parts(journey: Journey, node: str) -> list[Node | ExitCriterion]:
    """The node that a finding is about; of one about the whole journey, the parts of it that refer to anything."""
    return [journey.node(node)] if node else list(journey.exit_criteria)


def _holds(read: Folder, file: Path) -> bool:
    return any(file == one.file.resolve() for one in _entries(read)) or any(file == one.file.resolve() for one in read.faults)


def _entries(read: Folder) -> list[Entry[Any]]:
    documents = [entry for kind in folder.MODELS for entry in getattr(read, kind).values()]
    return [*documents, read.policies] if read.policies is not None else documents


def _concerned(read: Folder, file: Path) -> set[Path]:
    """A file, the attributes, and when it is a journey the files of everything that it refers to."""
    wanted = {file}
    if read.attributes_file is not None:
        wanted.add(read.attributes_file.resolve())
    named: set[tuple[str, str]] = set()
    for entry in read.journeys.values():
        if entry.file.resolve() == file:
            parts = (*entry.document.nodes, *entry.document.exit_criteria)
            named |= {(kind, getattr(part, field, "")) for part in parts for kind, field in _UNKNOWN.values()}
    for kind, name in named:
        there = getattr(read, kind).get(name)
        if there is not None:
            wanted.add(there.file.resolve())
    wanted |= {fault.file.resolve() for fault in read.faults if (fault.file.parent.name, fault.file.stem) in named}
    return wanted


def _line(placed: Placed) -> Text:
    finding = placed.finding
    line = Text(f"{placed.file}:{placed.line}: " if placed.line else f"{placed.file}: ", style="bold")
    line.append(finding.code, style="red" if finding.grade == "error" else "yellow")
    line.append(f" ({finding.grade})" + (f" {finding.node}:" if finding.node else ""), style="default")
    line.append(f" {finding.sentence}", style="default")
    line.no_wrap = True
    return line


def _as_json(placed: Placed) -> dict[str, str | int]:
    finding = placed.finding
    return {
        "file": str(placed.file),
        "line": placed.line,
        "code": finding.code,
        "grade": finding.grade,
        "node": finding.node,
        "field": finding.field,
        "sentence": finding.sentence,
    }


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
